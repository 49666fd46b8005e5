"""What is compressed in a layer, opened: marked or not, by itself or behind its length."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from audit.identifiers import frames
from audit.identifiers.binary import text_fields
from audit.identifiers.compression import INFLATERS
from audit.identifiers.decoders import SMALL, decode_fields
from audit.identifiers.gates import DYNAMIC_FIRST, LONG_RUN, PACKED_FIRST, SHORT_RUN
from audit.identifiers.lanes import LETTER, UNUSUAL, ahead, any_in, places, stretch, to_lane
from audit.identifiers.layer import Batch, Layer, joined_batch
from audit.identifiers.messages import may_be_framed
from audit.identifiers.packs import MOST, unpack
from audit.identifiers.piece import Piece
from audit.identifiers.text import is_text
from audit.identifiers.unmarked import (
    MAX_COUNTED,
    MAX_HEAD,
    SHORTEST_FRAMED,
    SMALLEST,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audit.identifiers.lanes import Bytes, Places

    Spans = tuple[Places, Places]
    """Beginnings and ends."""

_LENGTH_DELIMITED: Final = 2
"""Low bits of a tag of protocol buffers before a length."""
FEW: Final = 1024
"""Bytes of a field up to which a short run of letters in it is hardly chance."""
READABLE: Final = 11
"""Bytes of text that are none either: text may run into the lengths and tags beside it."""
_HIGHEST: Final = 3
"""High byte of a length of two bytes, at most."""
_TRIAL: Final = 512
_TRIAL_OUTPUT: Final = 1 << 16
_LENGTH: Final = 31
"""Low bits of a byte that tell a length, in CBOR and MessagePack."""
_BEFORE: Final = np.uint8(1)
"""Mark of bytes that may be a length of data worth opening."""
_OPENING: Final = np.uint8(2)
"""Mark of the first bytes of compressed data."""
_HIGH: Final = np.uint8(4)
"""Mark of high bytes of a length of two bytes."""
_SIGNS: Final = bytes(
    ((byte if byte < SMALL else byte & _LENGTH) >= SMALLEST)
    | (byte in PACKED_FIRST | DYNAMIC_FIRST) << 1
    | (byte <= _HIGHEST) << 2
    for byte in range(256)
)
Mark = tuple[int, str, int]
"""Number of a stretch, name of what may begin there, offset."""


def unpack_layer(layer: Layer, marks: Sequence[Mark]) -> tuple[list[Batch], list[int]]:
    """Open what is compressed in a layer; also give the stretches that hold too much."""
    parts: list[bytes] = []
    low: list[int] = []
    large: list[int] = []
    for number, gate, start in marks:
        stretch = layer.data[start : int(layer.ends[number])]
        done = INFLATERS[gate](stretch, 0, MOST)
        if done is None or not (done.complete or done.cut or done.partial):
            continue
        if done.cut or (done.partial and start == layer.starts[number]):
            large.append(number)
        parts.append(done.data)
        low.append(start)
    spans, leaves = _fields(layer)
    starts, ends = map(np.concatenate, zip(*spans, strict=True))
    numbers, made, much = unpack(layer.lanes.array, starts, ends)
    parts += made
    low += starts[np.array(numbers, np.int64)].tolist()
    large += layer.stretch_of(starts[np.array(much, np.int64)]).tolist()
    for at, leaf in leaves:
        parts.append(leaf)
        low.append(at)
    return ([joined_batch("unpacked", parts, low, low, fields=True)] if parts else []), large


def _fields(layer: Layer) -> tuple[list[Spans], list[tuple[int, bytes]]]:
    """Return where whole fields may hold compressed data, and what they are taken apart into."""
    array = layer.lanes.array
    odd = any_in(layer.lanes.lane(UNUSUAL), layer.starts, layer.ends)
    binary = np.flatnonzero(layer.fields & odd)
    starts, ends = layer.starts[binary], layer.ends[binary]
    letters = layer.lanes.lane(LETTER)
    wordy = any_in(stretch(letters, LONG_RUN), starts, ends)
    readable = stretch(~layer.lanes.lane(UNUSUAL), READABLE) | stretch(letters, SHORT_RUN)
    wordy |= (ends - starts <= FEW) & any_in(readable, starts, ends)
    message = np.flatnonzero(layer.fields & ~odd & (layer.ends > layer.starts))
    message = message[array[layer.starts[message]] & 7 == _LENGTH_DELIMITED]
    leaves = [*_taken_apart(layer, binary[wordy]), *_messages(layer, message)]
    starts, ends = starts[~wordy], ends[~wordy]
    leaves += _leaves(layer, starts, ends)
    small = ends - starts < SMALL
    framed = _framed(array, starts[~small], ends[~small])
    inner = may_be_framed(array, *framed)
    leaves += _parts(layer, framed[0][inner], framed[1][inner])
    return [
        (starts, ends),
        framed,
        _behind_length(layer, starts[small], ends[small]),
        _behind_lengths(layer, starts[~small], ends[~small]),
    ], leaves


def _parts(layer: Layer, starts: Places, ends: Places) -> list[tuple[int, bytes]]:
    spans = zip(starts.tolist(), ends.tolist(), strict=True)
    return [(start, layer.data[start:end]) for start, end in spans]


def _taken_apart(layer: Layer, numbers: Places) -> Iterator[tuple[int, bytes]]:
    """Yield what the decoder of fields gives: words may run into lengths and tags."""
    for number in numbers.tolist():
        start = int(layer.starts[number])
        data = layer.data[start : int(layer.ends[number])]
        if not is_text(data):
            for child in decode_fields(Piece(data, field=True)):
                yield start, child.data


def _messages(layer: Layer, numbers: Places) -> Iterator[tuple[int, bytes]]:
    """Yield the fields of messages that are text, lengths included."""
    for number in numbers.tolist():
        start = int(layer.starts[number])
        data = layer.data[start : int(layer.ends[number])]
        for low, high in text_fields(data) if len(data) <= MAX_COUNTED else ():
            yield start + low, data[low:high]


def may_be_zlib(data: bytes, start: int, end: int) -> bool:
    """Whether zlib data begins here, as far as its first bytes show."""
    try:
        zlib.decompressobj().decompress(data[start : min(start + _TRIAL, end)], _TRIAL_OUTPUT)
    except zlib.error:
        return False
    return True


def _behind_length(layer: Layer, starts: Places, ends: Places) -> Spans:
    """Return where compressed data may stand behind its length, in short stretches."""
    if not len(starts):
        return starts, ends
    array, signs = layer.lanes.array, _signs(layer.data)
    held = to_lane(signs & _BEFORE) & ahead(to_lane(signs & _OPENING), 1)
    at = places(held & to_lane(_inside(len(array), starts, ends))) + 1
    owner = np.searchsorted(starts, at, side="right") - 1
    size = array[at - 1].astype(np.int64)
    size = np.where(size < SMALL, size, size & _LENGTH)
    fits = (at > starts[owner]) & (at + size <= ends[owner])
    return at[fits], (at + size)[fits]


def _behind_lengths(layer: Layer, starts: Places, ends: Places) -> Spans:
    """Return where compressed data may stand behind a length of two bytes."""
    short = ends - starts <= MAX_COUNTED
    starts, ends = starts[short], ends[short]
    if not len(starts):
        return starts, ends
    array, signs = layer.lanes.array, _signs(layer.data)
    low = to_lane(signs & _HIGH)
    held = (low | ahead(low, 1)) & ahead(to_lane(signs & _OPENING), 2)
    at = places(held & to_lane(_inside(len(array), starts, ends)))
    limit = ends[np.searchsorted(starts, at, side="right") - 1]
    begins, upto = [], []
    for high, other in ((array[at], array[at + 1]), (array[at + 1], array[at])):
        size = high.astype(np.int64) << 8 | other
        fits = (high <= _HIGHEST) & (size >= SMALLEST) & (at + 2 + size <= limit)
        begins.append(at[fits] + 2)
        upto.append((at + size)[fits] + 2)
    return np.concatenate(begins), np.concatenate(upto)


def _signs(data: bytes) -> Bytes:
    return np.frombuffer(data.translate(_SIGNS), np.uint8)


def _inside(size: int, starts: Places, ends: Places) -> NDArray[np.bool_]:
    """Return which of some places lie in ranges, of which none touches another."""
    steps = np.zeros(size, np.int8)
    steps[starts] = 1
    steps[ends] = -1
    return np.cumsum(steps, dtype=np.int8).view(np.bool_)


def _framed(array: Bytes, starts: Places, ends: Places) -> Spans:
    """Return what a short head with a length, and a short tail, stand around."""
    begins, upto = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for at in range(MAX_HEAD):
        for width in (1, 2, 4):
            digits = [array[starts + at + step].astype(np.int64) for step in range(width)]
            for order in (digits, digits[::-1])[: 1 if width == 1 else 2]:
                size = sum(digit << 8 * step for step, digit in enumerate(order))
                start = starts + at + width
                stop = start + size
                fits = (size >= SHORTEST_FRAMED) & (stop <= ends) & (ends <= stop + MAX_HEAD)
                begins.append(start[fits])
                upto.append(stop[fits])
    return np.concatenate(begins), np.concatenate(upto)


def _leaves(layer: Layer, starts: Places, ends: Places) -> Iterator[tuple[int, bytes]]:
    """Yield the fields of binary formats without words: they may be compressed."""
    large = np.flatnonzero(ends - starts >= SMALL)
    large = large[may_be_framed(layer.lanes.array, starts[large], ends[large])]
    for number in large.tolist():
        start = int(starts[number])
        data = layer.data[start : int(ends[number])]
        for frame in frames.find_frames(data):
            for leaf in frame.ranges.values():
                if leaf.type != "number" and SMALLEST <= leaf.end - leaf.start < len(data):
                    yield start + leaf.start, data[leaf.start : leaf.end]
