from __future__ import annotations

import pytest

from audit.authoring.lint import lint, lint_folder
from audit.checks.load import load_policy
from audit.checks.shipped import shipped_policies

from .making import CHECK, make_policy, write_policy


def codes(folder, text=CHECK):
    return [problem.code for problem in lint(make_policy(folder, text)) if problem.code != "W105"]


def test_the_shipped_policies_have_no_error():
    for folder in shipped_policies():
        errors = [p.render() for p in lint_folder(folder) if p.level == "error"]
        assert not errors


def test_a_sound_check_has_no_problem(tmp_path):
    assert codes(tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("quote: We never talk to trackers.,", "quote: We seldom talk.,", "E201"),
        ("process.attribution", "dns.seen", "E208"),
        (
            "observe:\n",
            "scope: {platforms: [library]}\nobserve:\n  - {capability: app.screens}\n",
            "E203",
        ),
        ("observe:\n", "observe:\n  - {capability: server.logs, source: web}\n", "W206"),
        ("verdict: fail}", "verdict: pass}", "E301"),
    ],
)
def test_dishonesty_is_told(tmp_path, old, new, code):
    assert old in CHECK
    assert code in codes(tmp_path, CHECK.replace(old, new))


def test_a_quote_may_differ_in_white_space_alone(tmp_path):
    text = CHECK.replace(
        "quote: We never talk to trackers.,", "quote: 'We never   talk to trackers.',"
    )
    assert codes(tmp_path, text) == []


def test_a_quote_of_another_clause_is_told(tmp_path):
    text = CHECK.replace(
        "quote: We never talk to trackers.,", "quote: We do not keep your address.,"
    )
    assert codes(tmp_path, text) == ["E201"]


def test_a_variable_that_nothing_sets_is_told_where_it_is_read(tmp_path):
    text = CHECK.replace("{host|domain: tracker.example}", "{iface: '${iface}'}")
    (problem,) = (p for p in lint(make_policy(tmp_path, text)) if p.code == "E104")
    line = text.splitlines()[problem.line - 1]
    assert line[problem.column - 1 :].startswith("'${iface}'")


def test_a_variable_that_nothing_reads_is_told(tmp_path):
    unread = [p.message for p in lint(make_policy(tmp_path)) if p.code == "W105"]
    assert "nothing reads the variable 'iface'" in unread
    assert "nothing reads the variable 'good_hosts'" not in unread


def test_mistakes_that_stop_a_policy_from_loading_are_problems_too(tmp_path):
    folder = write_policy(tmp_path, CHECK.replace("severity: high", "severity: hihg"))
    assert [problem.code for problem in lint_folder(folder)] == ["E014"]
    assert [problem.code for problem in lint_folder(tmp_path / "nothing")] == ["E000"]


def test_targets_and_gate_are_linted_too(tmp_path):
    target = (
        "schema: audit/target@1\npolicy: example\napp: {name: x}\nvars: {good_hosts: [a.example]}\n"
    )
    write_policy(tmp_path, CHECK, targets__a__target=target, gate="schema: audit/gate@1\nfail: 1\n")
    found = [p.code for p in lint(load_policy(tmp_path)) if p.level == "error"]
    assert sorted(found) == ["E012", "E207"]
