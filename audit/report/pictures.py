"""The pictures of a report as values: timeline, matrix and flow of data, not yet drawn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of time, as shares of the recording's length (0 to 1)."""

    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One recipient's line of the timeline."""

    recipient: str
    alt: str
    """The line in words."""
    spans: tuple[Span, ...]
    findings: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """An action on the timeline."""

    at: float
    number: int
    """Of the action in its recording."""
    name: str
    after: str
    """Time since the start, in words."""
    anchor: str | None
    """Where the action and its packets stand."""
    row: int
    """0 to 2: line of its number, so that close ones do not lie on one another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """One recording in time."""

    capture: str
    length: str
    ticks: tuple[Tick, ...]
    lanes: tuple[Lane, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixCell:
    """How often a recipient got one kind of identifier."""

    count: int
    anchor: str | None
    """The finding; ``None``: seen, and no finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRow:
    """One recipient, or all servers of one role, on the wire or inside the onion."""

    recipient: str
    note: str
    """How many servers, whether inside the onion; empty: nothing to add."""
    cells: tuple[MatrixCell | None, ...]
    """One a kind; ``None``: never seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Recipients by kinds of identifier."""

    kinds: tuple[str, ...]
    rows: tuple[MatrixRow, ...]
    is_complete: bool
    """Drawn from all hits, not from the findings alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A box of the flow of data; lengths in units of the picture."""

    x: float
    y: float
    height: float
    label: str
    note: str
    is_accused: bool
    """Whether a finding is about what it got."""
    anchor: str | None
    """Its first finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ribbon:
    """A band between two boxes of the flow of data."""

    path: str
    """In the language of SVG paths."""
    is_accused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Data from client to recipients to owners, drawn for one width."""

    width: int
    height: int
    box: float
    """Width of a box."""
    columns: tuple[tuple[float, str], ...]
    """Place and heading of each column."""
    nodes: tuple[Node, ...]
    ribbons: tuple[Ribbon, ...]
    alt: str
    """The picture in words."""
