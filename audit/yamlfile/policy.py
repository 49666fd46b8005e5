"""``policy.yaml``: the document that makes the promises, pinned by digest, cut into clauses."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, StrictStr, model_validator

from audit.yamlfile.shape import DottedName, Duration, Flag, Name, Part, Sha256, Text, check_day

SCHEMA: Final = "audit/policy@1"


EVERYTHING: Final = "everything"
"""Word for all data, in what a clause states."""


def _day_or_unknown(text: str) -> str:
    return text if text == "unknown" else check_day(text)


class Edition(Part):
    """One edition of the document."""

    id: Name
    """Name within the policy."""
    text: Text
    """File with the text, relative to the policy's folder."""
    sha256: Sha256
    """Digest of that file's bytes: the text is pinned."""
    url: Text
    """Where it was published; ``unknown`` is a legal value."""
    retrieved: Annotated[StrictStr, AfterValidator(_day_or_unknown)]
    """Day of retrieval, ISO 8601; ``unknown`` is a legal value."""


class Statement(Part):
    """What a clause says about one kind of data, in words that can be compared (W208)."""

    kind: Literal["never", "storage", "deletion"]
    """``never``: it is not had at all; ``storage``: it is kept, for ``period`` or without end;
    ``deletion``: it is gone after ``period``."""
    data: Name
    """Kind of data, by any name that the policy's clauses share; ``everything`` stands for all."""
    period: Duration | None = None
    """How long."""

    @model_validator(mode="after")
    def _has_period(self) -> Statement:
        if self.kind == "deletion" and self.period is None:
            raise ValueError("a deletion names its 'period'")
        if self.kind == "never" and self.period is not None:
            raise ValueError("'never' has no 'period'")
        return self


class Clause(Part):
    """One sentence of the document that promises or discloses something."""

    id: DottedName
    """Fixed name: reports, gates and history refer to it."""
    section: Text
    """Heading it stands under."""
    quote: Text
    """Its exact words."""
    kind: Literal["promise", "disclosure"] = "promise"
    """What kind of sentence."""
    states: list[Statement] = Field(default_factory=list)
    """What it says of the life of data."""
    edition: Name | None = None
    """Edition that it is quoted from; ``None``: the first."""


class PolicyFile(Part):
    """The whole of ``policy.yaml``."""

    schema_: Literal["audit/policy@1"] = Field(alias="schema")
    """Language and version."""
    id: Name
    """Name of the policy and of its folder."""
    title: Text
    """Name as reports print it."""
    default: Flag = False
    """Whether this policy is taken where none is named."""
    editions: list[Edition] = Field(min_length=1)
    """Editions of the document; the first is meant where none is named."""
    clauses: list[Clause] = Field(min_length=1)
    """Sentences that promise or disclose something."""
