"""Every decoder, in one list, and which of them may take a piece."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from audit.identifiers import compression, escapes, frames, runs
from audit.identifiers.frames import Frame
from audit.identifiers.piece import Piece, Segments
from audit.identifiers.text import is_text

Decoder = Callable[[Piece], Iterator[Piece]]

SMALLEST: Final = 3
"""Bytes under which a piece is not decoded further."""
SMALL: Final = 4096
"""Bytes up to which one look tells that no decoder of text or containers may take a piece."""
_MARKS: Final = re.compile(
    rb"[%\\&\0]|\x1f\x8b\x08|\x28\xb5\x2f\xfd|PK\x03\x04|\x78[\x01\x5e\x9c\xda]"
    rb"|[0-9A-Fa-f][-:. ,+][0-9A-Fa-f]|0[xX]"
)
_GLUE: Final = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/_-")


def decode(piece: Piece, starts: Sequence[int]) -> Iterator[Piece]:
    """Yield whatever the decoders make of a piece; runs begin at ``starts``."""
    data = piece.data
    size = len(data)
    if size < SMALLEST:
        return
    if size > SMALL or _MARKS.search(data):
        for decoder in CONTAINERS.values():
            yield from decoder(piece)
        if piece.covered:
            return
        for decoder in ESCAPES.values():
            yield from decoder(piece)
    if starts:
        yield from runs.decode_runs(piece, starts)
    if piece.field:
        yield from decode_fields(piece)


def decode_fields(piece: Piece) -> Iterator[Piece]:
    """Take a whole field apart where its parts may hold what shows itself to no other decoder."""
    data = piece.data
    if is_text(data):
        if piece.hint == "path":
            yield from _segments(piece)
        if b"+" in data or b"%" in data:
            yield from _form_fields(piece)
        return
    yield from compression.decode_headerless(piece)
    seen: set[tuple[int, int]] = set()
    for frame in frames.frames_of(piece):
        yield from _leaves(piece, frame, seen)


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
        content = data[start:end]
        glued = (start and data[start - 1] in _GLUE) or (end < len(data) and data[end] in _GLUE)
        if glued or not is_text(content):
            child = Piece(
                content,
                parent=piece,
                start=start,
                end=end,
                segments=Segments((0, end - start), (start, end)),
                field=True,
            )
            child.depth = piece.depth  # nothing was decoded, and it is shorter than the piece
            yield child


def _segments(piece: Piece) -> Iterator[Piece]:
    """Yield the segments of a path: an encoded one begins behind a sign of base64."""
    at = 0
    for segment in piece.data.split(b"/")[: frames.MAX_PARTS]:
        if len(segment) >= SMALLEST and len(segment) < len(piece.data):
            child = Piece(
                segment,
                parent=piece,
                start=at,
                end=at + len(segment),
                segments=Segments((0, len(segment)), (at, at + len(segment))),
                field=True,
            )
            child.depth = piece.depth
            yield child
        at += len(segment) + 1


def _form_fields(piece: Piece) -> Iterator[Piece]:
    if piece.hint == "value":
        yield from escapes.decode_form_value(piece, 0, len(piece.data))
        return
    for frame in frames.frames_of(piece):
        for leaf in frame.leaves if frame.name == "form" else ():
            yield from escapes.decode_form_value(piece, leaf.start, leaf.end)


CONTAINERS: Final[dict[str, Decoder]] = {
    "compressed": compression.decode_compressed,
    "zip": compression.decode_zip,
}
"""What may take a piece as a whole; then nothing else does."""
ESCAPES: Final[dict[str, Decoder]] = {
    "percent": escapes.decode_percent,
    "escaped": escapes.decode_escapes,
    "percent-u": escapes.decode_percent_u,
    "html": escapes.decode_html,
    "utf16": escapes.decode_utf16,
    "hex-groups": runs.decode_hex_groups,
}
"""What undoes escapes, and encodings with separators, inside a piece.

Adding a decoder is a line here; those of encoded runs are in ``runs.RUN_DECODERS``, those of
compressed data in ``compression.INFLATERS``, structures that leave bytes in place in
``frames.READERS``.
"""
