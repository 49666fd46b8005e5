"""What the cells of a column hold: by what stands in them, in what they pack, and by name."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from audit.readers.database_access import Column
from audit.readers.database_cells import (
    Cells,
    Rows,
    addresses,
    agents,
    are_digests,
    binary_rows,
    hardware,
    mails,
    make_cells,
)
from audit.readers.database_roles import kind_by_name
from audit.readers.logfields import snake

EMAIL: Final = "email"
ADDRESS: Final = "address"
SEALED: Final = "sealed"
"""Kind of a value that no decoder explains: it may hold anything."""
_SERVER_SIDE: Final = re.compile(
    r"(^|_)(server|upstream|listen|local|dest|destination|origin|edge|backend)(_|$)"
)
_VERSION: Final = re.compile(r"(^|_)version(_|$)")
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}\Z")
_MAX_PACKED: Final = 1 << 20
"""Bytes of one cell that are unpacked."""
_LOOKED_AT: Final = 50


@dataclass(slots=True)
class Found:
    """What the cells of one column of one batch hold."""

    kinds: dict[str, Rows] = field(default_factory=dict)
    """Kind -> rows that hold it; a row may be named twice."""
    mails: list[tuple[int, bytes]] = field(default_factory=list)
    """Row and address."""
    binary: list[int] = field(default_factory=list)
    """Rows whose cell is no text."""


@dataclass(slots=True)
class ColumnReader:
    """Reads one column, batch by batch."""

    column: Column
    own: frozenset[bytes] = frozenset()
    """Addresses of the party's own machines."""
    cut: int = 0
    """Cells of which a bound left out a part."""
    _named: str | None = field(init=False)
    _is_own: bool = field(init=False)

    def __post_init__(self) -> None:
        self._named = kind_by_name(self.column.name)
        name = snake(self.column.name)
        self._is_own = bool(_SERVER_SIDE.search(name) or _VERSION.search(name))

    def read(self, cells: Cells) -> Found:
        """Tell what the cells hold."""
        found = Found()
        self._plain(cells, found, None)
        found.binary = binary_rows(cells)
        packed = dict(self._packed(cells, found.binary))
        if packed:
            rows = np.array(list(packed), dtype=np.int64)
            self._plain(make_cells(list(packed.values())), found, rows)
        self._by_look(cells, found)
        if self._named and self._named not in found.kinds:
            rows = np.flatnonzero(cells.filled)
            if len(rows):
                found.kinds[self._named] = rows
        return found

    def _plain(self, cells: Cells, found: Found, rows: Rows | None) -> None:
        """Look for what stands as such; ``rows``: which rows the cells are of."""
        mail = list(mails(cells))
        if mail:
            at = _through(np.array([row for row, _ in mail], dtype=np.int64), rows)
            found.mails += [(row, text) for row, (_, text) in zip(at.tolist(), mail, strict=True)]
            _add(found, EMAIL, at)
        if not self._is_own:
            hosts = [row for row, text in addresses(cells) if text not in self.own]
            _add(found, ADDRESS, _through(np.array(hosts, dtype=np.int64), rows))
        _add(found, "mac", _through(hardware(cells), rows))
        _add(found, "user_agent", _through(agents(cells), rows))

    def _by_look(self, cells: Cells, found: Found) -> None:
        """Tell digests, and what no decoder explains."""
        if EMAIL not in found.kinds and are_digests(cells):
            kind = self._named if self._named and self._named.endswith("digest") else "digest"
            if "mail" in snake(self.column.name):
                kind = "email_digest"
            _add(found, kind, np.flatnonzero(cells.filled))
        elif found.binary and self._is_sealed(cells, found.binary):
            _add(found, SEALED, np.array(found.binary, dtype=np.int64))

    @staticmethod
    def _is_sealed(cells: Cells, binary: list[int]) -> bool:
        from audit.identifiers.content import classify_content

        looked = [cells.cell(row) for row in binary[:_LOOKED_AT]]
        sealed = sum(classify_content(cell[:65536]) == "opaque" for cell in looked)
        return sealed * 2 >= len(looked)

    def _packed(self, cells: Cells, binary: list[int]) -> Iterator[tuple[int, bytes]]:
        """Yield row and inside of each cell that is base64, gzip or zlib as a whole."""
        for row in binary:
            inside = self._inflate(cells.cell(row))
            if inside:
                yield row, inside
        rows = _like_base64(cells)
        if not rows or are_digests(cells):
            return
        for row in rows:
            cell = cells.cell(row)
            if _BASE64.match(cell):
                data = self._decode(cell)
                if data:
                    yield row, self._inflate(data) or data

    def _decode(self, cell: bytes) -> bytes | None:
        if len(cell) > _MAX_PACKED:
            self.cut += 1
        text = cell[:_MAX_PACKED].rstrip(b"=").translate(_URL_SAFE)
        text = text[: len(text) // 4 * 4 + (len(text) % 4 if len(text) % 4 > 1 else 0)]
        try:
            return base64.b64decode(text + b"=" * (-len(text) % 4))
        except binascii.Error:
            return None

    def _inflate(self, data: bytes) -> bytes | None:
        if data[:2] != b"\x1f\x8b" and data[:1] != b"\x78":
            return None
        unpacker = zlib.decompressobj(47)
        try:
            inside = unpacker.decompress(data, _MAX_PACKED)
        except zlib.error:
            return None
        if unpacker.unconsumed_tail:
            self.cut += 1
        return inside


_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")


def _like_base64(cells: Cells) -> list[int]:
    """Return the rows whose cell is long enough for base64 and has its letters alone."""
    rows = np.flatnonzero(cells.ends - cells.starts >= 16)
    if not len(rows):
        return []
    alphabet = _IS_BASE64[np.frombuffer(cells.data, dtype=np.uint8)]
    wrong = np.concatenate(([0], np.cumsum(~alphabet)))
    clean: list[int] = rows[wrong[cells.ends[rows]] == wrong[cells.starts[rows]]].tolist()
    return clean


_IS_BASE64: Final = np.zeros(256, dtype=bool)
_IS_BASE64[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-=")] = True


def _through(found: Rows, rows: Rows | None) -> Rows:
    return found if rows is None else rows[found]


def _add(found: Found, kind: str, rows: Rows) -> None:
    if not len(rows):
        return
    known = found.kinds.get(kind)
    found.kinds[kind] = rows if known is None else np.concatenate((known, rows))
