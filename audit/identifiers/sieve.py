"""What of many pieces is worth looking at: found for all of them at once, layer by layer.

Whatever the decoders could make of the pieces is made here in bulk and searched, without working
out how it came there. Where nothing shows, nothing is: the decoders themselves then run only where
something does, and say what it is. What is let through in vain costs time, nothing else.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from audit.identifiers.binary import text_fields
from audit.identifiers.bulk import are_joined, decode_runs
from audit.identifiers.folds import undo_escapes
from audit.identifiers.gates import MAGICS, stands
from audit.identifiers.layer import Batch, Layer, first_layer, next_layer
from audit.identifiers.piece import DEEPER, MAX_DEPTH
from audit.identifiers.runs import is_short_run
from audit.identifiers.short import decode_short
from audit.identifiers.unmarked import MAX_COUNTED
from audit.identifiers.unpacking import may_be_zlib, unpack_layer

if TYPE_CHECKING:
    from audit.identifiers.engine import Engine, Event
    from audit.identifiers.lanes import Places
    from audit.identifiers.needles import Anchors

SURE_TRIGGER: Final = 6
"""Letters from which a trigger counts in long runs too, where few stand by chance."""
MAX_LAYERS: Final = 64 << 20
"""Bytes that the layers behind the first may have together, beyond eight times the first."""
NEAR: Final = 600
"""Bytes around what shows in which escapes are undone as well."""
ESCAPED_MOST: Final = 9
"""Bytes that an escaped letter takes, hardly ever more."""
_SIGNS: Final = {
    b"%": ("percent", "percent-u"),
    b"+": ("plus",),
    b"\\": ("escaped",),
    b"=": ("quoted",),
    b"&": ("html",),
}
"""Sign -> the gates of the escapes that consist of it."""
_MESSAGE_FIRST: Final = frozenset(bytes([byte]) for byte in range(8, 128) if byte & 7 == 2)
"""First bytes of messages of protocol buffers that are text."""
CLOSE: Final = 16
"""Bytes in which four escapes make bytes of a binary format a value that is all escaped."""
_TELLING: Final = frozenset(("value", "trigger", "zip"))
"""What must be looked at where it stands in something decoded; the rest is decoded first."""


@dataclass(slots=True)
class Found:
    """What shows in one piece."""

    candidates: list[Event] = field(default_factory=list)
    """Ends and numbers of anchors of needles."""
    marks: dict[str, list[int]] = field(default_factory=dict)
    """Gate -> where its pattern stands, for gates whose decoders work place by place."""
    kinds: set[str] = field(default_factory=set)
    """Gates whose decoders must see the whole piece."""
    message: bool = False
    """Whether it is text that reads as a message of a binary format."""


class Sieve:
    """Finds out what is worth looking at."""

    def __init__(self, engine: Engine, anchors: Anchors) -> None:
        self._engine = engine
        self._anchors = anchors
        self._lengths = [len(text) for text in anchors.texts]

    def sift(self, stretches: Sequence[bytes], depth: int = 0) -> list[Found | None] | None:
        """Return by stretch what shows in it (None: nothing); None where there is too much.

        ``depth``: decoders on the way to the stretches. What could be decoded more often than
        the bound allows shows, too.
        """
        layer = first_layer(stretches)
        found: list[Found | None] = [None] * len(stretches)
        for number, data in enumerate(stretches):
            if data[:1] in _MESSAGE_FIRST and len(data) <= MAX_COUNTED and text_fields(data):
                _of(found, number).message = True
        self._look(layer, found)
        batches = _decode(layer)
        roots = _Roots(layer, batches)
        left = 8 * len(layer.data) + MAX_LAYERS
        while batches:
            if layer.depth + depth >= MAX_DEPTH:
                roots.tell(_deeper(layer, batches))
            if layer.depth >= MAX_DEPTH:
                break
            left -= sum(len(batch.data) for batch in batches)
            if left < 0:
                return None
            layer = next_layer(layer, batches)
            told = list(self._told(layer))
            hot = [number for number, gate, _, _ in told if gate in _TELLING]
            hot += _sure(batches)
            marks = [(number, gate, at) for number, gate, at, _ in told if gate not in _TELLING]
            unpacked, large = unpack_layer(layer, marks)
            roots.tell(layer.owners[np.array(hot + large, np.int64)])
            batches = [*_decode(layer), *unpacked]
        roots.give(found)
        return found

    def _look(self, layer: Layer, found: list[Found | None]) -> None:
        """Note what shows in the pieces themselves."""
        starts = layer.starts.tolist()
        for number, gate, offset, anchor in self._told(layer):
            here = _of(found, number)
            if gate == "value":
                here.candidates.append((offset - starts[number], anchor))
                start = offset - self._lengths[anchor]
                size = self._unfinished(anchor, layer.data, start)
                if size:
                    _note_escapes(layer, here, number, start, start + ESCAPED_MOST * size)
            else:
                here.marks.setdefault(gate, []).append(offset - starts[number])

    def _unfinished(self, anchor: int, data: bytes, start: int) -> int:
        """Return the bytes of the longest needle of which not all stands here, 0: all do."""
        return max(
            (
                len(needle.data)
                for needle in self._anchors.needles[anchor]
                if len(needle.data) > self._lengths[anchor]
                and data[start : start + len(needle.data)].lower() != needle.data.lower()
            ),
            default=0,
        )

    def _told(self, layer: Layer) -> Iterator[tuple[int, str, int, int]]:
        """Yield what the engine finds: stretch, gate (``value``), offset, and number of an anchor.

        The offset is the end of an anchor, a place in a trigger, or where a gate's pattern begins.
        """
        data = layer.data
        events = self._engine.values(data)
        if not events:
            return
        count = len(self._lengths)
        numbers = layer.stretch_of(np.array([end - 1 for end, _ in events])).tolist()
        for (end, event), number in zip(events, numbers, strict=True):
            if event >= count:
                name, mark = MAGICS[event - count]
                start = end - len(mark)
                if name != "zlib" or may_be_zlib(data, start, int(layer.ends[number])):
                    yield number, name, start, -1
                continue
            if self._anchors.needles[event]:
                yield number, "value", end, event
            if is_trigger(self._anchors.triggers[event], self._lengths[event], data, end):
                yield number, "trigger", end - 1, event


def is_trigger(texts: frozenset[bytes], size: int, data: bytes, end: int) -> bool:
    """Whether one of some triggers, all of one size, ends here, and counts."""
    return (
        bool(texts)
        and data[end - size : end] in texts
        and (size >= SURE_TRIGGER or is_short_run(data, end - 1))
    )


def _of(found: list[Found | None], number: int) -> Found:
    here = found[number]
    if here is None:
        here = found[number] = Found()
    return here


def _decode(layer: Layer) -> list[Batch]:
    found = [*decode_runs(layer), *decode_short(layer)]
    found += [_doubt(layer, batch) for batch in undo_escapes(layer)]
    return [batch for batch in found if len(batch.low)]


def _doubt(layer: Layer, batch: Batch) -> Batch:
    """Let through what is undone in a way of which the bulk knows too little.

    In binary formats a length may read as a part of an escape, or of grouped digits.
    """
    if not len(batch.low):
        return batch
    doubted = np.zeros(len(batch.low), np.bool_)
    if layer.depth:
        doubted |= layer.in_binary(batch.low)
        if batch.gate != "hex-groups":
            dense = batch.changed[:-3][batch.changed[3:] - batch.changed[:-3] <= CLOSE]
            first, last = np.searchsorted(dense, (batch.starts, batch.ends))
            doubted &= last > first
    return replace(batch, sure=np.union1d(batch.sure, np.flatnonzero(doubted)))


def _sure(batches: Sequence[Batch]) -> list[int]:
    """Return the numbers, in the next layer, of the results that must be looked at."""
    found: list[int] = []
    before = 0
    for batch in batches:
        found += (batch.sure + before).tolist()
        before += len(batch.low)
    return found


def _deeper(layer: Layer, batches: Sequence[Batch]) -> Places:
    """Return the stretches of layer 1 that give something still, one layer further."""
    long = np.concatenate([batch.ends - batch.starts >= DEEPER for batch in batches])
    if not layer.depth:
        return np.flatnonzero(long)
    places = np.concatenate([batch.low for batch in batches])
    return layer.owners[layer.stretch_of(places[long])]


class _Roots:
    """The stretches of layer 1: where each came from in which piece, and whether it tells."""

    def __init__(self, layer: Layer, batches: Sequence[Batch]) -> None:
        self._layer = layer
        self._gates = [batch.gate for batch in batches for _ in batch.low]
        self._low = [at for batch in batches for at in batch.low.tolist()]
        self._high = [at for batch in batches for at in batch.high.tolist()]
        self._hot: set[int] = set()

    def tell(self, numbers: Places) -> None:
        """Note what must be looked at."""
        self._hot.update(numbers.tolist())

    def give(self, found: list[Found | None]) -> None:
        """Note the marks of all that must be looked at with the pieces."""
        if not self._hot:
            return
        layer = self._layer
        begins, upto = _line_blocks(layer)
        marks: dict[tuple[int, str], set[int]] = {}
        for root in self._hot:
            low, high, gate = self._low[root], self._high[root], self._gates[root]
            number = int(layer.stretch_of(np.array([low]))[0])
            first = int(layer.starts[number])
            _note_escapes(layer, _of(found, number), number, low, high)
            if gate == "run":
                start = bisect_right(upto, low)
                end = max(high, upto[start] if start < len(upto) and begins[start] <= low else 0)
                begin = min(low, begins[start]) if end > high else low
                run = layer.long_runs[0]
                at, to = np.searchsorted(run, (begin, end))
                marks.setdefault((number, gate), set()).update((run[at:to] - first).tolist())
            elif gate == "token":
                marks.setdefault((number, gate), set()).add(low - first)
            else:
                _of(found, number).kinds.add(gate)
        for (number, gate), offsets in marks.items():
            _of(found, number).marks[gate] = sorted(offsets)


def _line_blocks(layer: Layer) -> tuple[list[int], list[int]]:
    """Return where runs in lines that may be one text begin and end: marks are all theirs."""
    starts, ends = layer.long_runs
    joined = are_joined(layer.lanes.array, starts, ends)
    heads = np.flatnonzero(joined & ~np.concatenate(([False], joined[:-1])))
    last = np.flatnonzero(~joined)
    return starts[heads].tolist(), ends[last[np.searchsorted(last, heads)]].tolist()


def _note_escapes(layer: Layer, here: Found, number: int, low: int, high: int) -> None:
    """Note escapes around what shows: undone, they may say more of it, or of its place."""
    start = max(int(layer.starts[number]), low - NEAR)
    around = layer.data[start : min(int(layer.ends[number]), high + NEAR)]
    for sign, gates in _SIGNS.items():
        if sign in around:
            here.kinds.update(gate for gate in gates if stands(gate, around))
