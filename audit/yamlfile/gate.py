"""``gate.yaml``: which verdicts let a pipeline go on."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, StrictInt

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


class Compare(Part):
    """What an earlier result, the baseline, changes."""

    baseline: Text | None = None
    """Its ``result.json``, relative to the gate file; ``None``: as the call says."""
    new_only: Flag = False
    """Whether violations that the baseline already had are listed, not blocking. What ``require``
    demands stays demanded."""
    coverage_loss: Literal["block", "warn"] = "block"
    """What follows where the baseline had proven more."""
    removed_checks: Literal["block", "warn"] = "block"
    """What follows where the baseline had a stable check that is gone, or stable no more."""


def _digits(value: object) -> object:
    """Read ``50_000_000``: for YAML 1.2 it is text, for whoever writes it a number."""
    if isinstance(value, str) and re.fullmatch(r"[1-9][0-9]{0,2}(_[0-9]{3}){1,5}", value):
        return int(value)
    return value


class Limits(Part):
    """How much work is done: rows, not seconds, so no verdict depends on the machine's load."""

    rows_a_check: Annotated[StrictInt, BeforeValidator(_digits), Field(ge=1)] = 50_000_000
    """Most rows of evidence tables that one check reads, over all captures."""


Waivable = Literal["info", "low", "medium", "high"]
"""Severities that a gate may let be waived; critical is none of them."""


class WaiverRules(Part):
    """Which waivers count."""

    file: Text | None = None
    """Relative to the gate file."""
    max_days: Annotated[StrictInt, Field(ge=1, le=366)] = 90
    """Longest life of a waiver, days; a year is the most that a gate can allow."""
    approver_differs: Flag = True
    """Whether owner and approver must be two."""
    unused: Literal["warn", "ignore"] = "warn"
    allow_for: tuple[Waivable, ...] = ("low", "medium", "high")


class AttestationRules(Part):
    """Where attestations stand."""

    file: Text | None = None
    """Relative to the gate file."""


class GateFile(Part):
    """The whole of ``gate.yaml``."""

    schema_: Literal["audit/gate@1"] = Field(default=SCHEMA, alias="schema")
    fail_on: FailOn = FailOn()
    require: Require = Require()
    compare: Compare = Compare()
    limits: Limits = Limits()
    waivers: WaiverRules = WaiverRules()
    attestations: AttestationRules = AttestationRules()
