"""Waivers and attestations, laid over verdicts; they never change one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.checks.truth import TRUE
from audit.gate.rules import GateRules, LoadedWaiver
from audit.model.outcome import Outcome
from audit.model.result import Finding, VerdictRecord
from audit.yamlfile.attestations import Attestation
from audit.yamlfile.units import parse_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    """A verdict with what lies over it."""

    verdict: VerdictRecord
    """With its ``disposition`` filled in."""
    open: tuple[Finding, ...]
    """Findings that no waiver covers."""
    lapsed: tuple[Finding, ...]
    """Findings that only an expired waiver covers."""
    used: frozenset[str]
    """Ids of the waivers that cover a finding, expired ones included."""
    attestation: Attestation | None = None
    """Latest attestation of the check, if nothing could be observed."""
    is_attested: bool = False
    """Whether that attestation is in force."""


def lay(verdict: VerdictRecord, rules: GateRules, as_of: datetime) -> Laid:
    """Lay the waivers and attestations of its check over a verdict."""
    waivers = [item for item in rules.waivers if item.file.check == verdict.check]
    covering = {finding.fingerprint: _covering(finding, waivers) for finding in verdict.findings}
    valid = {
        key: [item for item in found if is_valid(item, as_of)] for key, found in covering.items()
    }
    attestation = _attestation(verdict, rules.attestations, as_of)
    attested = attestation is not None and parse_time(attestation.valid_until) > as_of
    used = {item.file.id: item for found in covering.values() for item in found}
    disposition: dict[str, Any] | None = None
    if used:
        covered = sum(bool(found) for found in valid.values())
        disposition = _waived([used[name] for name in sorted(used)], covered, verdict, as_of)
    elif attestation is not None:
        disposition = _attested(attestation, attested)
    return Laid(
        verdict=verdict.model_copy(update={"disposition": disposition}),
        open=tuple(f for f in verdict.findings if not covering[f.fingerprint]),
        lapsed=tuple(
            f for f in verdict.findings if covering[f.fingerprint] and not valid[f.fingerprint]
        ),
        used=frozenset(used),
        attestation=attestation,
        is_attested=attested,
    )


def is_valid(waiver: LoadedWaiver, as_of: datetime) -> bool:
    """Whether a waiver is in force."""
    return parse_time(waiver.file.created) <= as_of < parse_time(waiver.file.expires)


def _covering(finding: Finding, waivers: Sequence[LoadedWaiver]) -> list[LoadedWaiver]:
    return [item for item in waivers if item.where.of(dict(finding.columns)) == TRUE]


def _attestation(
    verdict: VerdictRecord, attestations: Sequence[Attestation], as_of: datetime
) -> Attestation | None:
    """Return the attestation that lasts longest of those already signed."""
    if verdict.outcome is not Outcome.NOT_OBSERVABLE:
        return None
    signed = [
        item
        for item in attestations
        if item.check == verdict.check and parse_time(item.signed) <= as_of
    ]
    return max(signed, key=lambda item: parse_time(item.valid_until), default=None)


def _waived(
    waivers: Sequence[LoadedWaiver], covered: int, verdict: VerdictRecord, as_of: datetime
) -> dict[str, Any]:
    files = [item.file for item in waivers]
    expired = [item.file.id for item in waivers if not is_valid(item, as_of)]
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


def _attested(attestation: Attestation, is_in_force: bool) -> dict[str, Any]:
    return {
        "kind": "attestation",
        "statement": attestation.statement,
        "by": attestation.by,
        "role": attestation.role,
        "signed": attestation.signed,
        "valid_until": attestation.valid_until,
        "expired": not is_in_force,
        "evidence": list(attestation.evidence),
    }
