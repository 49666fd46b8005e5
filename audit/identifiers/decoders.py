"""Every decoder, in one list, and which of them may take a piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from audit.identifiers import compression, escapes, frames, runs
from audit.identifiers.piece import Piece

Decoder = Callable[[Piece], Iterator[Piece]]

SMALLEST: Final = 3
"""Bytes under which a piece is not decoded further."""


def decode(piece: Piece, starts: Sequence[int]) -> Iterator[Piece]:
    """Yield whatever the decoders make of a piece; runs begin at ``starts``."""
    if starts:
        yield from runs.decode_runs(piece, starts)
    if len(piece.data) >= SMALLEST:
        for decoder in DECODERS.values():
            yield from decoder(piece)


def decode_fields(piece: Piece) -> Iterator[Piece]:
    """Take a whole field apart where its parts may hold what shows itself to no other decoder."""
    data = piece.data
    if not piece.field:
        return
    if frames.is_text(data):
        if b"+" in data or b"%" in data:
            yield from _form_fields(piece)
        return
    yield from compression.decode_headerless(piece)
    frame = frames.find_frame(data, piece.hint)
    piece.frames[0, len(data)] = frame
    for leaf in frame.leaves if frame else ():
        size = leaf.end - leaf.start
        if leaf.type != "bytes" or not SMALLEST <= size < len(data):
            continue
        content = data[leaf.start : leaf.end]
        if not frames.is_text(content):
            part = Piece(content, parent=piece, start=leaf.start, end=leaf.end, field=True)
            for child in compression.decode_headerless(part):
                child.parent = piece
                child.start += leaf.start
                child.end += leaf.start
                yield child


def _form_fields(piece: Piece) -> Iterator[Piece]:
    if piece.hint == "value":
        yield from escapes.decode_form_value(piece, 0, len(piece.data))
        return
    frame = frames.find_frame(piece.data, piece.hint)
    if frame is not None and frame.name == "form":
        for leaf in frame.leaves:
            yield from escapes.decode_form_value(piece, leaf.start, leaf.end)


DECODERS: Final[dict[str, Decoder]] = {
    "percent": escapes.decode_percent,
    "escaped": escapes.decode_escapes,
    "html": escapes.decode_html,
    "utf16": escapes.decode_utf16,
    "hex-groups": runs.decode_hex_groups,
    "compressed": compression.decode_compressed,
    "zip": compression.decode_zip,
    "fields": decode_fields,
}
"""Every decoder of whole pieces, in the order in which they are tried. Adding one is a line here;
those of encoded runs are in ``runs.RUN_DECODERS``, those of compressed data in
``compression.INFLATERS``, structures that leave bytes in place in ``frames.READERS``."""
