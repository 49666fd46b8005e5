from __future__ import annotations

import pytest

from audit.yamlfile import check as check_file
from audit.yamlfile.loader import load_yaml_bytes
from audit.yamlfile.problem import PolicyFileError
from audit.yamlfile.validate import parse_model

CHECK = """\
schema: audit/check@1
id: example.seed
title: A seed node is asked
version: 1.0.0
severity: high
clause: {policy: session, id: seed.blind, quote: The, reading: Its reading}
scope: {platforms: [android, ios]}
observe:
  - {capability: transport.opened, min_ratio: '${min_opened}', hint: seed certificates}
exercise:
  - {id: journey, actions: '${journey}'}
  - {id: contacted, from: http_requests, min: 1}
expect:
  - {id: constant-call, assert: every, from: http_requests,
     match: {method: POST}, message: 'seed'}
tests:
  - {name: list only, actions: [app.idle], rows: {http_requests: [{host: a, repeat: 4}]}, verdict: pass}
"""


def parse(text: str):
    located = load_yaml_bytes(text.encode(), "check.yaml")
    return parse_model(located, check_file.CheckFile, check_file.SCHEMA)


def problems(text: str):
    with pytest.raises(PolicyFileError) as caught:
        parse(text)
    return caught.value.problems


def one(text: str):
    found = problems(text)
    assert len(found) == 1, [p.render() for p in found]
    return found[0]


def test_a_sound_check_parses():
    check = parse(CHECK)
    assert check.exercise[0].actions == "${journey}"
    assert check.tests[0].rows["http_requests"][0].repeat == 4
    assert check.opaque == "block"


def test_a_misspelt_key_is_said_once_with_what_was_meant():
    problem = one(CHECK.replace("match:", "matc:"))
    assert (problem.line, problem.column, problem.length) == (15, 6, 4)
    assert problem.code == "E012"
    assert problem.message == "unknown key 'matc' in expectation 'constant-call' (assert: every)"
    assert problem.hint == "did you mean 'match'?"
    assert "where" in problem.allowed


def test_a_comma_in_unquoted_text_is_named_as_the_cause():
    problem = one(CHECK.replace("hint: seed certificates", "hint: seed certificates, pinned"))
    assert problem.message == "unknown key 'pinned' in observation 'transport.opened'"
    assert problem.hint is not None
    assert "comma" in problem.hint


def test_a_missing_key_stands_at_its_parent():
    problem = one(CHECK.replace("policy: session, ", ""))
    assert (problem.line, problem.code) == (6, "E013")
    assert problem.message == "missing key 'policy' in 'clause'"


@pytest.mark.parametrize(
    ("old", "new", "at", "words"),
    [
        ("severity: high", "severity: hgih", "hgih", "did you mean 'high'?"),
        ("assert: every", "assert: evry", "evry", "did you mean 'every'?"),
        ("transport.opened", "transport.open", "transport.open", "did you mean 'transport.opened'"),
        ("[app.idle]", "[app.idl]", "app.idl", "did you mean 'app.idle'?"),
        ("title: A seed node is asked", "title: 5", "5", "put it in quotes"),
        ("min: 1}", "min: '1'}", "'1'", "expected a whole number, got text '1'"),
        ("min: 1}", "min: -1}", "-1", "at least 0"),
        ("version: 1.0.0", "version: '1'", "'1'", "three numbers"),
        ("'${journey}'", "'${Journey}'", "'$", "a variable reads ${name}"),
        ("repeat: 4", "repeat: 0", "0", "at least 1"),
        ("{id: contacted,", "{id: contacted, actions: [app.idle],", "{id", "either 'actions' or"),
        ("[{host: a, repeat: 4}]", "[4]", "4", "expected a mapping, got 4"),
        ("audit/check@1", "audit/check@2", "audit", "this version knows audit/check@1"),
        ("audit/check@1", "audit/gate@1", "audit", "expected a file of schema audit/check@1"),
        ("schema: audit/check@1\n", "", "", "missing key 'schema'"),
        ("platforms: [android, ios]", "platforms: []", "[", "this must not be empty"),
    ],
)
def test_each_mistake_is_told_at_its_place(old, new, at, words):
    text = CHECK.replace(old, new)
    before = text[: CHECK.index(old) + new.index(at)]
    problem = problems(text)[0]
    line = before.count("\n") + 1
    column = len(before) - before.rfind("\n")
    assert (problem.line, problem.column) == (line, column), problem.render()
    assert words in problem.render()


def test_a_file_that_is_no_mapping_is_refused():
    assert one("- a\n").message == "the file is no mapping"


def test_all_mistakes_of_a_file_come_at_once():
    broken = CHECK.replace("severity: high", "severity: hgih").replace("match:", "matc:")
    assert [problem.line for problem in problems(broken)] == [5, 15]


def test_the_error_names_the_first_place_and_every_problem():
    broken = CHECK.replace("severity: high", "severity: hgih").replace("match:", "matc:")
    with pytest.raises(PolicyFileError) as caught:
        parse(broken)
    assert caught.value.exit_code == 2
    assert caught.value.source == "check.yaml:5:11"
    assert "^^^^ did you mean 'match'?" in str(caught.value)
