"""What lies over a verdict, in words: waivers over findings, attestations over what nobody saw."""

from __future__ import annotations

from typing import Any, Final

from audit.model.result import Finding, Result, VerdictRecord
from audit.report.dispositions import attestation_of
from audit.report.json import without_nothing
from audit.report.texts import say

IN_FORCE: Final = "in force"
_STATUS: Final = {IN_FORCE: "accepted", "not yet in force": "underReview"}
"""State of a waiver -> status of a SARIF suppression; anything else is ``rejected``."""


def is_waived(finding: Finding | None) -> bool:
    """Whether a waiver that is in force covers a finding; none covers a fail that lists none."""
    return finding is not None and IN_FORCE in finding.waivers.values()


def suppressions_of(result: Result, finding: Finding) -> list[dict[str, Any]]:
    """Return the waivers of a finding as SARIF suppressions (§3.35); an expired one is rejected."""
    return [
        without_nothing(
            {
                "kind": "external",
                "status": _STATUS.get(state, "rejected"),
                "justification": word_of_waiver(result, name, state),
                "properties": {"id": name, "state": state},
            }
        )
        for name, state in finding.waivers.items()
    ]


def word_of_waiver(result: Result, name: str, state: str) -> str:
    """Return a waiver in one sentence: whose, why, until when."""
    said = next((one for one in result.gate.waivers if one.get("id") == name), {})
    values = {key: said.get(key) or "–" for key in ("owner", "approved_by", "expires")}
    reason = _sentence(str(said.get("reason") or "–"))
    return say("outputs.waiver", id=name, state=state, reason=reason, **values)


def word_of_attestation(verdict: VerdictRecord) -> str:
    """Return the attestation in one sentence; ``''`` where there is none."""
    said = attestation_of(verdict)
    if not said:
        return ""
    by, until = said.get("by"), said.get("valid_until")
    if said.get("expired"):
        return say("outputs.attestation_expired", by=by, until=until)
    return say("outputs.attested", by=by, until=until)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
