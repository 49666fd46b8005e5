"""The assertions of a check: a union told apart by its key ``assert``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictStr

from audit.tables.vocabulary import Severity
from audit.yamlfile.shape import Column, Condition, Count, Name, OrVariable, Part, Text


class _Assertion(Part):
    id: Name
    message: Text
    """Sentence for a finding; ``{column}`` stands for the row's value."""
    severity: Severity | None = None
    """Of its findings; ``None``: the check's."""
    identity: list[Column] | None = None
    """Columns that tell findings apart; ``None``: the table's usual ones."""


class NoneOf(_Assertion):
    """No row of ``from`` that meets ``where`` meets ``match``."""

    assert_: Literal["none"] = Field(alias="assert")
    from_: StrictStr = Field(alias="from")
    where: Condition | None = None
    match: Condition


class Every(_Assertion):
    """Each row of ``from`` that meets ``where`` meets ``match``."""

    assert_: Literal["every"] = Field(alias="assert")
    from_: StrictStr = Field(alias="from")
    where: Condition | None = None
    match: Condition


class Some(_Assertion):
    """At least ``min`` rows of ``from`` that meet ``where`` meet ``match``."""

    assert_: Literal["some"] = Field(alias="assert")
    from_: StrictStr = Field(alias="from")
    where: Condition | None = None
    match: Condition | None = None
    min: OrVariable[Annotated[Count, Field(ge=1)]] = 1


class Uniform(_Assertion):
    """Within each group of rows, ``field`` has one value (absent counts as a value)."""

    assert_: Literal["uniform"] = Field(alias="assert")
    from_: StrictStr = Field(alias="from")
    where: Condition | None = None
    group_by: list[Column] = Field(min_length=1)
    field: Column


class Side(Part):
    """One side of a join."""

    from_: StrictStr = Field(alias="from")
    where: Condition | None = None
    key: Column


class NoJoin(_Assertion):
    """No ``right.key`` equals a ``left.key``; absent keys equal nothing."""

    assert_: Literal["no_join"] = Field(alias="assert")
    left: Side
    right: Side
    identity: list[Annotated[StrictStr, Field(pattern=r"^(left|right)\.[a-z]")]] | None = None


Expectation = Annotated[NoneOf | Every | Some | Uniform | NoJoin, Field(discriminator="assert_")]
