"""A result as JUnit XML, as the xUnit plugin of Jenkins takes it: a suite a section of the policy.

A fail is a ``failure``; what was not proven, could not be observed or is out of scope is
``skipped`` and says why, as is a sentence without a check. Most dashboards show skipped as green:
the exit code is the gate, not this file. There are no times: none was measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from audit.model.outcome import Outcome
from audit.model.result import ClauseRecord, Result, VerdictRecord
from audit.report.sarif import text_of, text_without_finding
from audit.report.suppressions import word_of_waiver
from audit.report.texts import count, say
from audit.report.verdicts import by_clause
from audit.report.xml_text import xml


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    name: str
    group: str
    mark: str
    """``failure``, ``skipped`` or ``''`` for a pass."""
    kind: str = ""
    message: str = ""
    text: str = ""


def render_junit(result: Result) -> str:
    """Return the document; suites in the order of the policy, cases sorted by check."""
    suites = _suites(result)
    cases = [case for found in suites.values() for case in found]
    counts = _counts(cases)
    name = xml(f"{result.policy.id}: {result.target.get('name') or '–'}")
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    lines.append(
        f'<testsuites name="{name}" tests="{counts["tests"]}" failures="{counts["failures"]}"'
        ' errors="0">'
    )
    for place, (section, found) in enumerate(suites.items()):
        lines += _suite(place, section, found, result)
    return "\n".join([*lines, "</testsuites>", ""])


def _suites(result: Result) -> dict[str, list[_Case]]:
    tests = by_clause(result.verdicts)
    suites: dict[str, list[_Case]] = {}
    for clause in result.clauses:
        verdicts = tests.pop(clause.id, [])
        cases = [_case(verdict, result) for verdict in verdicts] or [_unchecked(clause)]
        suites.setdefault(clause.section, []).extend(cases)
    for clause_id, verdicts in tests.items():
        suites.setdefault(clause_id, []).extend(_case(verdict, result) for verdict in verdicts)
    return suites


def _unchecked(clause: ClauseRecord) -> _Case:
    message = say("outputs.unchecked")
    return _Case(
        name=clause.id, group=clause.id, mark="skipped", kind="no check", message=message,
        text=clause.quote,
    )  # fmt: skip


def _case(verdict: VerdictRecord, result: Result) -> _Case:
    name, group, kind = verdict.check, verdict.clause, verdict.outcome.value
    match verdict.outcome:
        case Outcome.PASS:
            return _Case(name=name, group=group, mark="", text=_about(verdict))
        case Outcome.FAIL:
            kind = verdict.severity
            if verdict.status != "stable":
                kind += f", {verdict.status}"
            message = count("outputs.broken", len(verdict.findings), title=verdict.title)
            text = "\n\n".join([_about(verdict), *_findings(verdict, result)])
            return _Case(
                name=name, group=group, mark="failure", kind=kind, message=message, text=text
            )
        case Outcome.INCONCLUSIVE | Outcome.NOT_OBSERVABLE | Outcome.NOT_APPLICABLE:
            message = text_without_finding(verdict)
            return _Case(
                name=name, group=group, mark="skipped", kind=kind, message=message,
                text=_about(verdict),
            )  # fmt: skip


def _about(verdict: VerdictRecord) -> str:
    return "\n".join(
        [
            f"{say('outputs.quote')}: {verdict.quote}",
            f"{say('outputs.reading')}: {verdict.reading}",
        ]
    )


def _findings(verdict: VerdictRecord, result: Result) -> Iterator[str]:
    for finding in verdict.findings:
        waivers = [word_of_waiver(result, *item) for item in finding.waivers.items()]
        yield "\n".join([text_of(finding), *waivers])
    if verdict.remediation:
        yield f"{say('finding.remediation')}: {verdict.remediation}"


def _counts(cases: list[_Case]) -> dict[str, int]:
    return {
        "tests": len(cases),
        "failures": sum(case.mark == "failure" for case in cases),
        "errors": 0,
        "skipped": sum(case.mark == "skipped" for case in cases),
    }


def _suite(place: int, section: str, cases: list[_Case], result: Result) -> Iterator[str]:
    counts = " ".join(f'{key}="{n}"' for key, n in _counts(cases).items())
    yield f'  <testsuite id="{place}" name="{xml(section) or "-"}" {counts}>'
    yield "    <properties>"
    told = {
        "as_of": result.as_of,
        "policy.sha256": result.policy.sha256,
        "captures": ", ".join(capture.id for capture in result.captures),
        "gate.exit_code": str(result.gate.exit_code),
    }
    for name, value in told.items():
        yield f'      <property name="{name}" value="{xml(value)}"/>'
    yield "    </properties>"
    for case in cases:
        yield from _lines(case)
    yield "  </testsuite>"


def _lines(case: _Case) -> Iterator[str]:
    yield f'    <testcase name="{xml(case.name)}" classname="{xml(case.group)}">'
    if case.mark:
        kind, message = xml(case.kind), xml(case.message)
        yield f'      <{case.mark} type="{kind}" message="{message}">{xml(case.text)}</{case.mark}>'
    else:
        yield f"      <system-out>{xml(case.text)}</system-out>"
    yield "    </testcase>"
