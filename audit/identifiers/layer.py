"""One layer of a search in bulk: stretches of bytes, joined, and what came out of where.

Layer 0 are the pieces themselves; layer k + 1 is what the decoders make of layer k, all of it at
once. Only *that* something lies in a stretch is learned here; what it is, how it came there and
whether it counts is then worked out for the stretches on the way alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from audit.identifiers.gates import LONG_RUN
from audit.identifiers.lanes import LETTER, Lanes, runs
from audit.identifiers.text import is_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audit.identifiers.lanes import Places

    Mask = NDArray[np.bool_]

GAP: Final = b"\n\n\n"
"""Between stretches: ends runs, joins no lines, and is what three bytes of base64 can be."""
TAIL: Final = b"\n" * 64
"""Behind the last stretch: what looks ahead from any byte finds bytes there."""
LATIN: Final = 6
"""Rank of escapes read as bytes: of what they give only the bytes themselves are searched."""
CODED_RUN: Final = 12
"""Bytes of escapes and numbers from which they are a row."""
WRITTEN_MOST: Final = 4
"""Bytes that one escape stands for, at most."""


def _none() -> Places:
    return np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one decoder made of many stretches of a layer."""

    gate: str
    """The gate that opens the decoder."""
    data: bytes
    starts: Places
    ends: Places
    """Where each result lies in ``data``."""
    low: Places
    high: Places
    """Where each came from in the layer."""
    fields: bool
    """Whether each is a field of its own, which may be compressed as a whole."""
    rank: int = 0
    """Which sort of escapes was undone (1 and more); 0: all bytes are new."""
    changed: Places = field(default_factory=_none)
    """Where, in ``data``, stand bytes that are new (escapes only)."""
    sure: Places = field(default_factory=_none)
    """Numbers of results that must be looked at, whatever is found in them."""


class Layer:
    """Joined stretches with their owners."""

    def __init__(self, data: bytes, starts: Places, ends: Places, owners: Places) -> None:
        self.data = data + TAIL
        self.starts = starts
        self.ends = ends
        self.owners = owners
        """What each stretch goes back to: a piece (layer 0) or a stretch of layer 1."""
        self.fields: Mask = np.zeros(len(starts), np.bool_)
        """Which stretches are whole fields."""
        self.ranks: Places = np.zeros(len(starts), np.int64)
        self.changed: Places = _none()
        self.depth = 0
        self._texts: dict[int, bool] = {}

    @cached_property
    def lanes(self) -> Lanes:
        """The classes of the bytes."""
        return Lanes(self.data)

    @cached_property
    def long_runs(self) -> tuple[Places, Places]:
        """Where the long runs of letters begin and end."""
        return runs(self.lanes.lane(LETTER), LONG_RUN)

    @cached_property
    def coded_runs(self) -> tuple[Places, Places]:
        """Where rows of what escapes and lists of numbers consist of begin and end."""
        return runs(self.lanes.coded, CODED_RUN)

    def stretch_of(self, offsets: Places) -> Places:
        """Return the number of the stretch that each offset lies in, or before."""
        return np.searchsorted(self.starts, offsets, side="right") - 1

    def touched(self, starts: Places, ends: Places) -> Mask:
        """Whether there is anything new in ranges, or right beside them."""
        first = np.searchsorted(self.changed, starts - WRITTEN_MOST)
        last = np.searchsorted(self.changed, ends, side="right")
        return last > first

    def is_new(self, starts: Places, ends: Places) -> Mask:
        """Whether ranges are not just what the layer before showed as well."""
        if not len(self.changed):
            return np.ones(len(starts), np.bool_)
        ranks = self.ranks[self.stretch_of(starts)]
        new: Mask = (ranks == 0) | ((ranks != LATIN) & self.touched(starts, ends))
        return new

    def reads_as_text(self, number: int) -> bool:
        """Whether a stretch reads as text."""
        known = self._texts.get(number)
        if known is None:
            start, end = int(self.starts[number]), int(self.ends[number])
            known = self._texts[number] = is_text(self.data[start : min(end, start + 5000)])
        return known

    def in_binary(self, offsets: Places) -> Mask:
        """Whether offsets lie in stretches that are no text."""
        known, inverse = np.unique(self.stretch_of(offsets), return_inverse=True)
        binary = [not self.reads_as_text(int(number)) for number in known]
        return np.array(binary, np.bool_)[inverse]


def first_layer(stretches: Sequence[bytes]) -> Layer:
    """Return the pieces' own bytes as a layer."""
    data, starts, ends = join(stretches)
    return Layer(data, starts, ends, np.arange(len(stretches)))


def next_layer(layer: Layer, batches: Sequence[Batch]) -> Layer:
    """Join what the decoders made of a layer; owners are numbered anew for layer 1."""
    data, firsts, _ = join([batch.data for batch in batches])
    counts = [len(batch.low) for batch in batches]
    shifts = np.repeat(firsts, counts)
    low = np.concatenate([batch.low for batch in batches])
    made = Layer(
        data,
        np.concatenate([batch.starts for batch in batches]) + shifts,
        np.concatenate([batch.ends for batch in batches]) + shifts,
        layer.owners[layer.stretch_of(low)] if layer.depth else np.arange(len(low)),
    )
    made.fields = np.repeat([batch.fields for batch in batches], counts)
    made.ranks = np.repeat([batch.rank for batch in batches], counts)
    made.changed = np.concatenate(
        [batch.changed + first for batch, first in zip(batches, firsts, strict=True)]
    )
    made.depth = layer.depth + 1
    return made


def join(parts: Sequence[bytes]) -> tuple[bytes, Places, Places]:
    """Return parts as one, with gaps between them, and where each begins and ends."""
    sizes = np.fromiter(map(len, parts), np.int64, len(parts))
    starts = np.cumsum(sizes + len(GAP)) - sizes - len(GAP)
    return GAP.join(parts), starts, starts + sizes


def joined_batch(
    gate: str, parts: Sequence[bytes], low: Sequence[int], high: Sequence[int], *, fields: bool
) -> Batch:
    """Return parts as a batch."""
    data, starts, ends = join(parts)
    return Batch(gate, data, starts, ends, np.array(low), np.array(high), fields)
