from __future__ import annotations

import pytest

from audit.authoring.examples import run_examples
from audit.checks.load import load_policy
from audit.checks.shipped import shipped_policies
from audit.yamlfile.problem import PolicyFileError

from .making import CHECK, make_policy


def test_every_example_of_the_shipped_policies_holds():
    for folder in shipped_policies():
        results = run_examples(load_policy(folder))
        assert not [problem.render() for result in results for problem in result.problems]


def run(folder, example: str):
    text = CHECK[: CHECK.index("tests:")] + f"tests:\n  - {example}\n"
    return run_examples(make_policy(folder, text))[0]


@pytest.mark.parametrize(
    "example",
    [
        "{name: x, actions: [app.idle], verdict: pass}",
        "{name: x, verdict: inconclusive}",
        "{name: x, actions: [app.idle], without: [process.attribution], verdict: not_observable}",
        "{name: x, rows: {conversations: [{host: tracker.example, repeat: 3}]}, verdict: fail, hits: 1}",
        "{name: x, actions: [app.idle], rows: {conversations: [{host: tracker.example, process: os}]}, verdict: pass}",
        "{name: x, history: {app.idle: 3d}, verdict: pass}",
        "{name: x, actions: '${journey}', verdict: pass}",
    ],
)
def test_an_example_that_holds_has_no_problem(tmp_path, example):
    assert run(tmp_path, example).problems == ()


@pytest.mark.parametrize(
    "example",
    [
        "{name: x, actions: [app.idle], platform: desktop, verdict: pass}",
        "{name: x, actions: [app.idle], platform: web, verdict: not_applicable}",
        "{name: x, actions: [app.idle], without: ['server.logs:seed'], verdict: not_observable}",
        "{name: x, actions: [app.idle], without: [server.logs], verdict: not_observable}",
        "{name: x, actions: [app.idle], without: ['server.logs:website'], verdict: pass}",
    ],
)
def test_an_example_may_be_of_a_platform_and_lack_one_source(tmp_path, example):
    text = CHECK[: CHECK.index("tests:")] + f"tests:\n  - {example}\n"
    text = text.replace(
        "observe:\n",
        "scope: {platforms: [ios, desktop]}\nobserve:\n  - {capability: server.logs, source: seed}\n",
    )
    assert run_examples(make_policy(tmp_path, text))[0].problems == ()


def test_an_example_that_does_not_hold_says_what_was_found(tmp_path):
    row = "rows: {conversations: [{host: tracker.example}]}"
    result = run(tmp_path, f"{{name: x, {row}, verdict: pass, hits: 0}}")
    assert [problem.code for problem in result.problems] == ["E302", "E302"]
    assert "the verdict is fail, in example 'x'" in result.problems[0].message
    assert result.problems[0].hint == "tracker.example was contacted"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("{conversation: [{}]}", "there is no table 'conversation'"),
        ("{conversations: [{hots: a}]}", "has no column 'hots'"),
        ("{conversations: [{bytes_out: many}]}", "a size is a number of bytes"),
        ("{conversations: [{first_seen: -3x}]}", "a duration is a number with"),
        ("{conversations: [{vpn_up: 'yes'}]}", "expected true or false"),
        ("{conversations: [{host: [a]}]}", "expected a host"),
    ],
)
def test_rows_that_are_no_rows_are_refused_at_their_place(tmp_path, rows, words):
    with pytest.raises(PolicyFileError) as caught:
        run(tmp_path, f"{{name: x, rows: {rows}, verdict: pass}}")
    assert words in caught.value.message
    assert caught.value.problems[0].code == "E303"


def test_examples_set_only_what_a_target_may_set(tmp_path):
    assert run(tmp_path, "{name: x, actions: [app.idle], vars: {iface: tun0}, verdict: pass}")
    with pytest.raises(PolicyFileError, match="no such settable variable"):
        run(tmp_path, "{name: x, vars: {good_hosts: [a.example]}, verdict: pass}")
