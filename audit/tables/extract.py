"""What a reader gives: rows, the bytes to search, and what it could not keep."""

from __future__ import annotations

from dataclasses import dataclass, field

from audit.tables.frames import Row
from audit.tables.reference import Reference
from audit.tables.vocabulary import Direction, Location


@dataclass(slots=True, kw_only=True)
class Payload:
    """A run of captured bytes that the identifier search goes over.

    It belongs to one row, from which a hit takes recipient, role, layer, process, phase and time.
    """

    table: str
    row: int
    """Index of the owning row in ``Extract.rows[table]``."""
    location: Location
    detail: str
    """Header or cookie name, query key, ...; ``''`` where the location says it all."""
    direction: Direction
    data: bytes
    """The bytes as captured (still content-encoded, still percent-encoded)."""
    ref: Reference
    """Points at the part that ``data`` is; ``ref.start`` (or 0): offset of ``data[0]`` in it."""
    content_encoding: tuple[str, ...] = ()
    """Declared encodings, in the order they were applied, such as ``('gzip',)``."""
    content_type: str | None = None
    """Declared media type; bodies are sniffed as well."""
    seams: tuple[int, ...] = ()
    """Offsets at which parts were joined that are searched alone as well: only hits across one
    count. Empty: every hit counts."""
    also: Reference | None = None
    """The same bytes in the other tap; ``None``: one tap has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unplaced:
    """An exchange of an archive, and what tells the conversation that carried it."""

    record: str
    """Reference to its record: the rows of the exchange begin with it."""
    host: str | None
    address: str | None
    """Address of the server; ``None``: the file does not say."""
    port: int
    ts: str | None
    """Start of the exchange, UTC."""
    duration_s: float = 0.0
    opened: bool | None = None
    """Whether it opened its connection; ``None``: the file does not say."""
    connection: str | None = None
    """What the file calls the connection: the same for all exchanges that it carried; ``None``:
    nothing, or a word that is none (such as the server's port)."""
    is_quic: bool = False


@dataclass(slots=True, kw_only=True)
class Extract:
    """Everything that one reader made of one file."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    """Table name -> rows, in file order."""
    payloads: list[Payload] = field(default_factory=list)
    truncated: list[str] = field(default_factory=list)
    """What was cut or left out, one sentence each: blocks a pass."""
    unread: list[tuple[Direction, str]] = field(default_factory=list)
    """Bodies of single messages that were cut, one sentence each: blocks what reads bodies."""
    limits: list[str] = field(default_factory=list)
    """Remarks that the report prints, one sentence each."""
    dropped: int = 0
    """Packets dropped by the kernel, as the file says."""
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Address -> names that the file itself states (pcapng name resolution blocks)."""

    legs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Conversation as the proxy has it -> 5-tuples that carried it beside: client to an explicit
    proxy, proxy to server."""
    unplaced: list[Unplaced] = field(default_factory=list)
    """Exchanges of which the file names no conversation."""

    def add(self, table: str, row: Row) -> int:
        """Append a row and return its index, which payloads name."""
        rows = self.rows.setdefault(table, [])
        rows.append(row)
        return len(rows) - 1
