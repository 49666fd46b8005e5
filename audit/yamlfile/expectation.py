"""The assertions of a check: a union told apart by its key ``assert``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictStr

from audit.tables.vocabulary import Severity
from audit.yamlfile.shape import Column, Condition, Count, Name, OrVariable, Part, Text


class _Assertion(Part):
    id: Name
    """Name within the check."""
    message: Text
    """Sentence for a finding; ``{column}`` stands for the row's value."""
    severity: Severity | None = None
    """Of its findings; ``None``: the check's."""
    identity: list[Column] | None = None
    """Columns that tell findings apart; ``None``: the table's usual ones."""


class NoneOf(_Assertion):
    """No row of ``from`` that meets ``where`` meets ``match``."""

    assert_: Literal["none"] = Field(alias="assert")
    """Which assertion."""
    from_: StrictStr = Field(alias="from")
    """Table."""
    where: Condition | None = None
    """Which of its rows count; absent: all."""
    match: Condition
    """What none, or every one, of them may meet."""


class Every(_Assertion):
    """Each row of ``from`` that meets ``where`` meets ``match``."""

    assert_: Literal["every"] = Field(alias="assert")
    """Which assertion."""
    from_: StrictStr = Field(alias="from")
    """Table."""
    where: Condition | None = None
    """Which of its rows count; absent: all."""
    match: Condition
    """What none, or every one, of them may meet."""


class Some(_Assertion):
    """At least ``min`` rows of ``from`` that meet ``where`` meet ``match``."""

    assert_: Literal["some"] = Field(alias="assert")
    """Which assertion."""
    from_: StrictStr = Field(alias="from")
    """Table."""
    where: Condition | None = None
    """Which of its rows count; absent: all."""
    match: Condition | None = None
    """What they must meet."""
    min: OrVariable[Annotated[Count, Field(ge=1)]] = 1
    """Least rows."""


class Uniform(_Assertion):
    """Within each group of rows, ``field`` has one value (absent counts as a value)."""

    assert_: Literal["uniform"] = Field(alias="assert")
    """Which assertion."""
    from_: StrictStr = Field(alias="from")
    """Table."""
    where: Condition | None = None
    """Which of its rows count; absent: all."""
    group_by: list[Column] = Field(min_length=1)
    """Columns that make a group."""
    field: Column
    """Column with one value a group."""


class Side(Part):
    """One side of a join."""

    from_: StrictStr = Field(alias="from")
    """Table."""
    where: Condition | None = None
    """Which of its rows count."""
    key: Column
    """Column that is compared."""


class NoJoin(_Assertion):
    """No ``right.key`` equals a ``left.key``; absent keys equal nothing."""

    assert_: Literal["no_join"] = Field(alias="assert")
    """Which assertion."""
    left: Side
    """Rows whose keys must not come back."""
    right: Side
    """Rows in which they must not."""
    identity: list[Annotated[StrictStr, Field(pattern=r"^(left|right)\.[a-z]")]] | None = None
    """``left.column`` or ``right.column``."""


Expectation = Annotated[NoneOf | Every | Some | Uniform | NoJoin, Field(discriminator="assert_")]
