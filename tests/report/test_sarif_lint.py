"""Lint as SARIF: valid, at file and line, what is allowed suppressed with its reason."""

from __future__ import annotations

import json

import pytest

from audit.report.sarif_lint import render_lint
from audit.yamlfile.problem import Problem
from tests.authoring.making import CHECK, write_policy
from tests.conftest import ROOT, run_audit

from .test_sarif import problems
from .variants import MORE_ATTACKS


def make_problem(**fields: object) -> Problem:
    values: dict[str, object] = {
        "source": "own/checks/a.yaml", "line": 3, "column": 5, "code": "E101", "message": "wrong",
    }  # fmt: skip
    return Problem(**(values | fields))  # type: ignore[arg-type]


def rendered(*found: tuple[Problem, str | None]) -> dict:
    rules = {"E101": ("a title", "why", "what to do")}
    return json.loads(render_lint(found, rules, "1.0", lambda source: source))


def test_a_problem_stands_at_its_place():
    log = rendered((make_problem(length=4, excerpt="a: b", hint="say c"), None))
    assert problems(log) == []
    (run,) = log["runs"]
    (one,) = run["results"]
    assert one["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 3, "startColumn": 5, "endColumn": 9, "snippet": {"text": "a: b"},
    }  # fmt: skip
    assert (one["level"], one["message"]["text"]) == ("error", "wrong. say c")
    assert run["invocations"][0]["exitCode"] == 2
    assert run["tool"]["driver"]["rules"][one["ruleIndex"]]["shortDescription"]["text"] == "a title"


def test_what_is_allowed_is_suppressed_in_the_source():
    (run,) = rendered((make_problem(code="W206"), "known"))["runs"]
    (one,) = run["results"]
    assert one["suppressions"] == [
        {"kind": "inSource", "status": "accepted", "justification": "known"}
    ]
    assert one["level"] == "warning"
    assert run["invocations"][0]["exitCode"] == 0


@pytest.mark.parametrize("attack", MORE_ATTACKS)
def test_hostile_files_give_a_valid_log(attack):
    log = rendered(
        (make_problem(source=attack, message=attack, excerpt=attack, hint=attack), attack)
    )
    assert problems(log) == []


def test_the_command_writes_it_for_a_policy_of_ones_own(tmp_path):
    (tmp_path / ".git").mkdir()
    folder = tmp_path / "privacy" / "own"
    folder.mkdir(parents=True)
    write_policy(folder, CHECK.replace("severity: high", "severity: hihg"))
    ran = run_audit("policy", "lint", folder, "--format", "sarif", cwd=tmp_path)
    assert ran.code == 2
    log = json.loads(ran.out)
    assert problems(log) == []
    assert str(tmp_path) not in ran.out
    places = [
        one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for one in log["runs"][0]["results"]
    ]
    assert places
    assert all((tmp_path / place).is_file() for place in places)


def test_the_shipped_policies_are_placed_in_this_repository(tmp_path):
    ran = run_audit("policy", "lint", "--format", "sarif", cwd=tmp_path)
    assert ran.code == 0, ran.err
    log = json.loads(ran.out)
    assert problems(log) == []
    for one in log["runs"][0]["results"]:
        place = one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert (ROOT / place).is_file()
