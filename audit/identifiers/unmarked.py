"""Fields that no gate shows: behind lengths, in text that reads as a message, cut into labels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, Literal

from audit.identifiers import binary, compression
from audit.identifiers.gates import DYNAMIC_FIRST, PACKED_FIRST
from audit.identifiers.piece import Piece, Segments
from audit.identifiers.text import PRINTABLE

SMALLEST: Final = 3
"""Bytes under which a piece is not decoded further."""
MAX_COUNTED: Final = 1 << 16
"""Bytes up to which a piece of no known format is searched for lengths before its parts."""
MAX_LENGTHS: Final = 64
"""Lengths before what may be compressed that are followed in one piece."""
MAX_HEAD: Final = 16
"""Bytes of the head, with a length in it, and of the tail of a frame that is unknown here."""
SHORTEST_FRAMED: Final = 8
"""Bytes of what such a frame holds, at least."""
_ORDERS: Final[tuple[Literal["big", "little"], ...]] = ("big", "little")
_TEXT_RUN: Final = re.compile(
    rb"[\x80-\xff]?(?:[\t\n\r\x20-\x7e]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}"
    rb"|[\xf0-\xf4][\x80-\xbf]{3}){7,}"
)
"""A stretch of UTF-8, and a length before it that is none."""
FIRSTS: Final = b"".join(b"\\x%02x" % byte for byte in sorted(PACKED_FIRST | DYNAMIC_FIRST))
"""First bytes of deflate, zlib and short Brotli, as a class of a pattern."""
_LENGTHS: Final[tuple[tuple[re.Pattern[bytes], Literal["big", "little"]], ...]] = (
    (re.compile(rb"[\x00-\x03][\x03-\xff](?=[%s])" % FIRSTS), "big"),
    (re.compile(rb"[\x03-\xff][\x00-\x03](?=[%s])" % FIRSTS), "little"),
)
LONG_LABEL: Final = 16
"""Letters of a label of a host's name from which the next one may continue it."""
_NAME: Final = re.compile(
    rb"(?:[A-Za-z0-9_-]{1,63}\.){2,126}[A-Za-z0-9_-]{1,63}\.?(?::[0-9]{1,5})?"
)
_HEX_LABEL: Final = re.compile(rb"[0-9A-Fa-f]+")
_LABEL: Final = re.compile(rb"[A-Za-z0-9_-]+")


def counted(piece: Piece) -> Iterator[Piece]:
    """Yield text, and compressed data, that stands behind its length in a format unknown here.

    The last byte of a length may be a letter: then it is no part of the text.
    """
    data = piece.data
    if len(data) > MAX_COUNTED:
        return
    for match in _TEXT_RUN.finditer(data):
        first, end = match.span()
        for low in (first, first + 1) if data[first] > 0x7F else (first,):
            for start, stop in _behind_lengths(data, low, end):
                if stop - start >= SMALLEST:
                    yield piece.part(start, stop)
            yield from text_fields(piece, low, end)
    for start, stop in _framed(data):
        yield piece.part(start, stop)
    for pattern, order in _LENGTHS:
        for match in islice(pattern.finditer(data), MAX_LENGTHS):
            start = match.end()
            stop = start + int.from_bytes(match[0], order)
            if start + SMALLEST <= stop <= len(data) and stop - start < len(data):
                yield from compression.decode_headerless(piece.part(start, stop))


def _framed(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield what a short head with a length, and a short tail, stand around."""
    seen: set[tuple[int, int]] = set()
    size = len(data)
    for at in range(min(MAX_HEAD, size)):
        for width in (1, 2, 4):
            start = at + width
            for order in _ORDERS[: 1 if width == 1 else 2]:
                stop = start + int.from_bytes(data[at:start], order)
                if start + SHORTEST_FRAMED <= stop <= size <= stop + MAX_HEAD and not (
                    _cuts_text(data, start - 1) or _cuts_text(data, stop)
                ):
                    seen.add((start, stop))
    yield from sorted(seen - {(0, size)})


def _cuts_text(data: bytes, at: int) -> bool:
    """Whether there is text on both sides of an offset."""
    return not data[max(0, at - 1) : at + 1].translate(None, PRINTABLE) and 0 < at < len(data)


def _behind_lengths(data: bytes, at: int, end: int) -> list[tuple[int, int]]:
    """Return the parts of a stretch, each behind one byte of length, if they fill it."""
    spans: list[tuple[int, int]] = []
    while at < end:
        spans.append((at + 1, at + 1 + data[at]))
        at = spans[-1][1]
    return spans if at == end else []


def text_fields(piece: Piece, start: int, end: int) -> Iterator[Piece]:
    """Yield what a text holds if it reads as a message of protocol buffers, to its last byte."""
    if end - start <= MAX_COUNTED:
        for low, high in binary.text_fields(piece.data[start:end]):
            if high - low >= SMALLEST:
                yield piece.part(start + low, start + high)


def joined_labels(piece: Piece) -> Iterator[Piece]:
    """Yield what encoded text was before it was cut into the labels of a name of a host.

    Labels hold 63 letters (RFC 1035 §2.3.4): longer text fills some of one length, and the next
    one as far as it goes.
    """
    name = _NAME.fullmatch(piece.data)
    if not name:
        return
    labels = [match.span() for match in _LABEL.finditer(piece.data)]
    first = 0
    while first < len(labels):
        size = labels[first][1] - labels[first][0]
        last = first + 1
        while last < len(labels) and labels[last][1] - labels[last][0] == size:
            last += 1
        if size >= LONG_LABEL:
            if last - first > 1 and not _goes_on(piece.data, labels, last):
                yield _joined(piece, labels[first:last])
            if last < len(labels) and labels[last][1] - labels[last][0] < size:
                yield _joined(piece, labels[first : last + 1])
        first = last


def _goes_on(data: bytes, labels: Sequence[tuple[int, int]], last: int) -> bool:
    """Whether a label and the one before it are both hexadecimal digits."""
    return last < len(labels) and all(
        _HEX_LABEL.fullmatch(data, *labels[at]) for at in (last - 1, last)
    )


def _joined(piece: Piece, spans: Sequence[tuple[int, int]]) -> Piece:
    """Return ranges of a piece as one field; nothing was decoded for it."""
    decoded, encoded = [0], [spans[0][0]]
    for start, end in spans:
        if start > encoded[-1]:  # what stands between two ranges
            decoded.append(decoded[-1])
            encoded.append(start)
        decoded.append(decoded[-1] + end - start)
        encoded.append(end)
    data = b"".join(piece.data[start:end] for start, end in spans)
    child = Piece(data, piece, spans[0][0], spans[-1][1], field=True)
    child.remap = lambda: Segments(decoded, encoded)
    child.depth = piece.depth
    return child
