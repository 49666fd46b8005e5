"""What the lists that a device itself keeps have in common: who was contacted, and no more.

Their rows are conversations of transport ``metadata-only`` seen by the tap ``device``. The names in
them are searched, because a name can carry an identifier; there is nothing else to search.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from audit.readers.endpoint import is_address, plain_address
from audit.readers.http_message import host_name
from audit.readers.inputkind import ReadOptions
from audit.readers.textlines import LineProblems, text_lines
from audit.tables.extract import Extract, Payload
from audit.tables.frames import Row
from audit.tables.reference import Reference
from audit.tables.vocabulary import CLAIMED, Location

LISTED: Final = "listed"
"""``host_basis`` of a name that the file itself states."""
_NAME_LIMIT: Final = 1024
"""Characters of a name; DNS has 253 (RFC 1035)."""


@dataclass(slots=True)
class Listing:
    """Collects the rows of one list."""

    options: ReadOptions
    extract: Extract = field(default_factory=Extract)
    problems: LineProblems = field(init=False)

    def __post_init__(self) -> None:
        self.problems = LineProblems(self.options.file, self.extract)

    def lines(self, path: Path) -> Iterator[tuple[int, bytes]]:
        """Yield the lines of the file with their numbers."""
        return text_lines(path, self.problems, self.extract)

    def common(self, number: int) -> Row:
        """Return the columns that every row of traffic has."""
        return {
            "capture": self.options.capture,
            "ref": str(Reference(file=self.options.file, records=(number,))),
            "taps": ("device",),
            "layer": 0,
        }

    def add(self, table: str, row: Row, line: bytes, number: int, location: Location) -> None:
        """Add a row, and hand the name in it to the search."""
        index = self.extract.add(table, row)
        data = str(row.get("name") or row.get("host") or "").encode("utf-8", "surrogateescape")
        if not data:
            return
        start = max(line.lower().find(data), 0)
        ref = Reference(file=self.options.file, records=(number,))
        self.extract.payloads.append(
            Payload(
                table=table,
                row=index,
                location=location,
                detail="",
                direction="sent",
                data=data,
                ref=ref.at(start, start + len(data)),
            )
        )

    def finish(self, *, rows: int) -> Extract:
        """Return everything; raises :class:`CaptureError` where no line could be read."""
        self.problems.finish(rows=rows)
        return self.extract


def server_columns(text: str, *, is_guess: bool = False) -> Row:
    """Return ``host``, ``host_basis`` and ``responder_ip`` of a name or address.

    Raises ``ValueError`` for an empty text and for one that is neither.
    """
    text = text.strip()
    if not text or len(text) > _NAME_LIMIT or any(character.isspace() for character in text):
        raise ValueError("it names no server")
    bare = text.removeprefix("[").removesuffix("]")
    if is_address(bare):
        return {"host": None, "responder_ip": plain_address(bare)}
    host = host_name(text)
    if host is None:
        raise ValueError("it names no server")
    return {"host": host, "host_basis": CLAIMED if is_guess else LISTED, "responder_ip": None}


def user_id(number: int) -> int | None:
    """Return the user id of an Android app; ``None`` for what is none (-1: not known)."""
    return number if 0 <= number < 1 << 31 else None
