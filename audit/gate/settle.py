"""The last step to a result: the gate decides, and every finding is told old or new."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from audit.checks.messages import shorten
from audit.errors import PolicyError
from audit.gate.compare import Compared, Comparison, Difference, compare
from audit.gate.coverage import redacted
from audit.gate.decide import decide
from audit.gate.dispositions import Clock
from audit.gate.rules import GateRules
from audit.model.reading import read_result
from audit.model.result import Result, VerdictRecord
from audit.yamlfile.units import parse_time

MOST_LISTED: Final = 1000
"""Entries of each list of what differs from a baseline, at most; findings are counted besides."""

_LONGEST: Final = 400

Redact = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """An earlier result of the same client."""

    result: Result
    name: str
    """File as the user named it, for errors."""


def read_baseline(path: Path, policy: str, target: str) -> Baseline:
    """Read the earlier result; raises :class:`PolicyError` where it is of something else."""
    baseline = Baseline(result=read_result(path), name=str(path))
    for what, mine, its in (
        ("policy", policy, baseline.result.policy.id),
        ("target", target, str(baseline.result.target.get("name"))),
    ):
        if mine != its:
            raise PolicyError(
                f"the baseline is of another {what}: {its[:80]!r}, not {mine!r}",
                source=baseline.name,
                hint="name a result of the same policy and target; 'audit diff' compares any two",
            )
    return baseline


def settle(
    draft: Result,
    rules: GateRules,
    as_of: datetime,
    exercised: float | None,
    baseline: Baseline | None,
    redact: Redact,
    *,
    exit_zero: bool = False,
) -> Result:
    """Return a result with its gate, its dispositions and what a baseline says of it.

    ``draft`` holds the verdicts as they were judged. ``exit_zero``: the caller asked for exit
    code 0 whatever the gate says; the gate still says it.
    """
    comparison = None if baseline is None else compare(baseline.result, draft)
    clock = Clock(as_of=as_of, recorded=recorded_until(draft))
    decision = decide(draft.verdicts, rules, clock, exercised, comparison)
    gate = decision.gate.model_copy(update={"exit_zero": exit_zero})
    verdicts = list(decision.verdicts)
    if comparison is None:
        if rules.gate.compare.new_only:
            notes = [*gate.reasons, "no baseline was given: every finding counts as new"]
            gate = gate.model_copy(update={"reasons": notes})
        return draft.model_copy(update={"verdicts": verdicts, "gate": gate})
    gate = gate.model_copy(update={"reasons": [*gate.reasons, *_same_captures(comparison)]})
    old = {(one.verdict.check, one.finding.fingerprint) for one in comparison.kept}
    return draft.model_copy(
        update={
            "verdicts": [_told(verdict, old) for verdict in verdicts],
            "gate": gate,
            "baseline": _described(comparison, redact),
        }
    )


def recorded_until(result: Result) -> datetime | None:
    """Return when the latest capture ended, UTC, where the manifests say it."""
    found = []
    for capture in result.captures:
        for text in (capture.started_at, capture.ended_at):
            try:
                found.append(parse_time(text))
            except ValueError:
                continue
    return max(found, default=None)


def _told(verdict: VerdictRecord, old: Container[tuple[str, str]]) -> VerdictRecord:
    findings = [
        one.model_copy(
            update={"baseline": "unchanged" if (verdict.check, one.fingerprint) in old else "new"}
        )
        for one in verdict.findings
    ]
    return verdict.model_copy(update={"findings": findings})


def _same_captures(comparison: Comparison) -> list[str]:
    """Say that a recording compared with itself shows nothing new."""
    digests = [{one.digest for one in side.captures} for side in (comparison.old, comparison.new)]
    if not digests[0] & digests[1]:
        return []
    return ["the baseline is of the same recordings: nothing in them can be new"]


def _described(comparison: Comparison, redact: Redact) -> dict[str, Any]:
    """Return ``Result.baseline``: what it was, and what it had that is not there any more."""
    old = comparison.old
    known = {one.check for one in comparison.new.verdicts}
    described: dict[str, Any] = redacted(
        {
            "as_of": _short(old.as_of),
            "tool": _short(f"{old.tool.name} {old.tool.version}"),
            "policy_sha256": _short(old.policy.sha256),
            "captures": [
                {"id": _short(one.id), "digest": _short(one.digest)}
                for one in old.captures[:MOST_LISTED]
            ],
            "exit_code": old.gate.exit_code,
            "outcomes": {
                verdict.check: verdict.outcome for verdict in old.verdicts if verdict.check in known
            },
            "new": len(comparison.added),
            "unchanged": len(comparison.kept),
            "fixed": len(comparison.fixed),
            "not_seen": len(comparison.not_seen),
            "absent": [absent_data(one) for one in comparison.absent[:MOST_LISTED]],
            "coverage_loss": losses_data(comparison),
            "removed_checks": [
                {"check": _short(one.check), "why": one.why}
                for one in comparison.removed_checks[:MOST_LISTED]
            ],
            "added_checks": list(comparison.added_checks),
            "policy_drift": changes_data(comparison.drift),
            "changed_checks": changes_data(comparison.changed_checks),
            "differences": changes_data(comparison.differences),
        },
        redact,
    )
    return described


def absent_data(one: Compared) -> dict[str, Any]:
    """Return a finding of the older result as plain data."""
    return {
        "check": _short(one.verdict.check),
        "severity": _short(one.finding.severity),
        "fingerprint": _short(one.finding.fingerprint),
        "message": _short(one.finding.message),
        "fixed": one.doubt is None,
        "doubt": one.doubt,
    }


def losses_data(comparison: Comparison) -> list[dict[str, str]]:
    """Return the checks that prove less as plain data."""
    return [
        {"check": one.check, "before": one.before, "after": one.after, "text": one.text}
        for one in comparison.losses
    ]


def changes_data(changes: Iterable[Difference]) -> list[dict[str, str]]:
    """Return differences as plain data, at most :data:`MOST_LISTED`."""
    return [
        {"what": _short(one.what), "before": _short(one.before), "after": _short(one.after)}
        for one in islice(changes, MOST_LISTED)
    ]


def _short(text: str) -> str:
    """Cut a text of the older result: whoever wrote it does not decide how long this one is."""
    return shorten(text, _LONGEST)
