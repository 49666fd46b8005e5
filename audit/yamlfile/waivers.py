"""``waivers.yaml``: violations that somebody answers for, until a day."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, StrictStr, model_validator

from audit.yamlfile.shape import Condition, DottedName, Moment, Part, Text
from audit.yamlfile.units import parse_time

SCHEMA: Final = "audit/waivers@1"


class Waiver(Part):
    """One waiver; it never changes a verdict."""

    id: Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    check: DottedName
    where: Condition
    """Condition over the findings' columns."""
    reason: Text
    owner: Text
    approved_by: Text
    created: Moment
    expires: Moment
    issue: Text | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Waiver:
        if parse_time(self.expires) <= parse_time(self.created):
            raise ValueError("'expires' must lie after 'created'")
        return self


class WaiversFile(Part):
    """The whole of ``waivers.yaml``."""

    schema_: Literal["audit/waivers@1"] = Field(alias="schema")
    waivers: list[Waiver]
