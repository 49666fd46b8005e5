"""Waivers and attestations, laid over verdicts; they never change one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from audit.checks.truth import TRUE
from audit.gate.rules import GateRules, LoadedAttestation, LoadedWaiver
from audit.model.outcome import Outcome
from audit.model.result import Finding, VerdictRecord
from audit.yamlfile.units import parse_time

State = Literal["in force", "expired", "not yet in force"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The moments that decide what is in force."""

    as_of: datetime
    """Moment of judging."""
    recorded: datetime | None = None
    """End of the latest recording; ``None``: not known. What had lapsed before it was made is
    lapsed, whatever moment of judging a call names."""

    @property
    def latest(self) -> datetime:
        """Moment that things lapse by."""
        return self.as_of if self.recorded is None else max(self.as_of, self.recorded)


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    """A verdict with what lies over it."""

    verdict: VerdictRecord
    """With its ``disposition`` filled in."""
    open: tuple[Finding, ...]
    """Findings that no waiver covers, or only one that is not yet in force."""
    lapsed: tuple[Finding, ...]
    """Findings that only an expired waiver covers."""
    covers: Mapping[str, int]
    """Waiver -> findings that it covers, were it in force."""
    expired: tuple[str, ...] = ()
    """Ids of the expired waivers among them."""
    attestation: LoadedAttestation | None = None
    """Attestation of the check that lasts longest, if nothing could be observed."""
    is_attested: bool = False
    """Whether that attestation is in force."""


def lay(verdict: VerdictRecord, rules: GateRules, clock: Clock) -> Laid:
    """Lay the waivers and attestations of its check over a verdict."""
    waivers = [item for item in rules.waivers if item.file.check == verdict.check]
    findings = [_told(finding, waivers, clock) for finding in verdict.findings]
    covers = Counter(name for finding in findings for name in finding.waivers)
    states = [set(finding.waivers.values()) for finding in findings]
    attestation = _attestation(verdict, rules.attestations, clock)
    attested = (
        attestation is not None and attestation.is_entitled and attestation.lapses > clock.latest
    )
    used = [item for item in waivers if covers[item.file.id]]
    disposition: dict[str, Any] | None = None
    if used:
        covered = sum("in force" in state for state in states)
        disposition = _waived(used, covered, verdict, clock)
    elif attestation is not None:
        disposition = _attested(attestation, clock)
    pairs = list(zip(findings, states, strict=True))
    return Laid(
        verdict=verdict.model_copy(update={"disposition": disposition, "findings": findings}),
        open=tuple(one for one, state in pairs if not state & {"in force", "expired"}),
        lapsed=tuple(one for one, state in pairs if "expired" in state and "in force" not in state),
        covers=dict(covers),
        expired=tuple(item.file.id for item in used if state_of(item, clock) == "expired"),
        attestation=attestation,
        is_attested=attested,
    )


def state_of(waiver: LoadedWaiver, clock: Clock) -> State:
    """Return whether a waiver is in force."""
    if parse_time(waiver.file.expires) <= clock.latest:
        return "expired"
    return "in force" if parse_time(waiver.file.created) <= clock.as_of else "not yet in force"


def _told(finding: Finding, waivers: Sequence[LoadedWaiver], clock: Clock) -> Finding:
    """Return a finding with the waivers that cover it, and the state of each."""
    row: dict[str, object] = {**finding.columns}
    states = {item.file.id: state_of(item, clock) for item in waivers if item.where.of(row) == TRUE}
    return finding.model_copy(update={"waivers": dict(sorted(states.items()))})


def _attestation(
    verdict: VerdictRecord, attestations: Sequence[LoadedAttestation], clock: Clock
) -> LoadedAttestation | None:
    """Return the attestation that lasts longest of those signed, by somebody entitled if any."""
    if verdict.outcome is not Outcome.NOT_OBSERVABLE:
        return None
    signed = [
        item
        for item in attestations
        if item.file.check == verdict.check and parse_time(item.file.signed) <= clock.as_of
    ]
    return max(signed, key=lambda item: (item.is_entitled, item.lapses), default=None)


def _waived(
    waivers: Sequence[LoadedWaiver], covered: int, verdict: VerdictRecord, clock: Clock
) -> dict[str, Any]:
    waivers = sorted(waivers, key=lambda item: item.file.id)
    files = [item.file for item in waivers]
    expired = [item.file.id for item in waivers if state_of(item, clock) == "expired"]
    return {
        "kind": "waiver",
        "ids": [file.id for file in files],
        "covers": f"{covered} of {len(verdict.findings)} findings",
        "reasons": [file.reason for file in files],
        "owners": [file.owner for file in files],
        "approved_by": [file.approved_by for file in files],
        "expires": [file.expires for file in files],
        "expired": expired,
        "issues": [file.issue for file in files if file.issue],
    }


def _attested(attestation: LoadedAttestation, clock: Clock) -> dict[str, Any]:
    file = attestation.file
    lapses = attestation.lapses
    return {
        "kind": "attestation",
        "statement": file.statement,
        "by": file.by,
        "role": file.role,
        "signed": file.signed,
        "valid_until": lapses.date().isoformat() if attestation.is_shortened else file.valid_until,
        "expired": lapses <= clock.latest,
        "entitled": attestation.is_entitled,
        "evidence": list(file.evidence),
    }
