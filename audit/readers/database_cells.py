"""The cells of one column as one run of bytes, and which of them hold an address, a mail, ...

Nothing is asked of a cell by itself: where dots, colons and signs stand is asked of all bytes at
once, and only what could be an address is looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from audit.readers.logfields import mails_in, person_address

SEPARATOR: Final = b'"\n"'
"""Between cells: as if each were a quoted string, so that no encoded text goes on in the next."""
Rows = NDArray[np.int64]
_DOT, _COLON = 46, 58
_V4: Final = re.compile(
    rb"(?<![\w./%-])(?!0+\.|127\.|22[4-9]\.|23\d\.)"
    rb"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)"
    rb"(?![\w%-]|\.\w|/\d*[a-zA-Z.])"
)
"""An IPv4 address that may be a person's: none of loopback, nobody or a group (RFC 6890, 5771)."""
_V6: Final = re.compile(rb"[0-9A-Fa-f:]{2,39}(?:\.\d{1,3}){0,3}")
_MAC: Final = re.compile(rb"(?<![\w:-])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![\w:-])")
_HEX: Final = re.compile(rb"[0-9A-Fa-f]+\Z")
DIGEST_SIZES: Final = frozenset({32, 40, 56, 64, 96, 128})
"""Hexadecimal digits of MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512."""
_SAMPLE: Final = 200


@dataclass(slots=True)
class Cells:
    """A column of one batch."""

    data: bytes
    """All cells, :data:`SEPARATOR` between them."""
    starts: Rows
    """Where each begins."""
    ends: Rows

    @property
    def filled(self) -> NDArray[np.bool_]:
        """Which cells hold anything."""
        return self.ends > self.starts

    def cell(self, row: int) -> bytes:
        """Return one cell."""
        return self.data[self.starts[row] : self.ends[row]]

    def rows_of(self, positions: Sequence[int] | Rows) -> Rows:
        """Return in which cells positions lie."""
        found: Rows = np.searchsorted(self.starts, np.asarray(positions), side="right") - 1
        return found

    def each(self) -> list[bytes]:
        """Return the cells one by one."""
        bounds = zip(self.starts.tolist(), self.ends.tolist(), strict=True)
        return [self.data[start:end] for start, end in bounds]


def make_cells(values: Sequence[object]) -> Cells:
    """Join the values of a column: texts as UTF-8, bytes as they are, the rest as text."""
    kinds = set(map(type, values))
    if kinds <= {str, type(None)}:
        texts = [value or "" for value in values] if type(None) in kinds else values
        joined = SEPARATOR.decode().join(texts)  # type: ignore[arg-type]
        if joined.isascii():
            return _cells(joined.encode(), list(map(len, texts)))  # type: ignore[arg-type]
    if kinds == {int}:
        numbers = list(map(str, values))
        return _cells(SEPARATOR.decode().join(numbers).encode(), list(map(len, numbers)))
    if kinds == {bytes, type(None)}:
        values = [value or b"" for value in values]
    parts = [value if type(value) is bytes else as_bytes(value) for value in values]
    return _cells(SEPARATOR.join(parts), list(map(len, parts)))


def _cells(data: bytes, sizes: list[int]) -> Cells:
    lengths = np.asarray(sizes, dtype=np.int64)
    ends = np.cumsum(lengths + len(SEPARATOR)) - len(SEPARATOR)
    return Cells(data=data, starts=ends - lengths, ends=ends)


def as_bytes(value: object) -> bytes:
    """Return a value as the bytes to search; nothing for NULL."""
    if value is None:
        return b""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str).encode("utf-8", "surrogatepass")
    return str(value).encode("utf-8", "surrogatepass")


def mails(cells: Cells) -> Iterator[tuple[int, bytes]]:
    """Yield row and e-mail address for each that stands in a cell."""
    data = cells.data
    if b"@" not in data and b"%40" not in data:
        return
    found = list(mails_in(data))
    rows = cells.rows_of([start for start, _ in found])
    for row, (start, end) in zip(rows.tolist(), found, strict=True):
        yield row, data[start:end]


def addresses(cells: Cells) -> Iterator[tuple[int, bytes]]:
    """Yield row and text for each address of IPv4 or IPv6 that may be a person's."""
    letters = np.frombuffer(cells.data, dtype=np.uint8)
    found = [*_v4(cells.data, letters), *_v6(cells.data, letters)]
    rows = cells.rows_of([start for start, _ in found])
    for row, (_, text) in zip(rows.tolist(), found, strict=True):
        yield row, text


def _v4(data: bytes, letters: NDArray[np.uint8]) -> list[tuple[int, bytes]]:
    """Find three dots close together with digits around them, and look there."""
    dots = np.flatnonzero(letters == _DOT)
    if len(dots) < 3:
        return []
    first = dots[:-2]
    near = (dots[2:] - first <= 8) & (first > 0)
    first = first[near]
    digit = (letters >= 48) & (letters <= 57)
    first = first[digit[first - 1] & digit[np.minimum(first + 1, len(letters) - 1)]]
    found: list[tuple[int, bytes]] = []
    done = -1
    for dot in first.tolist():
        for start in range(max(dot - 3, 0), dot):
            match = _V4.match(data, start) if start > done else None
            if match:
                found.append((start, match[0]))
                done = match.end()
                break
    return found


def _v6(data: bytes, letters: NDArray[np.uint8]) -> list[tuple[int, bytes]]:
    """Find two colons side by side, or seven close together, and look there."""
    colons = np.flatnonzero(letters == _COLON)
    marks = colons[:-1][np.diff(colons) == 1]
    if len(colons) >= 7:
        marks = np.concatenate((marks, colons[:-6][colons[6:] - colons[:-6] <= 30]))
    found: list[tuple[int, bytes]] = []
    done = -1
    for mark in sorted(marks.tolist()):
        if mark < done:
            continue
        start = mark
        while start > max(mark - 34, 0) and data[start - 1 : start] in _HEX_SIGNS:
            start -= 1
        match = _V6.match(data, start)
        if match and _stands_alone(data, start, match.end()) and person_address(match[0]):
            found.append((start, match[0]))
            done = match.end()
    return found


_HEX_SIGNS: Final = frozenset(bytes([letter]) for letter in b"0123456789abcdefABCDEF:")


def _stands_alone(data: bytes, start: int, end: int) -> bool:
    """Whether no word goes on around a range, and digits tell it from a name of code."""
    before, after = data[max(start - 1, 0) : start], data[end : end + 1]
    return not (before.isalnum() or after.isalnum()) and any(map(_is_digit, data[start:end]))


def _is_digit(letter: int) -> bool:
    return 48 <= letter <= 57


def hardware(cells: Cells) -> Rows:
    """Return the rows that hold a hardware address."""
    data = cells.data
    if data.count(b":") < 5 and data.count(b"-") < 5:
        return _NONE
    letters = np.frombuffer(data, dtype=np.uint8)
    hits: list[int] = []
    for sign in (_COLON, 45):
        marks = np.flatnonzero(letters == sign)
        if len(marks) >= 5:
            even = marks[:-4][(marks[4:] - marks[:-4] == 12) & (np.diff(marks)[:-3] == 3)]
            hits += [mark for mark in even.tolist() if mark >= 2 and _MAC.match(data, mark - 2)]
    return cells.rows_of(sorted(hits))


_NONE: Final[Rows] = np.empty(0, dtype=np.int64)


def agents(cells: Cells) -> Rows:
    """Return the rows that hold the user agent of a browser: it says ``Mozilla/``."""
    if b"Mozilla/" not in cells.data:
        return _NONE
    return cells.rows_of([found.start() for found in re.finditer(rb"Mozilla/\d", cells.data)])


def are_digests(cells: Cells) -> bool:
    """Whether a column's values are hexadecimal digests, or raw ones, all of one size."""
    sizes = (cells.ends - cells.starts)[cells.filled]
    if not len(sizes) or sizes.min() != sizes.max():
        return False
    size = int(sizes[0])
    rows = np.flatnonzero(cells.filled)[:_SAMPLE].tolist()
    sample = [cells.cell(row) for row in rows]
    if size in DIGEST_SIZES:
        return all(_HEX.match(cell) for cell in sample) and not all(map(bytes.isdigit, sample))
    return size * 2 in DIGEST_SIZES and all(_is_raw(cell) for cell in sample)


def _is_raw(cell: bytes) -> bool:
    return not cell.isascii() and len(set(cell)) > len(cell) // 2


def binary_rows(cells: Cells) -> list[int]:
    """Return the rows whose cell is no text in UTF-8."""
    if _is_utf8(cells.data) and not _CONTROL.search(cells.data):
        return []
    found = []
    for row in np.flatnonzero(cells.filled).tolist():
        cell = cells.cell(row)
        if _CONTROL.search(cell) or not _is_utf8(cell):
            found.append(row)
    return found


_CONTROL: Final = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")


def _is_utf8(cell: bytes) -> bool:
    try:
        cell.decode()
    except UnicodeDecodeError:
        return False
    return True
