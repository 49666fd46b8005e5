"""``policy.yaml``: the document that makes the promises, pinned by digest, cut into clauses."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from audit.yamlfile.shape import DottedName, Flag, Name, Part, Sha256, Text

SCHEMA: Final = "audit/policy@1"


class Edition(Part):
    """One edition of the document."""

    id: Name
    text: Text
    """File with the text, relative to the policy's folder."""
    sha256: Sha256
    """Digest of that file's bytes: the text is pinned."""
    url: Text
    """Where it was published; ``unknown`` is a legal value."""
    retrieved: Text
    """Day of retrieval, ISO 8601; ``unknown`` is a legal value."""


class Clause(Part):
    """One sentence of the document that promises or discloses something."""

    id: DottedName
    section: Text
    """Heading it stands under."""
    quote: Text
    """Its exact words."""
    kind: Literal["promise", "disclosure"] = "promise"
    edition: Name | None = None
    """Edition that it is quoted from; ``None``: the first."""


class PolicyFile(Part):
    """The whole of ``policy.yaml``."""

    schema_: Literal["audit/policy@1"] = Field(alias="schema")
    id: Name
    title: Text
    default: Flag = False
    """Whether this policy is taken where none is named."""
    editions: list[Edition] = Field(min_length=1)
    clauses: list[Clause] = Field(min_length=1)
