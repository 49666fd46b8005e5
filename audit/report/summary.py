"""The few lines a terminal gets: broken, not proven, kept, and where to look."""

from __future__ import annotations

from audit.model.result import Result
from audit.report.sentence import mark_of, verdict_sentence
from audit.report.texts import count, say
from audit.report.verdicts import violations_of
from audit.report.visible import for_terminal
from audit.report.wording import shortened

_MAX_CHARS = 300
_LABEL_WIDTH = 15


def summarise(result: Result, *, look_at: str | None = None) -> list[str]:
    """Return plain text lines, safe for any terminal.

    ``look_at`` is where the report lies, as the user should type or click it; ``None``: not said.
    No line holds a control character or is longer than 300 characters.
    """
    lines = [for_terminal(verdict_sentence(result))]
    for mark in ("fail", "inconclusive", "not_observable", "pass"):
        ids = [clause.id for clause in result.clauses if mark_of(clause.outcome) == mark]
        if ids:
            lines.append(_line(say(f"outcome_lower.{mark}"), ", ".join(ids)))
        if mark == "fail" and ids:
            lines += _first_finding(result)
    unchecked = sum(clause.outcome is None for clause in result.clauses)
    if unchecked:
        lines.append(_line(say("outcome_lower.none"), count("summary.unchecked", unchecked)))
    code = result.gate.exit_code
    lines.append(_line(say("summary.gate"), say(f"gate.{code}"), say("gate.exit", code=code)))
    if look_at is not None:
        lines.append(_line(say("summary.look"), look_at))
    return [shortened(line, _MAX_CHARS) for line in lines]


def _first_finding(result: Result) -> list[str]:
    """Return the worst finding, as one line that says what to open."""
    for verdict, finding in violations_of(result):
        if finding:
            where = finding.evidence[0].locator if finding.evidence else verdict.check
            return [_line("", say("summary.seen", message=finding.message, evidence=where))]
    return []


def _line(label: str, *parts: str) -> str:
    text = ", ".join(map(for_terminal, parts))
    return f"{label:<{_LABEL_WIDTH}} {text}"
