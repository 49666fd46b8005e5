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
from audit.identifiers.gates import DYNAMIC_FIRST, PACKED_FIRST, SHORT_RUN
from audit.identifiers.lanes import LETTER, UNUSUAL, any_in, stretch
from audit.identifiers.layer import Batch, Layer, joined_batch
from audit.identifiers.packs import MOST, unpack
from audit.identifiers.piece import Piece
from audit.identifiers.text import is_text
from audit.identifiers.unmarked import (
    MAX_COUNTED,
    MAX_HEAD,
    MAX_LENGTHS,
    SHORTEST_FRAMED,
    SMALLEST,
)

if TYPE_CHECKING:
    from audit.identifiers.lanes import Bytes, Places

    Spans = tuple[Places, Places]
    """Beginnings and ends."""

_LENGTH_DELIMITED: Final = 2
"""Low bits of a tag of protocol buffers before a length."""
_HIGHEST: Final = 3
"""High byte of a length of two bytes, at most."""
_TRIAL: Final = 512
_TRIAL_OUTPUT: Final = 1 << 16
_OPENING: Final = np.isin(np.arange(256), np.array(sorted(PACKED_FIRST | DYNAMIC_FIRST)))
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
    for starts, ends in spans:
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
    wordy = any_in(stretch(layer.lanes.lane(LETTER), SHORT_RUN), starts, ends)
    message = np.flatnonzero(layer.fields & ~odd & (layer.ends > layer.starts))
    message = message[array[layer.starts[message]] & 7 == _LENGTH_DELIMITED]
    leaves = [*_taken_apart(layer, binary[wordy]), *_messages(layer, message)]
    starts, ends = starts[~wordy], ends[~wordy]
    leaves += _leaves(layer, starts, ends)
    small = ends - starts < SMALL
    framed = _framed(array, starts[~small], ends[~small])
    leaves += [
        (start, layer.data[start:end]) for start, end in zip(*map(list, framed), strict=True)
    ]
    return [
        (starts, ends),
        _behind_length(array, starts[small], ends[small]),
        _behind_lengths(array, starts[~small], ends[~small]),
    ], leaves


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


def may_be_zlib(data: bytes, start: int) -> bool:
    """Whether zlib data begins here, as far as its first bytes show."""
    try:
        zlib.decompressobj().decompress(data[start : start + _TRIAL], _TRIAL_OUTPUT)
    except zlib.error:
        return False
    return True


def _behind_length(array: Bytes, starts: Places, ends: Places) -> Spans:
    """Return where compressed data may stand behind its length, in short stretches."""
    sizes = np.maximum(ends - starts - 1, 0)
    before = np.cumsum(sizes) - sizes
    at = np.arange(int(sizes.sum())) + np.repeat(starts + 1 - before, sizes)
    limit = np.repeat(ends, sizes)
    first = _OPENING[array[at]]
    at, limit = at[first], limit[first]
    size = array[at - 1].astype(np.int64)
    fits = (size >= SMALLEST) & (size < SMALL) & (at + size <= limit)
    return at[fits], at[fits] + size[fits]


def _behind_lengths(array: Bytes, starts: Places, ends: Places) -> Spans:
    """Return where compressed data may stand behind a length of two bytes."""
    begins, upto = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        if end - start > MAX_COUNTED:
            continue
        part = array[start:end]
        opens = _OPENING[part[2:]]
        for high, low in ((part[:-2], part[1:-1]), (part[1:-1], part[:-2])):
            at = np.flatnonzero((high <= _HIGHEST) & opens)[:MAX_LENGTHS]
            size = high[at].astype(np.int64) << 8 | low[at]
            fits = (size >= SMALLEST) & (at + 2 + size <= end - start)
            begins.append(at[fits] + start + 2)
            upto.append((at + size)[fits] + start + 2)
    return np.concatenate(begins), np.concatenate(upto)


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
    for number in np.flatnonzero(ends - starts >= SMALL).tolist():
        start = int(starts[number])
        data = layer.data[start : int(ends[number])]
        for frame in frames.find_frames(data):
            for leaf in frame.ranges.values():
                if leaf.type != "number" and SMALLEST <= leaf.end - leaf.start < len(data):
                    yield start + leaf.start, data[leaf.start : leaf.end]
