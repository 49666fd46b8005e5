"""Escaped text: percent (RFC 3986), source-code escapes, quoted-printable, HTML entities, UTF-16.

Each decoder keeps where every decoded byte came from, so that a hit points at the escaped bytes.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right, insort
from collections.abc import Callable, Iterator, Sequence
from html.entities import html5
from itertools import pairwise
from typing import Final

from audit.identifiers.cells import around, cells
from audit.identifiers.frames import BINARY, frames_of
from audit.identifiers.piece import Piece, Segments
from audit.identifiers.text import is_text

_PERCENT: Final = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")
_TELLING: Final = re.compile(rb"%(?:[01789A-Fa-f][0-9A-Fa-f]|3[C-Dc-d]|26|5[Bb])")
"""Encoded bytes of which a structure, or no text, may consist."""
_DELIMITERS: Final = bytes((*range(0x21), 0x7F)) + b"\"'<>&=?#(){}[],;|^`\\"
_STRUCTURE: Final = re.compile(rb"[=&{\[<]")
_FORM: Final = re.compile(rb"(?:%[0-9A-Fa-f]{2})+|\+")
_ESCAPE: Final = re.compile(
    rb"(?:\\u[0-9A-Fa-f]{4})+|\\u\{[0-9A-Fa-f]{1,6}\}|\\x[0-9A-Fa-f]{2}|\\[0-3][0-7]{2}"
    rb"|\\U[0-9A-Fa-f]{8}|\\[\"'\\/bfnrt0]"
)
_PERCENT_U: Final = re.compile(rb"(?:%u[0-9A-Fa-f]{4})+")
ENTITY: Final = re.compile(rb"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
"""A character reference of HTML."""
_UTF16: Final = {
    0: re.compile(rb"(?:[\t\n\r\x20-\xfe]\x00|(?<!\xfe)\xff\x00){3,}"),
    1: re.compile(rb"(?:\x00[\t\n\r\x20-\xff]){3,}"),
}
"""Offset of the letter in its two bytes -> stretches of such letters. FE FF is a mark."""
_UTF16_MARKS: Final = (b"", b"\xff\xfe", b"\xfe\xff")
MAX_RUNS: Final = 100_000
"""Stretches of UTF-16 in one piece that are decoded."""
_QUOTED: Final = re.compile(rb"(?:=[0-9A-F]{2})+|(?:=[0-9a-f]{2}){3,}|=[ \t]*\r?\n")
"""Quoted-printable: encoded bytes, and line ends that are none (RFC 2045 §6.7)."""
_NAME: Final = re.compile(rb"(?:\A|(?<=[\s&;,\"'>]))[A-Za-z_][A-Za-z0-9_.-]{0,40}=")
"""A name before a value, whose sign is none of quoted-printable."""
Replace = Callable[[bytes], list[tuple[bytes, int]]]
"""Escaped text -> the units it consists of: decoded bytes, and how long the escape is."""
DENSE: Final = 16
"""Bytes an escape, on average, under which all of a decoded piece is searched as new."""
_SIMPLE: Final = {
    b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"0": b"\0",
}  # fmt: skip


def decode_percent(piece: Piece, ends: Sequence[int]) -> Iterator[Piece]:
    """Decode percent-encoded text; forms are decoded field by field."""
    data = piece.data
    if piece.hint in ("form", "value"):
        return
    done = set()
    for start, end in cells(piece, ends):
        done.add((start, end))
        yield from _apply(piece, start, end, "percent", _PERCENT, _percent)
        if data.find(b"+", start, end) >= 0:  # a form where none was expected
            yield from _apply(piece, start, end, "percent", _FORM, _percent)
    for start, end in around(data, ends, _DELIMITERS):
        if (start, end) not in done and _TELLING.search(data, start, end):
            yield from _tokens(piece, start, end)


def _tokens(piece: Piece, start: int, end: int) -> Iterator[Piece]:
    """Decode by itself a stretch of a text whose percent-encoded content is no plain text."""
    for child in _apply(piece, start, end, "percent", _PERCENT, _percent):
        if not is_text(child.data) or _STRUCTURE.search(child.data):
            yield child


def decode_plus(piece: Piece, ends: Sequence[int]) -> Iterator[Piece]:
    """Decode ``+`` as a space in what looks like the value of a form."""
    if piece.hint not in ("form", "value"):
        for start, end in around(piece.data, ends, _DELIMITERS):
            yield from _apply(piece, start, end, "", _FORM, _percent)


def decode_escapes(piece: Piece, ends: Sequence[int]) -> Iterator[Piece]:
    r"""Decode ``\uXXXX``, ``\xXX``, ``\/`` and their like, field by field."""
    for start, end in cells(piece, ends, strings=True):
        yield from _apply(piece, start, end, "escaped", _ESCAPE, _escape)
        if piece.data.find(b"\\u00", start, end) >= 0:
            yield from _apply(piece, start, end, "escaped", _ESCAPE, _escape_bytes)


def decode_percent_u(piece: Piece, ends: Sequence[int]) -> Iterator[Piece]:
    """Decode ``%uXXXX``, as ECMAScript's ``escape`` writes it (ECMA-262, annex B)."""
    for start, end in cells(piece, ends):
        yield from _apply(piece, start, end, "escaped", _PERCENT_U, _escape)


def decode_quoted(piece: Piece, ends: Sequence[int]) -> Iterator[Piece]:
    """Decode quoted-printable text, soft line ends included."""
    for start, end in cells(piece, ends, entities=True):
        yield from _apply(piece, start, end, "escaped", _QUOTED, _quoted)
        names = [name.span() for name in _NAME.finditer(piece.data, start, end)]
        for (_, low), (high, _) in pairwise((*names, (end, end))):
            if bisect_right(ends, high) > bisect_right(ends, low):
                yield from _apply(piece, low, high, "escaped", _QUOTED, _quoted)


def decode_html(piece: Piece, ends: Sequence[int]) -> Iterator[Piece]:
    """Decode HTML and XML entities."""
    for start, end in cells(piece, ends, entities=True):
        yield from _apply(piece, start, end, "html", ENTITY, _entity)


def decode_utf16(piece: Piece, ends: Sequence[int]) -> Iterator[Piece]:  # noqa: ARG001
    """Decode stretches of UTF-16 (either byte order) whose letters are in Latin-1."""
    data = piece.data
    known = frames_of(piece)[:1]
    apart = bool(known) and known[0].name in BINARY
    if apart:
        known = []  # its fields are looked at by themselves, unless it only reads as a format
    fields = [(leaf.start, leaf.end) for frame in known for leaf in frame.leaves]
    for low, high in fields or [(0, len(data))]:
        for first, start, end in _utf16_runs(data, low, high):
            if apart and (end < len(data) or data[:start] not in _UTF16_MARKS):
                continue
            letters = data[start + first : end : 2]
            text = letters if letters.isascii() else letters.decode("latin-1").encode()
            segments = None
            if letters.isascii():
                segments = Segments(range(len(letters) + 1), range(start, end + 2, 2))
            yield Piece(text, piece, start, end, "utf16", segments=segments, field=True)


def _utf16_runs(data: bytes, low: int, high: int) -> Iterator[tuple[int, int, int]]:
    """Yield stretches of UTF-16, with the offset of the letter in its two bytes.

    Read in the wrong order a stretch is shorter by one letter at least, or it takes in a sign
    that stands before it (or a letter that is a length): then both readings are told.
    """
    runs = sorted(
        (match.start() - match.end(), match.start(), match.end(), first)
        for first, pattern in _UTF16.items()
        for match in pattern.finditer(data, low, high)
    )
    taken: list[tuple[int, int, int]] = []
    for size, start, end, first in runs[:MAX_RUNS]:
        middle = (start + end) // 2
        at = bisect_right(taken, (middle, len(data), 0)) - 1
        if at >= 0 and taken[at][1] > middle:
            tied = taken[at][1] - taken[at][0] == -size
            if not tied:
                continue
        insort(taken, (start, end, first))
        yield first, start, end


def decode_form_value(piece: Piece, start: int, end: int) -> Iterator[Piece]:
    """Decode one name or value of a form (``application/x-www-form-urlencoded``)."""
    data = piece.data
    if data.find(b"%", start, end) >= 0:
        yield from _apply(piece, start, end, "percent", _FORM, _percent)
    elif data.find(b"+", start, end) >= 0:
        yield from _apply(piece, start, end, "", _FORM, _percent)


class _Table(dict[bytes, bytes]):
    """Escaped text -> what it stands for, worked out once a piece."""

    def __init__(self, replace: Replace) -> None:
        super().__init__()
        self._replace = replace

    def __missing__(self, text: bytes) -> bytes:
        found = self[text] = b"".join(unit for unit, _ in self._replace(text))
        return found


def _apply(
    piece: Piece, start: int, end: int, step: str, pattern: re.Pattern[bytes], replace: Replace
) -> Iterator[Piece]:
    """Undo the escapes in a cell; where each byte came from is worked out when it is asked for."""
    data = piece.data
    whole = (start, end) == (0, len(data))
    cell = data if whole else data[start:end]
    table = _Table(replace)
    decoded, count = pattern.subn(lambda match: table[match[0]], cell)
    if not count:
        return
    child = Piece(decoded, piece, start, end, step, field=piece.field or not whole)
    child.remap = lambda: _segments(cell, start, pattern, replace)
    child.dense = count * DENSE > len(cell)
    yield child


def _segments(cell: bytes, start: int, pattern: re.Pattern[bytes], replace: Replace) -> Segments:
    decoded = array("q", [0])
    encoded = array("q", [start])
    size = at = 0
    for match in pattern.finditer(cell):
        if match.start() > at:
            size += match.start() - at
            at = match.start()
            decoded.append(size)
            encoded.append(start + at)
        for unit, length in replace(match[0]):
            size += len(unit)
            at += length
            decoded.append(size)
            encoded.append(start + at)
    if at < len(cell):
        decoded.append(size + len(cell) - at)
        encoded.append(start + len(cell))
    return Segments(decoded, encoded)


def _percent(text: bytes) -> list[tuple[bytes, int]]:
    if text == b"+":
        return [(b" ", 1)]
    return [(bytes([byte]), 3) for byte in bytes.fromhex(text.replace(b"%", b"").decode("ascii"))]


def _quoted(text: bytes) -> list[tuple[bytes, int]]:
    if text[-1:] == b"\n":
        return [(b"", len(text))]
    return [(bytes([byte]), 3) for byte in bytes.fromhex(text.replace(b"=", b"").decode("ascii"))]


def _escape(text: bytes) -> list[tuple[bytes, int]]:
    if text[1:2] == b"u" and text[2:3] != b"{":
        return _utf16_units(text)
    if text[1:2] in (b"u", b"U"):
        number = int(text[2:].strip(b"{}"), 16)
        return [(_character(number), len(text))]
    if text[1:2] == b"x":
        return [(bytes.fromhex(text[2:].decode("ascii")), 4)]
    if len(text) == 4:
        return [(bytes([int(text[1:], 8)]), 4)]
    return [(_SIMPLE.get(text[1:2], text[1:2]), 2)]


def _utf16_units(text: bytes) -> list[tuple[bytes, int]]:
    units = [int(text[at + 2 : at + 6], 16) for at in range(0, len(text), 6)]
    found: list[tuple[bytes, int]] = []
    at = 0
    while at < len(units):
        pair = units[at : at + 2]
        if len(pair) == 2 and 0xD800 <= pair[0] < 0xDC00 <= pair[1] < 0xE000:
            number = 0x10000 + ((pair[0] - 0xD800) << 10) + pair[1] - 0xDC00
            found.append((_character(number), 12))
            at += 2
        else:
            found.append((_character(units[at]), 6))
            at += 1
    return found


def _escape_bytes(text: bytes) -> list[tuple[bytes, int]]:
    r"""Decode as :func:`_escape`, but ``\u00XX`` as one byte: binary text written as Latin-1."""
    if text[1:2] == b"u" and text[2:3] != b"{":
        units = [int(text[at + 2 : at + 6], 16) for at in range(0, len(text), 6)]
        if max(units) < 0x100:
            return [(bytes([unit]), 6) for unit in units]
    return _escape(text)


def _entity(text: bytes) -> list[tuple[bytes, int]]:
    name = text[1:].decode("ascii")
    if name[0] == "#":
        digits = name[1:-1]
        number = int(digits[1:], 16) if digits[0] in "xX" else int(digits)
        return [(_character(number), len(text))]
    known = html5.get(name)
    return [(known.encode() if known else text, len(text))]


def _character(number: int) -> bytes:
    if number > 0x10FFFF:
        return b"?"
    return chr(number).encode("utf-8", "surrogatepass")
