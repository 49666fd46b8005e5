"""``checks/*.yaml``: one check of one clause (the check language, schema ``audit/check@1``)."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    StrictStr,
    Tag,
    WithJsonSchema,
    model_validator,
)

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


_SOURCED: Final = re.compile(r"server\.(logs|records|config):[a-z0-9][a-z0-9_-]{0,79}")


def _sourced(text: str) -> str:
    if not _SOURCED.fullmatch(text):
        raise ValueError("one source of a server reads 'server.logs:name'")
    return text


Absent = Annotated[
    Annotated[Capability, Tag("word")]
    | Annotated[
        StrictStr,
        AfterValidator(_sourced),
        WithJsonSchema({"type": "string", "pattern": f"^{_SOURCED.pattern}$"}),
        Tag("sourced"),
    ],
    Discriminator(lambda value: "sourced" if ":" in str(value) else "word"),
]
"""A capability that an example lacks; ``server.logs:seed`` is what servers keep, of one source."""


class ClauseLink(Part):
    """The sentence that the check tests, and how it reads it."""

    policy: Annotated[StrictStr, Field(pattern=r"^[a-z0-9][a-z0-9_-]*(@[a-z0-9][a-z0-9_-]*)?$")]
    """Id of the policy, or ``id@edition``."""
    id: DottedName
    """Id of the clause in ``policy.yaml``."""
    quote: Text
    """Verbatim."""
    reading: Text
    """The auditor's testable paraphrase."""
    discloses: Text | None = None
    """What the same policy says openly about what may look like a violation."""


class Scope(Part):
    """Where the check applies."""

    platforms: list[Platform] = Field(min_length=1)
    """Any of them."""


class Observe(Part):
    """A capability that the evidence must have."""

    capability: Capability
    """See the vocabulary of capabilities."""
    where: Condition | None = None
    """``transport.opened`` only: the conversations that count."""
    min_ratio: OrVariable[Ratio] | None = None
    """``transport.opened`` only: least share opened; absent: 1.0."""
    min: OrVariable[Count] | None = None
    """``identifiers.planted`` only: least kinds that the check searches for; absent: 1."""
    source: Text | None = None
    """``server.*`` only: name of the source."""
    hint: Text | None = None
    """What to do where it is lacking."""


class Exercise(Part):
    """Something that must have happened, or silence proves nothing."""

    id: Name
    """Name within the check."""
    actions: OrVariable[list[Action]] | None = None
    """All of them, each confirmed by somebody other than the client."""
    age_gte: OrVariable[Duration] | None = Field(default=None, alias="age|gte")
    """Every action was done at least this long before the run's ``as_of``."""
    from_: StrictStr | None = Field(default=None, alias="from")
    """Table whose rows are counted."""
    where: Condition | None = None
    """Condition on those rows."""
    min: OrVariable[Count] | None = None
    """Least rows; absent: 1."""
    max: OrVariable[Count] | None = None
    """Most rows."""
    distinct: Column | None = None
    """Count the different values of this column rather than rows."""
    hint: Text | None = None
    """What to do where it is not met."""

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
    """Table."""
    where: Condition
    """Condition on its rows."""
    because: Text
    """Why they leave the answer open."""


class Report(Part):
    """Rows that are shown and not scored."""

    id: Name
    """Name within the check."""
    title: Text
    """Heading in the report."""
    from_: StrictStr = Field(alias="from")
    """Table."""
    where: Condition | None = None
    """Condition on its rows."""
    columns: list[Column] = Field(min_length=1)
    """What is shown of each."""


class Attest(Part):
    """Who could say what cannot be seen."""

    question: Text
    """What they would have to answer."""
    by: list[Text] = Field(min_length=1)
    """Who: operator, vendor, processor, or a name."""
    valid_for: Duration
    """How long an answer holds."""
    needs: list[Text] = Field(default_factory=list)
    """What must come with it."""


class ExampleRow(Part):
    """A row of an example: columns by name, the rest from the columns' defaults."""

    model_config = Part.model_config | {"extra": "allow"}
    repeat: Annotated[int, Field(strict=True, ge=1, le=100_000)] = 1
    """The row stands that often."""


class Example(Part):
    """An example of a check: evidence in, verdict out."""

    name: Text
    """What it shows."""
    actions: OrVariable[list[Action]] = Field(default_factory=list)
    """Done and confirmed."""
    history: dict[Action, Duration] = Field(default_factory=dict)
    """Action -> how long ago it was done."""
    rows: dict[StrictStr, list[ExampleRow]] = Field(default_factory=dict)
    """Table -> rows; columns that are left out have their defaults."""
    without: list[Absent] = Field(default_factory=list)
    """Capabilities that are absent; all others are there. ``server.logs:seed`` is one source's."""
    platform: Platform | None = None
    """Platform of the client; absent: the first in scope."""
    planted: list[Name] | None = None
    """Kinds of identifier that the subject has; ``None``: all."""
    vars: dict[StrictStr, Any] = Field(default_factory=dict)
    """Values of settable variables, as a target would set them."""
    verdict: Outcomes
    """What the check must say."""
    hits: Count | None = None
    """Number of findings."""
    reported: dict[StrictStr, Count] = Field(default_factory=dict)
    """Report id -> rows."""


class CheckFile(Part):
    """The whole of a check."""

    schema_: Literal["audit/check@1"] = Field(alias="schema")
    """Language and version."""
    id: DottedName
    """Global, dotted, beginning with the policy's id."""
    title: Text
    """What holds when it passes."""
    version: Annotated[StrictStr, Field(pattern=r"^\d+\.\d+\.\d+$")]
    """Of this check; a changed reading is a new one."""
    severity: Severity
    """How much a violation weighs."""
    status: Literal["experimental", "stable", "deprecated"] = "stable"
    """``experimental`` and ``deprecated`` checks never gate."""
    clause: ClauseLink
    """The sentence that it tests."""
    scope: Scope | None = None
    """Platforms that it is judged on; absent: all."""
    observe: list[Observe] = Field(min_length=1)
    """Capabilities that the evidence must have, or the check is not observable."""
    opaque: Literal["block", "limit"] = "block"
    """``block``: content that nothing can read forbids a pass; ``limit``: it is printed."""
    exercise: list[Exercise] = Field(min_length=1)
    """What must have happened, or the check is inconclusive."""
    expect: list[Expectation] = Field(min_length=1)
    """Assertions; a row that violates one is a failure."""
    unsure: list[Unsure] = Field(default_factory=list)
    """Rows that forbid a pass."""
    report: list[Report] = Field(default_factory=list)
    """Rows that are shown and not scored."""
    attest: Attest | None = None
    """Who can vouch where nothing can be observed."""
    procedure: Text | None = None
    """How somebody could test it by hand."""
    reviewed: Day | None = None
    """Day on which somebody last read check and document side by side."""
    max_survivors: Count = 0
    """Mutants that no example need notice; each place is better excused by a comment there."""
    references: list[Text] = Field(default_factory=list)
    """Articles and outside standards that it bears on."""
    remediation: Text | None = None
    """How a violation is mended."""
    tags: list[Text] = Field(default_factory=list)
    """Words to find it by."""
    tests: list[Example] = Field(min_length=1)
    """Examples: evidence in, verdict out."""
