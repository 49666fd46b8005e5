"""SARIF as GitHub's code scanning takes it: violations alone, each at its check's line.

GitHub shows an alert at a line of a file of the repository, so a violation stands where its
promise is put to the test: at the check's YAML. It reads neither kinds nor suppressions; so only
fails are written, and what a waiver in force covers is left out and counted. Alerts are told apart
by rule, file and ``primaryLocationLineHash``, which is the finding's own fingerprint: it does not
move when the YAML is edited.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from audit.model.result import Finding, Result, VerdictRecord
from audit.report.formats import PolicyPlace
from audit.report.sarif import invocation_of, of_finding, run_of, text_of, text_without_finding
from audit.report.sarif_log import (
    FINGERPRINT,
    in_repository,
    level_of,
    message,
    render_log,
)
from audit.report.sarif_rules import rule_of
from audit.report.suppressions import is_waived
from audit.report.texts import count, say
from audit.report.verdicts import recipient_of, violations_of
from audit.report.wording import shortened

MAX_RESULTS: Final = 5_000
"""Results of one run that GitHub shows; more than 25,000 it refuses."""
MAX_TEXT: Final = 4_000
"""Characters of a message; the whole upload may have 10 MB, packed."""


def render_sarif_github(result: Result, place: PolicyPlace) -> bytes:
    """Return the log; results worst first, so that a cut loses the least."""
    found = list(violations_of(result))
    shown = [pair for pair in found if not is_waived(pair[1])]
    kept = shown[:MAX_RESULTS]
    speaking = {verdict.check: verdict for verdict, _ in kept}
    index = {check: number for number, check in enumerate(speaking)}
    results = [
        _located(verdict, index, place) | _result(result, verdict, finding)
        for verdict, finding in kept
    ]
    invocation = invocation_of(result)
    notes = _left_out(len(found) - len(shown), len(shown) - len(kept))
    invocation["toolExecutionNotifications"] = [
        *notes, *invocation.get("toolExecutionNotifications", []),
    ]  # fmt: skip
    rules = [rule_of(verdict) for verdict in speaking.values()]
    return render_log(run_of(result, rules, results) | {"invocations": [invocation]})


def _left_out(waived: int, cut: int) -> list[dict[str, Any]]:
    texts = [count("outputs.left_waived", waived)] if waived else []
    texts += [count("outputs.left_cut", cut)] if cut else []
    return [{"level": "note", "message": message(text)} for text in texts]


def _located(
    verdict: VerdictRecord, index: Mapping[str, int], place: PolicyPlace
) -> dict[str, Any]:
    path, line = place.line_of(verdict)
    location = {"physicalLocation": in_repository(path, {"startLine": line})}
    return {"ruleId": verdict.check, "ruleIndex": index[verdict.check], "locations": [location]}


def _result(result: Result, verdict: VerdictRecord, finding: Finding | None) -> dict[str, Any]:
    if finding is None:
        level = level_of(verdict.severity, verdict.status)
        text = shortened(text_without_finding(verdict), MAX_TEXT)
        return {"kind": "fail", "level": level, "message": message(text)}
    whole = of_finding(result, verdict, finding)
    hashes = {
        FINGERPRINT: finding.fingerprint,
        "primaryLocationLineHash": f"{finding.fingerprint[:32]}:1",
    }
    kept = ("kind", "level", "occurrenceCount", "properties")
    return {key: whole[key] for key in kept} | {
        "message": message(shortened(_text(finding), MAX_TEXT)),
        "partialFingerprints": hashes,
    }


def _text(finding: Finding) -> str:
    recipient = recipient_of(finding.columns)[0]
    text = text_of(finding)
    if recipient and recipient not in text:
        text += "\n" + say("outputs.recipient", recipient=recipient)
    return text
