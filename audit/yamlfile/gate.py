"""``gate.yaml``: which verdicts let a pipeline go on."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, StrictInt

from audit.tables.vocabulary import Severity
from audit.yamlfile.shape import Flag, Part, Ratio, Text

SCHEMA: Final = "audit/gate@1"

Accepted = Literal["pass", "inconclusive", "not_observable", "not_observable+attested"]


class FailOn(Part):
    """Which violations block."""

    severity: Severity = "high"
    """Findings of this severity and above; lower ones are listed."""


class Require(Part):
    """What must be proven."""

    verdicts: dict[Severity, list[Accepted]] = Field(default_factory=dict)
    """Severity -> outcomes that are good enough for its checks."""
    min_exercised: Ratio | None = None
    """Least share of the actions that the applicable checks ask for."""


class WaiverRules(Part):
    """Which waivers count."""

    file: Text | None = None
    """Relative to the gate file."""
    max_days: Annotated[StrictInt, Field(ge=1)] = 90
    """Longest life of a waiver, days."""
    approver_differs: Flag = True
    """Whether owner and approver must be two."""
    unused: Literal["warn", "ignore"] = "warn"
    allow_for: tuple[Severity, ...] = ("low", "medium", "high")


class AttestationRules(Part):
    """Where attestations stand."""

    file: Text | None = None
    """Relative to the gate file."""


class GateFile(Part):
    """The whole of ``gate.yaml``."""

    schema_: Literal["audit/gate@1"] = Field(default=SCHEMA, alias="schema")
    fail_on: FailOn = FailOn()
    require: Require = Require()
    waivers: WaiverRules = WaiverRules()
    attestations: AttestationRules = AttestationRules()
