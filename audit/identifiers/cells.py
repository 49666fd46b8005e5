"""Which part of a piece is decoded by itself: its field, its string, or the text around a mark."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

from audit.identifiers import frames
from audit.identifiers.piece import Piece
from audit.identifiers.text import is_text

REACH: Final = 2048
"""Bytes before a mark that belong to the text around it, at most."""
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_CONTROL: Final = bytes((*range(9), 11, 12, *range(14, 32), 127))

Cell = tuple[int, int]
"""A range of a piece."""


def cells(
    piece: Piece, ends: Sequence[int], *, strings: bool = False, entities: bool = False
) -> Iterator[Cell]:
    """Yield the ranges to decode: the fields that hold a mark, else the whole text.

    ``ends`` are one past the marks. ``strings``: the marks are those of quoted strings, so that
    these are looked for in any text. ``entities``: they begin with what parts a form. In bytes
    that are no text it is the text around each mark.
    """
    data = piece.data
    for low, high in _cells(piece, ends, strings=strings, entities=entities):
        form = None
        if not strings and not entities and (low, high) != (0, len(data)):
            form = frames.READERS["form"](data[low:high], "")
        if form is None:
            yield low, high
            continue
        for leaf in form[1]:
            at = bisect_right(ends, low + leaf.start)
            if at < len(ends) and ends[at] <= low + leaf.end:
                yield low + leaf.start, low + leaf.end


def _cells(piece: Piece, ends: Sequence[int], *, strings: bool, entities: bool) -> Iterator[Cell]:
    data = piece.data
    if data.lstrip()[:1] in (b"{", b"["):
        yield from _strings(data, ends)
        return
    known = [frame for frame in frames.frames_of(piece) if not entities or frame.name != "form"]
    held = list(_fields(data, known[0], ends)) if known else []
    if held:
        yield from held
    elif not is_text(data):
        yield from around(data, ends, _CONTROL)
    elif strings and b'"' in data:
        yield from _strings(data, ends)
    else:
        yield 0, len(data)


def around(data: bytes, ends: Sequence[int], delimiters: bytes) -> Iterator[Cell]:
    """Yield the stretches without delimiters around marks, each once."""
    table = bytes.maketrans(delimiters, b"\0" * len(delimiters))
    last = 0
    for end in ends:
        if end <= last:
            continue
        low = max(last, end - REACH)
        start = low + data[low:end].translate(table).rfind(b"\0") + 1
        last = end
        while last < len(data):
            gap = data[last : last + REACH].translate(table).find(b"\0")
            if gap >= 0:
                last += gap
                break
            last = min(len(data), last + REACH)
        if start < end:
            yield start, last


def _fields(data: bytes, frame: frames.Frame, ends: Sequence[int]) -> Iterator[Cell]:
    """Yield the fields that hold marks; of those that are no text, the text around the marks."""
    held: dict[tuple[int, int], list[int]] = {}
    for end in ends:
        leaf = frame.at(end - 1, end)
        if leaf is not None:
            held.setdefault((leaf.start, leaf.end), []).append(end)
    for (start, stop), own in held.items():
        content = data[start:stop]
        if content.lstrip()[:1] in (b"{", b"["):
            for low, high in _strings(content, [end - start for end in own]):
                yield start + low, start + high
        elif is_text(content):
            yield start, stop
        else:
            for low, high in around(data[:stop], own, _CONTROL):
                yield max(low, start), high


def _strings(data: bytes, ends: Sequence[int]) -> Iterator[Cell]:
    """Yield the quoted strings that hold marks; the whole where there are none."""
    last = 0
    for end in ends:
        if end <= last:
            continue
        opening = data.rfind(b'"', last, end - 1)
        match = _STRING.match(data, opening) if opening >= 0 else None
        if not match or match.end() < end:
            yield 0, len(data)
            return
        yield match.start() + 1, match.end() - 1
        last = match.end()
