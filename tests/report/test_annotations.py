"""Annotations: capped, placed, and no captured value is a command."""

from __future__ import annotations

import re

import pytest

from audit.model.outcome import Outcome
from audit.report.annotations import MAX_ANNOTATIONS, command, render_annotations
from audit.report.formats import PolicyPlace

from . import results
from .variants import MORE_ATTACKS, VARIANTS, waived

PLACE = PolicyPlace(folder="policies/session")
COMMAND = re.compile(r"::(error|warning|notice) ((?:[a-z]+=[^:,\n]*,?)+)::([^\n]*)\Z")


def parsed(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Read the commands as the runner does."""

    def plain(value: str) -> str:
        for code, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
            value = value.replace(code, char)
        return value

    found = []
    for line in text.splitlines():
        match = COMMAND.match(line)
        assert match, line
        told = dict(item.split("=", 1) for item in match[2].split(","))
        found.append(
            (match[1], {key: plain(value) for key, value in told.items()}, plain(match[3]))
        )
    return found


@pytest.mark.parametrize("name", VARIANTS)
def test_every_line_is_one_command_of_ours(name):
    found = parsed(render_annotations(VARIANTS[name](), PLACE))
    assert 1 <= len(found) <= MAX_ANNOTATIONS + 1
    assert found[-1][0] == "notice"
    for _, told, _ in found[:-1]:
        assert set(told) == {"file", "line", "title"}


def test_a_violation_is_at_its_check():
    verdict = results.make_verdict(
        "a.b", "x", Outcome.FAIL, severity="medium", file="checks/a.yaml", line=2,
        findings=[results.make_finding(severity="medium", message="x, y: 100%\nsent")],
    )  # fmt: skip
    (name, told, text), _ = parsed(render_annotations(results.make_result([verdict]), PLACE))
    assert name == "warning"
    assert told == {"file": "policies/session/checks/a.yaml", "line": "2", "title": "medium: a.b"}
    assert text.startswith("x, y: 100%\nsent (6 times)")


def test_more_than_ten_are_counted_worst_first():
    findings = [results.make_finding(fingerprint=results.sha(str(n))) for n in range(14)]
    low = results.make_verdict("a.low", "x", Outcome.FAIL, severity="low", findings=findings)
    high = results.make_verdict("b.high", "x", Outcome.FAIL, findings=[results.make_finding()])
    found = parsed(render_annotations(results.make_result([low, high]), PLACE))
    assert len(found) == 11
    assert found[0][1]["title"].endswith("b.high")
    assert "5 more are not listed here." in found[-1][2]


def test_what_is_waived_is_no_annotation():
    assert len(parsed(render_annotations(waived(), PLACE))) == 3


@pytest.mark.parametrize("attack", MORE_ATTACKS)
def test_attacks_end_no_command(attack):
    line = command("error", {"title": attack, "file": attack}, attack)
    assert "\n" not in line
    ((name, told, _),) = parsed(line)
    assert (name, list(told)) == ("error", ["title", "file"])
