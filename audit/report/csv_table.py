"""A result as CSV: a line a finding, and a line for every check that lists none.

RFC 4180 with CR LF, UTF-8. A cell that a spreadsheet would take for a formula gets an apostrophe
before it (CWE-1236); hidden characters are named, and no cell has a second line, which a pipeline
that prints the file could take for a command.
"""

from __future__ import annotations

from typing import Final

from audit.model.result import Evidence, Finding, Result, VerdictRecord
from audit.report.sarif import text_without_finding
from audit.report.verdicts import recipient_of, reference_of
from audit.report.visible import visible
from audit.tables.csv_cell import csv_cell
from audit.tables.reference import Reference

COLUMNS: Final = (
    "clause",
    "check",
    "severity",
    "status",
    "outcome",
    "text",
    "recipient",
    "kind",
    "count",
    "baseline",
    "waivers",
    "fingerprint",
    "capture",
    "file",
    "records",
    "part",
    "start",
    "end",
    "ts",
    "locator",
    "references",
)


def render_csv(result: Result) -> str:
    """Return the table, its columns named first; of a finding's evidence the first piece."""
    rows = [list(COLUMNS)]
    for verdict in result.verdicts:
        rows += [_finding(verdict, finding) for finding in verdict.findings]
        rows += [] if verdict.findings else [_row(verdict, {"text": text_without_finding(verdict)})]
    return "".join(",".join(csv_cell(_line(text)) for text in row) + "\r\n" for row in rows)


def _finding(verdict: VerdictRecord, finding: Finding) -> list[str]:
    told = {
        "severity": finding.severity,
        "text": finding.message,
        "recipient": recipient_of(finding.columns)[0] or "",
        "kind": finding.columns.get("kind") or "",
        "count": str(finding.count),
        "baseline": finding.baseline or "",
        "waivers": "; ".join(f"{name} {state}" for name, state in finding.waivers.items()),
        "fingerprint": finding.fingerprint,
    }
    return _row(verdict, told | (_evidence(finding.evidence[0]) if finding.evidence else {}))


def _evidence(evidence: Evidence) -> dict[str, str]:
    reference = reference_of(evidence.locator) or Reference(file=evidence.file)
    return {
        "capture": evidence.capture,
        "file": evidence.file,
        "records": " ".join(map(str, reference.records)),
        "part": reference.part or "",
        "start": "" if reference.start is None else str(reference.start),
        "end": "" if reference.end is None else str(reference.end),
        "ts": evidence.ts or "",
        "locator": evidence.locator,
    }


def _row(verdict: VerdictRecord, told: dict[str, str]) -> list[str]:
    values = {
        "clause": verdict.clause,
        "check": verdict.check,
        "severity": verdict.severity,
        "status": verdict.status,
        "outcome": verdict.outcome.value,
        "references": "; ".join(verdict.references),
    }
    return [(values | told).get(column, "") for column in COLUMNS]


def _line(text: str) -> str:
    return visible(text).replace("\n", " ")
