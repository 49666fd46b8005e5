"""``checks/*.yaml``: one check of one clause (the check language, schema ``audit/check@1``)."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field, StrictStr, model_validator

from audit.tables.vocabulary import Action, Capability, Platform, Severity
from audit.yamlfile.expectation import Expectation
from audit.yamlfile.shape import (
    Column,
    Condition,
    Count,
    Day,
    DottedName,
    Duration,
    Name,
    OrVariable,
    Part,
    Ratio,
    Text,
)

SCHEMA: Final = "audit/check@1"

Outcomes = Literal["fail", "not_observable", "inconclusive", "pass", "not_applicable"]


class ClauseLink(Part):
    """The sentence that the check tests, and how it reads it."""

    policy: Annotated[StrictStr, Field(pattern=r"^[a-z0-9][a-z0-9_-]*(@[a-z0-9][a-z0-9_-]*)?$")]
    """Id of the policy, or ``id@edition``."""
    id: DottedName
    quote: Text
    """Verbatim."""
    reading: Text
    """The auditor's testable paraphrase."""
    discloses: Text | None = None
    """What the same policy says openly about what may look like a violation."""


class Scope(Part):
    """Where the check applies."""

    platforms: list[Platform] = Field(min_length=1)


class Observe(Part):
    """A capability that the evidence must have."""

    capability: Capability
    where: Condition | None = None
    """``transport.opened`` only: the conversations that count."""
    min_ratio: OrVariable[Ratio] | None = None
    """``transport.opened`` only: least share opened; absent: 1.0."""
    min: OrVariable[Count] | None = None
    """``identifiers.planted`` only: least kinds that the check searches for; absent: 1."""
    source: Text | None = None
    """``server.*`` only: name of the source."""
    hint: Text | None = None


class Exercise(Part):
    """Something that must have happened, or silence proves nothing."""

    id: Name
    actions: OrVariable[list[Action]] | None = None
    age_gte: OrVariable[Duration] | None = Field(default=None, alias="age|gte")
    """Every action was done at least this long before the run's ``as_of``."""
    from_: StrictStr | None = Field(default=None, alias="from")
    where: Condition | None = None
    min: OrVariable[Count] | None = None
    max: OrVariable[Count] | None = None
    distinct: Column | None = None
    """Count the different values of this column rather than rows."""
    hint: Text | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Exercise:
        rows = (self.where, self.min, self.max, self.distinct)
        if (self.actions is None) == (self.from_ is None):
            raise ValueError("an exercise has either 'actions' or 'from'")
        if self.from_ is None and any(item is not None for item in rows):
            raise ValueError("'where', 'min', 'max' and 'distinct' belong to 'from'")
        if self.from_ is not None and self.age_gte is not None:
            raise ValueError(
                "'age|gte' belongs to 'actions'; for rows write 'ts|age|gte' in 'where'"
            )
        return self


class Unsure(Part):
    """Rows that make the answer uncertain."""

    from_: StrictStr = Field(alias="from")
    where: Condition
    because: Text


class Report(Part):
    """Rows that are shown and not scored."""

    id: Name
    title: Text
    from_: StrictStr = Field(alias="from")
    where: Condition | None = None
    columns: list[Column] = Field(min_length=1)


class Attest(Part):
    """Who could say what cannot be seen."""

    question: Text
    by: list[Text] = Field(min_length=1)
    valid_for: Duration
    needs: list[Text] = Field(default_factory=list)


class ExampleRow(Part):
    """A row of an example: columns by name, the rest from the columns' defaults."""

    model_config = Part.model_config | {"extra": "allow"}
    repeat: Annotated[int, Field(strict=True, ge=1, le=100_000)] = 1


class Example(Part):
    """An example of a check: evidence in, verdict out."""

    name: Text
    actions: OrVariable[list[Action]] = Field(default_factory=list)
    history: dict[Action, Duration] = Field(default_factory=dict)
    """Action -> how long ago it was done."""
    rows: dict[StrictStr, list[ExampleRow]] = Field(default_factory=dict)
    without: list[Capability] = Field(default_factory=list)
    planted: list[Name] | None = None
    """Kinds of identifier that the subject has; ``None``: all."""
    vars: dict[StrictStr, Any] = Field(default_factory=dict)
    """Values of settable variables, as a target would set them."""
    verdict: Outcomes
    hits: Count | None = None
    """Number of findings."""
    reported: dict[StrictStr, Count] = Field(default_factory=dict)
    """Report id -> rows."""


class CheckFile(Part):
    """The whole of a check."""

    schema_: Literal["audit/check@1"] = Field(alias="schema")
    id: DottedName
    title: Text
    version: Annotated[StrictStr, Field(pattern=r"^\d+\.\d+\.\d+$")]
    severity: Severity
    status: Literal["experimental", "stable", "deprecated"] = "stable"
    clause: ClauseLink
    scope: Scope | None = None
    observe: list[Observe] = Field(min_length=1)
    opaque: Literal["block", "limit"] = "block"
    exercise: list[Exercise] = Field(min_length=1)
    expect: list[Expectation] = Field(min_length=1)
    unsure: list[Unsure] = Field(default_factory=list)
    report: list[Report] = Field(default_factory=list)
    attest: Attest | None = None
    procedure: Text | None = None
    reviewed: Day | None = None
    """Day on which somebody last read check and document side by side."""
    max_survivors: Count = 0
    """Mutants that no example need notice; each place is better excused by a comment there."""
    references: list[Text] = Field(default_factory=list)
    remediation: Text | None = None
    tags: list[Text] = Field(default_factory=list)
    tests: list[Example] = Field(min_length=1)
