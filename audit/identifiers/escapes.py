"""Escaped text: percent (RFC 3986), JSON and source-code escapes, HTML entities, UTF-16.

Each decoder keeps where every decoded byte came from, so that a hit points at the escaped bytes.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterator
from html.entities import html5
from typing import Final

from audit.identifiers import frames
from audit.identifiers.piece import Piece, Segments

_PERCENT: Final = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")
_FORM: Final = re.compile(rb"(?:%[0-9A-Fa-f]{2})+|\+")
_ESCAPE: Final = re.compile(
    rb"(?:\\u[0-9A-Fa-f]{4})+|\\u\{[0-9A-Fa-f]{1,6}\}|\\x[0-9A-Fa-f]{2}|\\[0-3][0-7]{2}"
    rb"|\\U[0-9A-Fa-f]{8}|\\[\"'\\/bfnrt0]"
)
_PERCENT_U: Final = re.compile(rb"(?:%u[0-9A-Fa-f]{4})+")
_ENTITY: Final = re.compile(rb"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_UTF16: Final = {
    "le": re.compile(rb"(?:[\t\n\r\x20-\xff]\x00){4,}"),
    "be": re.compile(rb"(?:\x00[\t\n\r\x20-\xff]){4,}"),
}
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
    for start, end in _cells(piece, b"%"):
        yield from _apply(piece, start, end, "percent", _PERCENT, _percent)


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
    for order, pattern in _UTF16.items():
        for match in pattern.finditer(data):
            low = match[0][0 if order == "le" else 1 :: 2]
            text = low if low.isascii() else low.decode("latin-1").encode()
            segments = None
            if low.isascii():
                segments = Segments(range(len(low) + 1), range(match.start(), match.end() + 2, 2))
            yield Piece(
                text,
                parent=piece,
                start=match.start(),
                end=match.end(),
                step="utf16",
                segments=segments,
                field=True,
            )


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
    frame = frames.find_frame(data, piece.hint)
    held = [
        (leaf.start, leaf.end)
        for leaf in (frame.leaves if frame else ())
        if data.find(mark, leaf.start, leaf.end) >= 0
    ]
    yield from held or [(0, len(data))]


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
