"""Every decoder, in one list, with the gates that open it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from audit.identifiers import compression, escapes, frames, groups, runs, tokens, unmarked
from audit.identifiers.frames import Frame
from audit.identifiers.piece import Piece
from audit.identifiers.text import is_text
from audit.identifiers.unmarked import SMALLEST

Marks = dict[str, list[int]]
"""Name of a gate -> where its pattern begins in a piece (its end, for gates without a width)."""
Decoder = Callable[[Piece, Sequence[int]], Iterator[Piece]]

SMALL: Final = 64
"""Bytes under which a field in which nothing was found is not read as a binary format."""
_PREFIXED: Final = re.compile(b"[\x03-\x3f\x43-\x5f\xa3-\xbf](?=[%s])" % unmarked.FIRSTS)
_GLUE: Final = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/_-")


def decode(
    piece: Piece, marks: Mapping[str, Sequence[int]], *, quiet: bool = False
) -> Iterator[Piece]:
    """Yield whatever the decoders make of a piece, by the gates found in it.

    ``quiet``: neither a value nor a gate was found in it.
    """
    if len(piece.data) < SMALLEST:
        return
    for gate, decoder in CONTAINERS.items():
        if gate in marks:
            yield from decoder(piece, marks[gate])
    if piece.covered:
        return
    for gate, decoder in ESCAPES.items():
        if gate in marks:
            yield from decoder(piece, marks[gate])
    if "run" in marks:
        yield from runs.decode_runs(piece, marks["run"])
    if "trigger" in marks:
        yield from runs.decode_triggered(piece, marks["trigger"])
    if "token" in marks:
        yield from tokens.decode_tokens(piece, marks["token"])
    if quiet and len(piece.data) < SMALL:
        yield from compression.decode_headerless(piece)
        yield from _prefixed(piece)
    elif piece.field:
        yield from decode_fields(piece)


def decode_fields(piece: Piece) -> Iterator[Piece]:
    """Take a whole field apart where its parts may hold what shows itself to no other decoder."""
    data = piece.data
    if is_text(data):
        if piece.hint == "path":
            yield from _segments(piece)
        if piece.depth == 0 and piece.data.count(b".") > 1:
            yield from unmarked.joined_labels(piece)
        if b"+" in data or b"%" in data:
            yield from _form_fields(piece)
        yield from unmarked.text_fields(piece, 0, len(data))
        return
    yield from compression.decode_headerless(piece)
    yield from unmarked.counted(piece)
    seen: set[tuple[int, int]] = set()
    for frame in frames.frames_of(piece):
        yield from _leaves(piece, frame, seen)


def _prefixed(piece: Piece) -> Iterator[Piece]:
    """Yield what is compressed behind its length: all that a small, quiet field can hide.

    CBOR and MessagePack have short lengths in the low five bits of a byte.
    """
    data = piece.data
    for match in _PREFIXED.finditer(data):
        start = match.end()
        head = data[start - 1]
        for size in dict.fromkeys((head, head & 0x1F if head > 0x3F else head)):
            if SMALLEST <= size <= len(data) - start:
                part = piece.part(start, start + size)
                yield from compression.decode_headerless(part)


def _leaves(piece: Piece, frame: Frame, seen: set[tuple[int, int]]) -> Iterator[Piece]:
    """Yield fields of a binary format that must be looked at by themselves.

    Text that stands right beside a letter (of a length or a tag) would run into it, and bytes
    may hold fields of their own, or compressed data without a mark.
    """
    data = piece.data
    for leaf in frame.leaves:
        start, end = leaf.start, leaf.end
        if end - start < SMALLEST or end - start == len(data) or (start, end) in seen:
            continue
        seen.add((start, end))
        if leaf.type == "number":
            continue
        yield from unmarked.text_fields(piece, start, end)
        glued = (start and data[start - 1] in _GLUE) or (end < len(data) and data[end] in _GLUE)
        if glued or not is_text(data[start:end]):
            yield piece.part(start, end)
    for leaf in frame.ranges.values():
        if leaf.type == "message":  # compressed data may read as fields, now and then
            yield from compression.decode_headerless(piece.part(leaf.start, leaf.end))


def _segments(piece: Piece) -> Iterator[Piece]:
    """Yield the segments of a path: an encoded one begins behind a sign of base64."""
    at = 0
    for segment in piece.data.split(b"/")[: frames.MAX_PARTS]:
        if SMALLEST <= len(segment) < len(piece.data):
            yield piece.part(at, at + len(segment))
        at += len(segment) + 1


def _form_fields(piece: Piece) -> Iterator[Piece]:
    if piece.hint == "value":
        yield from escapes.decode_form_value(piece, 0, len(piece.data))
        return
    reading = frames.READERS["form"](piece.data, piece.hint)
    for leaf in reading[1] if reading else ():
        yield from escapes.decode_form_value(piece, leaf.start, leaf.end)


CONTAINERS: Final[dict[str, Decoder]] = {
    "gzip": compression.decode_gzip,
    "zlib": compression.decode_zlib,
    "zstd": compression.decode_zstd,
    "zip": compression.decode_zip,
}
"""Gate -> what may take a piece as a whole; then nothing else does."""
ESCAPES: Final[dict[str, Decoder]] = {
    "percent": escapes.decode_percent,
    "plus": escapes.decode_plus,
    "escaped": escapes.decode_escapes,
    "percent-u": escapes.decode_percent_u,
    "quoted": escapes.decode_quoted,
    "html": escapes.decode_html,
    "utf16": escapes.decode_utf16,
    "hex-groups": groups.decode_hex_groups,
}
"""Gate -> what undoes escapes, and encodings with separators, inside a piece.

Adding a decoder is a line here and one in ``gates.GATES``; those of encoded runs are in
``runs.RUN_DECODERS``, those of compressed data in ``compression.INFLATERS``, structures that leave
bytes in place in ``frames.READERS``.
"""
