"""``attestations.yaml``: what somebody vouches for where nothing can be observed."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field, model_validator

from audit.yamlfile.shape import DottedName, Moment, Part, Text
from audit.yamlfile.units import parse_time

SCHEMA: Final = "audit/attestations@1"


class Attestation(Part):
    """One statement; it never becomes a pass and lapses by itself."""

    check: DottedName
    statement: Text
    by: Text
    role: Text
    signed: Moment
    valid_until: Moment
    evidence: list[Text] = Field(default_factory=list)

    @model_validator(mode="after")
    def _in_order(self) -> Attestation:
        if parse_time(self.valid_until) <= parse_time(self.signed):
            raise ValueError("'valid_until' must lie after 'signed'")
        return self


class AttestationsFile(Part):
    """The whole of ``attestations.yaml``."""

    schema_: Literal["audit/attestations@1"] = Field(alias="schema")
    attestations: list[Attestation]
