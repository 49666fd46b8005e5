"""What lies over a verdict, in words: waivers over findings, attestations over what nobody saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from audit.model.result import Finding, VerdictRecord
from audit.report.sarif_log import without_nothing
from audit.report.texts import say
from audit.report.visible import visible

IN_FORCE: Final = "in force"
_STATUS: Final = {IN_FORCE: "accepted", "not yet in force": "underReview"}
"""State of a waiver -> status of a SARIF suppression; anything else is ``rejected``."""


def is_waived(finding: Finding) -> bool:
    """Whether a waiver that is in force covers a finding."""
    return IN_FORCE in finding.waivers.values()


def suppressions_of(verdict: VerdictRecord, finding: Finding) -> list[dict[str, Any]]:
    """Return the waivers of a finding as SARIF suppressions (§3.35); an expired one is rejected."""
    return [
        without_nothing(
            {
                "kind": "external",
                "status": _STATUS.get(state, "rejected"),
                "justification": visible(text) if text else None,
                "properties": {"id": name, "state": state},
            }
        )
        for name, state in finding.waivers.items()
        for text in [word_of_waiver(verdict, name, state)]
    ]


def word_of_waiver(verdict: VerdictRecord, name: str, state: str) -> str:
    """Return a waiver in one sentence: whose, why, until when; ``''`` where nothing is known."""
    said = verdict.disposition or {}
    ids = said.get("ids")
    if said.get("kind") != "waiver" or not isinstance(ids, Sequence) or name not in ids:
        return ""
    place = list(ids).index(name)
    return say(
        "outputs.waiver",
        id=name,
        state=state,
        reason=_sentence(_nth(said, "reasons", place)),
        owner=_nth(said, "owners", place),
        approved_by=_nth(said, "approved_by", place),
        expires=_nth(said, "expires", place),
    )


def word_of_attestation(verdict: VerdictRecord) -> str:
    """Return the attestation in one sentence; ``''`` where there is none."""
    said = verdict.disposition or {}
    if said.get("kind") != "attestation":
        return ""
    by, until = said.get("by"), said.get("valid_until")
    if said.get("expired"):
        return say("outputs.attestation_expired", by=by, until=until)
    return say("outputs.attested", by=by, until=until)


def _nth(said: Mapping[str, Any], key: str, place: int) -> str:
    values = said.get(key)
    if isinstance(values, Sequence) and place < len(values):
        return str(values[place])
    return "–"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
