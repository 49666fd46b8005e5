"""A result as SARIF 2.1.0, in full: every check speaks, by its kind.

Kinds (§3.27.9): ``pass``, ``fail``, ``open`` (inconclusive: too little information), ``review``
(not observable: a person must decide), ``notApplicable``, ``informational`` (disclosed, unscored).
A level other than ``none`` stands with ``fail`` alone (§3.27.10).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from audit.model.outcome import Outcome
from audit.model.result import Finding, Result, VerdictRecord
from audit.report.json import without_nothing
from audit.report.sarif_log import (
    FINGERPRINT,
    level_of,
    message,
    render_log,
)
from audit.report.sarif_places import Artifacts
from audit.report.sarif_rules import Taxonomies, rules_of
from audit.report.suppressions import suppressions_of, word_of_attestation
from audit.report.texts import count, say
from audit.report.verdicts import PSEUDONYM, recipient_of
from audit.report.wording import timestamp

_KINDS: Final = {
    Outcome.PASS: "pass",
    Outcome.FAIL: "fail",
    Outcome.INCONCLUSIVE: "open",
    Outcome.NOT_OBSERVABLE: "review",
    Outcome.NOT_APPLICABLE: "notApplicable",
}


def render_sarif(result: Result) -> bytes:
    """Return the log; one run, its results in the order of the verdicts."""
    artifacts = Artifacts(result.captures)
    taxonomies = Taxonomies(result)
    rules = rules_of(result.verdicts, taxonomies)
    results = [
        *_of_verdicts(result, artifacts, taxonomies),
        *_of_reported(result),
        *_of_absent(result),
    ]
    run = run_of(result, rules, results) | {
        "invocations": [invocation_of(result)],
        "artifacts": artifacts.all,
        "originalUriBaseIds": {
            capture.id: {"description": message(f"{capture.id}, sha256 {capture.digest}")}
            for capture in result.captures
        },
        "taxonomies": taxonomies.rendered(),
    }
    tokens = sorted(set(PSEUDONYM.findall(str(results))))
    return render_log(run | ({"redactionTokens": tokens} if tokens else {}))


def run_of(
    result: Result, rules: list[dict[str, Any]], results: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return what every run of this tool says; ``automationDetails`` tells targets apart."""
    target = str(result.target.get("name") or "")
    return {
        "tool": {
            "driver": {
                "name": result.tool.name,
                "version": result.tool.version,
                "rules": rules,
            }
        },
        "automationDetails": {"id": f"{result.tool.name}/{result.policy.id}/{target}/"},
        "columnKind": "unicodeCodePoints",
        "results": results,
        "properties": without_nothing(
            {
                "as_of": result.as_of,
                "policy": {"id": result.policy.id, "sha256": result.policy.sha256},
                "target": dict(result.target),
                "captures": [{"id": one.id, "digest": one.digest} for one in result.captures],
            }
        ),
    }


def invocation_of(result: Result) -> dict[str, Any]:
    """Return the run of the tool: its exit code, its moment of judging, what it could not see."""
    gaps = [text for capture in result.captures for text in (*capture.truncated, *capture.limits)]
    return without_nothing(
        {
            "executionSuccessful": True,
            "exitCode": 0 if result.gate.exit_zero else result.gate.exit_code,
            "exitCodeDescription": say(f"gate.{result.gate.exit_code}"),
            "endTimeUtc": timestamp(result.as_of),
            "toolExecutionNotifications": [
                {"level": "warning", "message": message(text)}
                for text in dict.fromkeys([*gaps, *result.coverage.truncated])
            ],
            "properties": {"gate": result.gate.model_dump(mode="json")},
        }
    )


def _of_verdicts(
    result: Result, artifacts: Artifacts, taxonomies: Taxonomies
) -> Iterator[dict[str, Any]]:
    states = _States(result)
    indices = _indices(result)
    for verdict in result.verdicts:
        rule = _rule(verdict.check, indices)
        if verdict.outcome is Outcome.FAIL and verdict.findings:
            taxa = taxonomies.of_verdict(verdict)
            for finding in verdict.findings:
                yield (
                    rule
                    | of_finding(result, verdict, finding)
                    | states.of_finding(finding)
                    | {
                        "locations": [artifacts.location(one) for one in finding.evidence],
                        "taxa": taxa + taxonomies.of_terms(finding.terms.items()),
                    }
                )
        else:
            yield rule | _without_finding(verdict) | states.of_check(verdict)


def of_finding(result: Result, verdict: VerdictRecord, finding: Finding) -> dict[str, Any]:
    """Return a violation without its places."""
    return {
        "kind": "fail",
        "level": level_of(finding.severity, verdict.status),
        "message": message(text_of(finding)),
        "occurrenceCount": max(1, finding.count),
        "partialFingerprints": {FINGERPRINT: finding.fingerprint},
        "suppressions": suppressions_of(result, finding),
        "properties": without_nothing(
            {
                "id": finding.id,
                "severity": finding.severity,
                "expectation": finding.expectation,
                "columns": dict(finding.columns),
                "recipient": recipient_of(finding.columns)[0],
                "terms": dict(finding.terms),
                "recordings": list(finding.recordings or ()),
                "clause": verdict.clause,
                "leaned_on": verdict.leaned_on,
            }
        ),
    }


def text_of(finding: Finding) -> str:
    """Return a finding in plain words: what, what was expected, how often, where to look."""
    lines = [f"{finding.message} ({count('outputs.times', finding.count)})"]
    if finding.expected:
        lines.append(say("outputs.expected", text=finding.expected))
    if finding.evidence:
        lines.append(_where(finding.evidence[0].locator, len(finding.evidence) - 1))
    return "\n".join(lines)


def _where(locator: str, more: int) -> str:
    if more:
        return say("outputs.evidence_more", locator=locator, n=more)
    return say("outputs.evidence", locator=locator)


def _without_finding(verdict: VerdictRecord) -> dict[str, Any]:
    kind = _KINDS[verdict.outcome]
    is_fail = verdict.outcome is Outcome.FAIL
    return {
        "kind": kind,
        "level": level_of(verdict.severity, verdict.status) if is_fail else "none",
        "message": message(text_without_finding(verdict)),
        "suppressions": [],
        "properties": without_nothing(
            {
                "severity": verdict.severity,
                "clause": verdict.clause,
                "reasons": [reason.model_dump(mode="json") for reason in verdict.reasons],
                "limits": verdict.limits,
                "exercised": verdict.exercised,
                "leaned_on": verdict.leaned_on,
                "attest": verdict.attest,
                "disposition": verdict.disposition,
            }
        ),
    }


def text_without_finding(verdict: VerdictRecord) -> str:
    """Return in words what a check says that lists no finding."""
    title = verdict.title
    lines = []
    match verdict.outcome:
        case Outcome.PASS:
            lines.append(say("outputs.passed", title=title))
        case Outcome.FAIL:
            lines.append(say("outputs.fail_without", title=title))
        case Outcome.NOT_APPLICABLE:
            lines.append(say("outputs.not_applicable", title=title))
        case Outcome.INCONCLUSIVE | Outcome.NOT_OBSERVABLE:
            reasons = "; ".join(reason.text for reason in verdict.reasons) or verdict.outcome.value
            lines.append(say("outputs.because", title=title, reasons=reasons))
            lines += [reason.hint for reason in verdict.reasons if reason.hint]
    if verdict.limits:
        lines.append(say("outputs.limits", limits="; ".join(verdict.limits)))
    if attested := word_of_attestation(verdict):
        lines.append(attested)
    return "\n".join(lines)


def _indices(result: Result) -> dict[str, int]:
    return {verdict.check: index for index, verdict in enumerate(result.verdicts)}


def _rule(check: str, indices: Mapping[str, int]) -> dict[str, Any]:
    """Return the reference to a check's rule; to one that an earlier result had by name alone."""
    return {"ruleId": check} | ({"ruleIndex": indices[check]} if check in indices else {})


def _of_reported(result: Result) -> Iterator[dict[str, Any]]:
    indices = _indices(result)
    compared = {} if result.baseline is None else {"baselineState": "unchanged"}
    for entry in result.reported:
        check, n = str(entry.get("check")), entry.get("count")
        rows = entry.get("rows")
        number = n if isinstance(n, int) else len(rows) if isinstance(rows, list) else 0
        text = count("outputs.disclosed", number, title=str(entry.get("title") or check))
        yield (
            _rule(check, indices)
            | compared
            | {
                "kind": "informational",
                "level": "none",
                "message": message(text),
                "suppressions": [],
                "properties": without_nothing(entry),
            }
        )


def _of_absent(result: Result) -> Iterator[dict[str, Any]]:
    """Yield what an earlier result had found and this one has not, as ``audit run`` lists it."""
    indices = _indices(result)
    absent = (result.baseline or {}).get("absent")
    for entry in absent if isinstance(absent, list) else ():
        if not isinstance(entry, dict):
            continue
        check, doubt = str(entry.get("check")), entry.get("doubt")
        text = str(entry.get("message"))
        text = (
            say("outputs.absent_doubt", message=text, doubt=doubt)
            if doubt
            else say("outputs.absent_fixed", message=text)
        )
        yield (
            _rule(check, indices)
            | {
                "kind": "fail",
                "level": level_of(str(entry.get("severity"))),
                "message": message(text),
                "baselineState": "absent",
                "partialFingerprints": {FINGERPRINT: str(entry.get("fingerprint"))},
                "suppressions": [],
                "properties": without_nothing({"fixed": entry.get("fixed"), "doubt": doubt}),
            }
        )


class _States:
    """``baselineState``: of every result where there is a baseline, else of none (§3.27.24)."""

    def __init__(self, result: Result) -> None:
        baseline = result.baseline
        self._is_compared = baseline is not None
        before = (baseline or {}).get("outcomes")
        self._before: Mapping[str, Any] | None = before if isinstance(before, Mapping) else None

    def of_finding(self, finding: Finding) -> dict[str, Any]:
        return {"baselineState": finding.baseline or "new"} if self._is_compared else {}

    def of_check(self, verdict: VerdictRecord) -> dict[str, Any]:
        if not self._is_compared:
            return {}
        before = None if self._before is None else self._before.get(verdict.check)
        if before is None:
            return {"baselineState": "new" if self._before is not None else "unchanged"}
        return {"baselineState": "unchanged" if before == verdict.outcome.value else "updated"}
