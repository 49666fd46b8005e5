"""The ten worked checks of the check language, verbatim, give the verdicts that they say."""

from __future__ import annotations

import pytest

from audit.authoring.examples import run_examples
from audit.authoring.lint import lint
from audit.checks.targets import target_of_nothing


def test_the_ten_worked_checks_load(worked):
    assert len(worked.checks) == 10


def test_every_example_of_the_worked_checks_holds(worked, example_target):
    results = run_examples(worked, example_target)
    assert len(results) == 43
    assert not [problem.render() for result in results for problem in result.problems]


def test_the_worked_checks_are_honest(worked):
    told = [problem for problem in lint(worked) if problem.code != "W203"]
    assert not [problem.render() for problem in told]


def test_what_nothing_supplies_yet_is_told_of_the_worked_checks(worked):
    told = {problem.source.split("/")[-1] for problem in lint(worked) if problem.code == "W203"}
    assert {"05-telemetry.yaml", "10-default.yaml"} <= told


def test_an_example_that_does_not_hold_says_so_at_its_place(worked):
    vpn = next(c for c in worked.checks if c.file.id == "session.app.ip-shielded-by-vpn")
    results = run_examples(worked, target_of_nothing(worked))
    problems = [p for r in results if r.check == vpn.file.id for p in r.problems]
    assert problems, "without vpn_iface nothing passes"
    assert "nothing sets the variable 'vpn_iface'" in problems[0].render()


@pytest.mark.parametrize("name", ["01-seed", "05-telemetry", "10-default"])
def test_positions_of_the_worked_checks_are_those_of_the_files(worked, name):
    check = next(c for c in worked.checks if c.path == f"checks/{name}.yaml")
    line = check.located.problem(("severity",), "E000", "here").line
    text = (worked.folder / check.path).read_text().splitlines()[line - 1]
    assert text.startswith("severity:")
