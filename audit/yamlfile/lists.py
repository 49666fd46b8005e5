"""``lists/*.yaml``: a named set of values with its source and date."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from audit.yamlfile.shape import Name, Part, Text

SCHEMA: Final = "audit/list@1"


class Entry(Part):
    """One value, such as a host with everything below it."""

    value: Text
    owner: Text | None = None
    purpose: Text | None = None
    source: Text | None = None


class ListFile(Part):
    """The whole of a list."""

    schema_: Literal["audit/list@1"] = Field(alias="schema")
    id: Name
    title: Text | None = None
    source: Text
    """Where the values come from."""
    date: Text
    """Day they were taken, ISO 8601."""
    entries: list[Entry] = Field(min_length=1)
