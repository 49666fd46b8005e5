"""Escaped text: percent (RFC 3986), JSON and source-code escapes, HTML entities, UTF-16.

Each decoder keeps where every decoded byte came from, so that a hit points at the escaped bytes.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right, insort
from collections.abc import Callable, Iterator
from html.entities import html5
from typing import Final

from audit.identifiers import frames
from audit.identifiers.piece import Piece, Segments
from audit.identifiers.text import is_text

_PERCENT: Final = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")
_TOKEN: Final = re.compile(
    rb"[^\s\"'<>&=?#(){}\[\],;|^`\\]*%[0-9A-Fa-f]{2}[^\s\"'<>&=?#(){}\[\],;|^`\\]*"
)
_STRUCTURE: Final = re.compile(rb"[=&{\[<]")
SAMPLE: Final = 4096
"""Bytes in which a NUL tells that a piece is no text."""
_FORM: Final = re.compile(rb"(?:%[0-9A-Fa-f]{2})+|\+")
_ESCAPE: Final = re.compile(
    rb"(?:\\u[0-9A-Fa-f]{4})+|\\u\{[0-9A-Fa-f]{1,6}\}|\\x[0-9A-Fa-f]{2}|\\[0-3][0-7]{2}"
    rb"|\\U[0-9A-Fa-f]{8}|\\[\"'\\/bfnrt0]"
)
_PERCENT_U: Final = re.compile(rb"(?:%u[0-9A-Fa-f]{4})+")
_ENTITY: Final = re.compile(rb"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_UTF16: Final = {
    0: re.compile(rb"(?:[\t\n\r\x20-\xff]\x00){4,}"),
    1: re.compile(rb"(?:\x00[\t\n\r\x20-\xff]){4,}"),
}
"""Offset of the letter in its two bytes -> stretches of such letters."""
MAX_RUNS: Final = 100_000
"""Stretches of UTF-16 in one piece that are decoded."""
_SIMPLE: Final = {
    b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"0": b"\0",
}  # fmt: skip
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)

Cell = tuple[int, int]
"""A range of a piece that is decoded by itself."""


def decode_percent(piece: Piece) -> Iterator[Piece]:
    """Decode percent-encoded text; forms are decoded field by field."""
    data = piece.data
    if b"%" not in data or piece.hint in ("form", "value") or not _PERCENT.search(data):
        return
    cells = list(_cells(piece, b"%"))
    for start, end in cells:
        yield from _apply(piece, start, end, "percent", _PERCENT, _percent)
        if data.find(b"+", start, end) >= 0:  # a form where none was expected
            yield from _apply(piece, start, end, "percent", _FORM, _percent)
    if cells == [(0, len(data))] and b"\0" not in data[:SAMPLE]:
        yield from _tokens(piece)


def _tokens(piece: Piece) -> Iterator[Piece]:
    """Decode by itself each stretch of a text whose percent-encoded content is no plain text."""
    for match in _TOKEN.finditer(piece.data):
        if match.end() - match.start() < len(piece.data):
            for child in _apply(piece, *match.span(), "percent", _PERCENT, _percent):
                if not is_text(child.data) or _STRUCTURE.search(child.data):
                    yield child


def decode_escapes(piece: Piece) -> Iterator[Piece]:
    r"""Decode ``\uXXXX``, ``\xXX``, ``\/`` and their like, field by field."""
    data = piece.data
    if b"\\" not in data or not _ESCAPE.search(data):
        return
    for start, end in _cells(piece, b"\\"):
        yield from _apply(piece, start, end, "escaped", _ESCAPE, _escape)
        if piece.data.find(b"\\u00", start, end) >= 0:
            yield from _apply(piece, start, end, "escaped", _ESCAPE, _escape_bytes)


def decode_percent_u(piece: Piece) -> Iterator[Piece]:
    """Decode ``%uXXXX``, as ECMAScript's ``escape`` writes it (ECMA-262, annex B)."""
    if b"%u" in piece.data:
        for start, end in _cells(piece, b"%u"):
            yield from _apply(piece, start, end, "escaped", _PERCENT_U, _escape)


def decode_html(piece: Piece) -> Iterator[Piece]:
    """Decode HTML and XML entities."""
    data = piece.data
    if b"&" not in data or not _ENTITY.search(data):
        return
    for start, end in _cells(piece, b"&"):
        yield from _apply(piece, start, end, "html", _ENTITY, _entity)


def decode_utf16(piece: Piece) -> Iterator[Piece]:
    """Decode stretches of UTF-16 (either byte order) whose letters are in Latin-1."""
    data = piece.data
    if b"\0" not in data:
        return
    if frames.binary_frame(piece) is not None:
        return  # its fields are looked at by themselves
    for start, end, low in _utf16_runs(data):
        text = low if low.isascii() else low.decode("latin-1").encode()
        segments = None
        if low.isascii():
            segments = Segments(range(len(low) + 1), range(start, end + 2, 2))
        yield Piece(
            text, parent=piece, start=start, end=end, step="utf16", segments=segments, field=True
        )


def _utf16_runs(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield stretches of UTF-16 with their letters; read in the wrong order one is shorter."""
    runs = sorted(
        (match.start() - match.end(), match.start(), match.end(), match[0][first::2])
        for first, pattern in _UTF16.items()
        for match in pattern.finditer(data)
    )
    taken: list[tuple[int, int]] = []
    for _, start, end, low in runs[:MAX_RUNS]:
        middle = (start + end) // 2
        at = bisect_right(taken, (middle, len(data)))
        if not at or taken[at - 1][1] <= middle:
            insort(taken, (start, end))
            yield start, end, low


def decode_form_value(piece: Piece, start: int, end: int) -> Iterator[Piece]:
    """Decode one name or value of a form (``application/x-www-form-urlencoded``)."""
    data = piece.data
    if data.find(b"%", start, end) >= 0:
        yield from _apply(piece, start, end, "percent", _FORM, _percent)
    elif data.find(b"+", start, end) >= 0:
        yield from _apply(piece, start, end, "", _FORM, _percent)


def _cells(piece: Piece, mark: bytes) -> Iterator[Cell]:
    """Yield the ranges to decode: the fields that hold the mark, else the whole piece."""
    data = piece.data
    if data.lstrip()[:1] in (b"{", b"["):
        yield from _strings(data, mark)
        return
    held = [
        (leaf.start, leaf.end)
        for frame in frames.frames_of(piece)[:1]
        for leaf in frame.leaves
        if data.find(mark, leaf.start, leaf.end) >= 0
    ]
    if held:
        yield from held
    elif mark == b"\\" and b'"' in data and is_text(data):
        yield from _strings(data, mark)
    else:
        yield 0, len(data)


def _strings(data: bytes, mark: bytes) -> Iterator[Cell]:
    """Yield the JSON strings that hold the mark; the whole where it is no JSON."""
    at = data.find(mark)
    while at >= 0:
        opening = data.rfind(b'"', 0, at)
        match = _STRING.match(data, opening) if opening >= 0 else None
        if not match or match.end() <= at:
            yield 0, len(data)
            return
        yield match.start() + 1, match.end() - 1
        at = data.find(mark, match.end())


def _apply(
    piece: Piece,
    start: int,
    end: int,
    step: str,
    pattern: re.Pattern[bytes],
    replace: Callable[[bytes], list[tuple[bytes, int]]],
) -> Iterator[Piece]:
    data = piece.data
    out: list[bytes] = []
    decoded = array("q", [0])
    encoded = array("q", [start])
    size = 0
    at = start
    for match in pattern.finditer(data, start, end):
        if match.start() > at:
            out.append(data[at : match.start()])
            size += match.start() - at
            decoded.append(size)
            encoded.append(match.start())
        at = match.start()
        for unit, length in replace(match[0]):
            out.append(unit)
            size += len(unit)
            at += length
            decoded.append(size)
            encoded.append(at)
    if encoded == array("q", [start]):
        return
    if at < end:
        out.append(data[at:end])
        decoded.append(size + end - at)
        encoded.append(end)
    yield Piece(
        b"".join(out),
        parent=piece,
        start=start,
        end=end,
        step=step,
        segments=Segments(decoded, encoded),
        field=True if (start, end) != (0, len(data)) else piece.field,
    )


def _percent(text: bytes) -> list[tuple[bytes, int]]:
    if text == b"+":
        return [(b" ", 1)]
    return [(bytes([byte]), 3) for byte in bytes.fromhex(text.replace(b"%", b"").decode("ascii"))]


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
