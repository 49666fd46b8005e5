r"""Escapes, undone all at once, with just enough of what stands around them.

What escapes hide touches an escape: elsewhere the bytes are as they were, and were searched. So of
a layer only windows around the escapes go on to the next one, as wide as what may be found there:
the first bytes of a needle, a short run, and long runs, or rows of other escapes and of numbers, as
far as they reach.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import numpy as np

from audit.identifiers.grouped import decode_grouped
from audit.identifiers.lanes import ahead, places, to_lane
from audit.identifiers.layer import LATIN, WRITTEN_MOST, Batch, Layer, join, joined_batch
from audit.identifiers.text import is_text
from audit.identifiers.units import (
    Units,
    backslash_units,
    entity_units,
    form_units,
    percent_u_units,
    percent_units,
    plus_units,
    quoted_units,
    unnamed_units,
    written,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audit.identifiers.lanes import Places

    Mask = NDArray[np.bool_]

WIDTH: Final = 24
"""Decoded bytes on either side of an escape that are searched with it: more than the letters of a
short run, and than the bytes by which a needle is known."""
NARROW: Final = 16
"""The same where nothing but needles is looked for."""


def undo_escapes(layer: Layer) -> Iterator[Batch]:
    """Undo every sort of escapes that stands in a layer, each by itself.

    Of two sorts that stand beside each other the one of lower rank is undone first; the other
    way round would give the same, unless one brings about escapes of the other.
    """
    data = layer.data
    if b"%" in data:
        signs = np.flatnonzero(layer.lanes.array == 0x25)
        percent = percent_units(layer.lanes.array, signs)
        yield from _fold(layer, percent, "percent", 1)
        yield from _fold(layer, plus_units(layer, percent), "percent", 2)
        yield from _fold(layer, percent_u_units(layer.lanes.array, signs), "percent-u", 3)
    if b"+" in data and b"=" in data:
        yield from _fold(layer, form_units(layer), "plus", 4)
    if b"\\" in data:
        units = backslash_units(layer)
        yield from _fold(layer, units, "escaped", 5)
        if ((units.code >= 0x80) & (units.code < 0x100)).any():
            narrow = Units(units.at, units.size, units.code, wide=False)
            yield from _fold(layer, narrow.where(units.code < 0x100), "escaped", LATIN)
    if b"=" in data:
        quoted = quoted_units(layer)
        yield from _fold(layer, quoted, "quoted", 7)
        yield from _fold(layer, unnamed_units(layer, quoted), "quoted", 8)
    if b"&" in data:
        yield from _fold(layer, entity_units(layer), "html", 9)
    if b"\0" in data:
        yield from _wide_text(layer)
    yield from decode_grouped(layer)


def _fold(layer: Layer, units: Units, gate: str, rank: int) -> Iterator[Batch]:
    """Undo escapes; give the windows around them, each cut at the ends of its stretch."""
    owner = layer.stretch_of(units.at)
    within = units.at + units.size <= layer.ends[owner]
    if layer.depth and len(units.at):
        touched = owner[_is_touched(layer, units)]
        own = layer.ranks[owner]
        within &= ((own < rank) | np.isin(owner, touched)) & (own != LATIN)
    units = units.where(within)
    if not len(units.at):
        return
    out, made = written(units)
    low, high, first, last = _windows(layer, units, made, rank)
    kept = _worthwhile(units, first, last, rank)
    low, high = low[kept], high[kept]
    if not len(low):
        return
    number = np.searchsorted(low, units.at, side="right") - 1
    inside = (number >= 0) & (units.at + units.size <= high[number])
    units, number = units.where(inside), number[inside]
    out, made = out[inside], made[inside]
    data, starts, ends = _gather(layer.data, low, high)
    at = units.at + (starts - low)[number]
    array = np.frombuffer(data, np.uint8).copy()
    keep = np.ones(len(array), np.bool_)
    for step in range(int(np.max(units.size))):
        chosen = units.size > step
        where = at[chosen] + step
        if step < WRITTEN_MOST:
            array[where] = out[chosen, step]
        keep[where] = step < made[chosen]
    folded = array[keep].tobytes()
    shift = np.concatenate(([0], np.cumsum(units.size - made)))
    starts, ends = (offsets - shift[np.searchsorted(at, offsets)] for offsets in (starts, ends))
    strange = number[_is_strange(units, made, out)]
    sure = _hides_binary(layer, strange, (low, high), folded, (starts, ends), rank)
    yield Batch(gate, folded, starts, ends, low, high, False, rank, at - shift[:-1], sure)


def _is_touched(layer: Layer, units: Units) -> Mask:
    """Whether escapes, or long runs right beside them, hold anything new."""
    ends_at = units.at + units.size
    touched = layer.touched(units.at, ends_at)
    starts, ends = layer.long_runs
    new = layer.touched(starts, ends)
    starts, ends = starts[new], ends[new]
    if len(starts):
        behind_ = np.minimum(np.searchsorted(starts, units.at), len(starts) - 1)
        before = np.maximum(np.searchsorted(ends, units.at, side="right") - 1, 0)
        touched |= (starts[behind_] >= units.at) & (starts[behind_] <= ends_at)
        touched |= (ends[before] <= units.at) & (ends[before] >= units.at - 1)
    return touched


def _gather(data: bytes, low: Places, high: Places) -> tuple[bytes, Places, Places]:
    """Return ranges of some bytes as one, with gaps, and where each begins and ends."""
    return join([data[start:end] for start, end in zip(low.tolist(), high.tolist(), strict=True)])


def _worthwhile(units: Units, first: Places, last: Places, rank: int) -> Mask:
    """Whether windows hold what makes this way of undoing escapes another one."""
    if rank == 2:
        telling = units.size == 1
    elif rank == LATIN:
        telling = units.code >= 0x80
    else:
        return np.ones(len(first), np.bool_)
    count = np.concatenate(([0], np.cumsum(telling)))
    return count[last + 1] > count[first]


def _windows(
    layer: Layer, units: Units, made: Places, rank: int
) -> tuple[Places, Places, Places, Places]:
    """Return the windows around escapes, not overlapping, and their first and last escapes."""
    owner = layer.stretch_of(units.at)
    shift = np.concatenate(([0], np.cumsum(units.size - made)[:-1]))
    place = units.at - shift  # in decoded bytes
    width = WIDTH if rank != LATIN else NARROW
    apart = place[1:] - place[:-1] - made[:-1] > 2 * width
    first = np.concatenate(([True], apart | (owner[1:] != owner[:-1])))
    last = np.concatenate((first[1:], [True]))
    numbers = np.flatnonzero(first), np.flatnonzero(last)
    owner = owner[first]
    low = np.maximum(units.at[first] - width, layer.starts[owner])
    high = np.minimum((units.at + units.size)[last] + width, layer.ends[owner])
    if rank != LATIN:
        for held in (layer.long_runs, layer.coded_runs, layer.long_runs):
            low, high = _extend(low, high, *held)
        low, high = low - MARGIN, high + MARGIN
    low = np.maximum(low, layer.starts[owner])
    high = np.minimum(high, layer.ends[owner])
    reach = np.maximum.accumulate(high)
    first = np.concatenate(([True], (low[1:] >= reach[:-1]) | (owner[1:] != owner[:-1])))
    heads = np.flatnonzero(first)
    tails = np.append(heads[1:], len(low)) - 1
    return low[heads], np.maximum.reduceat(high, heads), numbers[0][heads], numbers[1][tails]


def _extend(low: Places, high: Places, starts: Places, ends: Places) -> tuple[Places, Places]:
    """Widen ranges that begin or end inside a run by all of it."""
    if not len(starts):
        return low, high
    run = np.searchsorted(starts, low, side="right") - 1
    low = np.where((run >= 0) & (ends[run] >= low), starts[run], low)
    run = np.searchsorted(starts, high, side="right") - 1
    return low, np.where((run >= 0) & (ends[run] >= high), ends[run], high)


def _is_strange(units: Units, made: Places, out: NDArray[np.uint8]) -> Mask:
    """Whether escapes stand for bytes that no text has: control characters, bytes of no letter."""
    byte = out[:, 0]
    strange = (made > 0) & ((byte >= 0x7F) | ((byte < 0x20) & ~np.isin(byte, (9, 10, 12, 13, 27))))
    return strange & (byte < 0x80) if units.wide else strange


def _hides_binary(
    layer: Layer,
    numbers: Places,
    encoded: tuple[Places, Places],
    folded: bytes,
    decoded: tuple[Places, Places],
    rank: int,
) -> Places:
    """Return the windows that are no text once undone: they may be compressed data.

    One escape in what is no text anyhow does not make it so, nor one letter of Latin-1 in a text.
    """
    found, counts = np.unique(numbers, return_counts=True)
    held = [
        number
        for number, count in zip(found.tolist(), counts.tolist(), strict=True)
        if not is_text(folded[decoded[0][number] : decoded[1][number]])
        and (
            count >= STRANGE
            or (rank < LATIN and is_text(layer.data[encoded[0][number] : encoded[1][number]]))
        )
    ]
    return np.array(held, np.int64)


MARGIN: Final = 12
"""Bytes around all that is searched with escapes: one more escape, which may end it."""
STRANGE: Final = 3
"""Bytes beyond ASCII, each written as an escape of its own, from which a window may be no text."""


def _wide_text(layer: Layer) -> Iterator[Batch]:
    """Take the zeros out of UTF-16."""
    array = layer.lanes.array
    zero = to_lane(array == 0)
    letter = to_lane((array >= 0x20) | ((array >= 9) & (array <= 13)))
    pair = letter & ahead(zero, 1)
    at = places(pair & ahead(pair, 2) & ahead(pair, 4))
    if not len(at):
        return
    apart = np.diff(at) > 2
    low = at[np.concatenate(([True], apart))] - 1
    high = at[np.concatenate((apart, [True]))] + 7
    owner = layer.stretch_of(low + 2)
    begins = np.maximum(low, layer.starts[owner]).tolist()
    upto = np.minimum(high, layer.ends[owner]).tolist()
    parts = [
        layer.data[start:end].translate(None, b"\0")
        for start, end in zip(begins, upto, strict=True)
    ]
    yield joined_batch("utf16", parts, begins, upto, fields=False)
