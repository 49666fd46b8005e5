"""``lists/*.yaml``: a named set of values with its source and date."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from audit.yamlfile.shape import Name, Part, Text

SCHEMA: Final = "audit/list@1"


class Entry(Part):
    """One value, such as a host with everything below it."""

    value: Text
    """A host with everything below it, or a text."""
    owner: Text | None = None
    """Whose it is."""
    purpose: Text | None = None
    """What it is for."""
    source: Text | None = None
    """Where that was read."""


class ListFile(Part):
    """The whole of a list."""

    schema_: Literal["audit/list@1"] = Field(alias="schema")
    """Language and version."""
    id: Name
    """Name of the list and of its file."""
    title: Text | None = None
    """What it lists."""
    source: Text
    """Where the values come from."""
    date: Text
    """Day they were taken, ISO 8601."""
    entries: list[Entry] = Field(min_length=1)
    """The values."""
