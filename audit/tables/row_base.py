"""Columns of every table, and the types of their values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from audit.tables.column import Column

Text = str | None
Number = int | None
Bool = bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonRow:
    """Columns of every table."""

    capture: Annotated[Text, Column("text", "id of the capture that the row comes from")]
    ref: Annotated[Text, Column("text", "where the bytes lie, see audit.tables.reference")]
    ts: Annotated[Text, Column("time", "when, UTC, by the clock of the tap or file; None: undated")]
    process: Annotated[Text, Column("text", "app, os, browser, control or unknown", "app")]
    process_basis: Annotated[Text, Column("text", "how the process is known, see ProcessBasis")]
    phase: Annotated[Text, Column("text", "phase of the journey at ts, by the journal", "steady")]
