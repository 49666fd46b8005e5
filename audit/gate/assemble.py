"""Everything that was found, as the one value behind ``result.json``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from audit.bundle.manifest import Manifest
from audit.checks.policy import Policy, Target
from audit.gate.coverage import merge_coverage, redacted
from audit.model.outcome import worst
from audit.model.result import (
    CaptureRef,
    ClauseRecord,
    Gate,
    PolicyRef,
    Result,
    Tool,
    VerdictRecord,
)
from audit.tables.evidence import CaptureEvidence

TOOL = "privacy-audit"


def make_result(
    policy: Policy,
    target: Target,
    captures: Sequence[tuple[CaptureEvidence, Manifest | None]],
    verdicts: Sequence[VerdictRecord],
    reported: Sequence[dict[str, Any]],
    gate: Gate,
    as_of: datetime,
    tool_version: str,
    redact: Callable[[str], str],
) -> Result:
    """Return the result of a run.

    ``captures`` are the evidence and, for bundles, their manifests; the order does not matter. It
    holds no path of the machine, no random value, and no time but ``as_of`` and the captures' own.
    """
    ordered = sorted(captures, key=lambda pair: (pair[0].capture, pair[0].digest))
    evidence = [pair[0] for pair in ordered]
    return Result(
        as_of=as_of.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        tool=Tool(name=TOOL, version=tool_version),
        policy=PolicyRef(
            id=policy.id,
            title=policy.file.title,
            sha256=policy.sha256,
            text=policy.texts.get(policy.file.editions[0].id, ""),
        ),
        target=_target(target),
        captures=[capture_ref(one, manifest, redact) for one, manifest in ordered],
        coverage=merge_coverage(evidence, redact),
        clauses=list(clause_records(policy, verdicts)),
        verdicts=sorted(verdicts, key=lambda verdict: verdict.check),
        reported=sorted(reported, key=lambda entry: (str(entry["check"]), str(entry["id"]))),
        gate=gate,
    )


def _target(target: Target) -> dict[str, Any]:
    app = target.file.app
    return {
        "name": target.name,
        "title": app.title or app.name,
        "platform": app.platform,
        "is_official": app.official,
        "remark": app.remark,
    }


def capture_ref(
    evidence: CaptureEvidence, manifest: Manifest | None, redact: Callable[[str], str]
) -> CaptureRef:
    """Return what a result says of one capture; a bare file has no manifest."""
    client: dict[str, Any] = {}
    if manifest is not None:
        client = redacted(manifest.client.model_dump(mode="json"), redact)
    recording_pass: dict[str, Any] = {"pass": evidence.pass_}
    return CaptureRef(
        **recording_pass,
        id=evidence.capture,
        digest=evidence.digest,
        client=client,
        vantage=evidence.vantage,
        device=evidence.device,
        install=evidence.install,
        started_at=manifest.started_at if manifest else None,
        ended_at=manifest.ended_at if manifest else None,
        digests=dict(sorted(manifest.files.items())) if manifest else {},
        manifest=manifest.sha256 if manifest else None,
        stand_ins=manifest.stand_ins if manifest else False,
        ladder=[rung.model_dump(mode="json") for rung in manifest.ladder] if manifest else [],
        tools=dict(sorted(manifest.tools.items())) if manifest else {},
        truncated=[redact(text) for text in evidence.truncated],
        limits=[redact(text) for text in evidence.limits],
    )


def clause_records(policy: Policy, verdicts: Sequence[VerdictRecord]) -> Iterator[ClauseRecord]:
    """Yield every clause of the document, those without a check included.

    A clause takes the worst outcome of its stable checks.
    """
    for clause in policy.file.clauses:
        mine = sorted(
            (verdict for verdict in verdicts if verdict.clause == clause.id),
            key=lambda verdict: verdict.check,
        )
        yield ClauseRecord(
            id=clause.id,
            quote=clause.quote,
            section=clause.section,
            outcome=worst(verdict.outcome for verdict in mine if verdict.status == "stable"),
            checks=[verdict.check for verdict in mine],
            kind=clause.kind,
        )
