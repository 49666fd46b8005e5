"""Hexadecimal text with separators, decoded in bulk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import numpy as np

from audit.identifiers.groups import digits_of, groups_at
from audit.identifiers.lanes import HEX, SEPARATOR, ahead, behind, places, stretch
from audit.identifiers.layer import GAP, Batch, Layer, joined_batch

if TYPE_CHECKING:
    from audit.identifiers.lanes import Places

LONGEST_GLUED: Final = 256
"""Bytes of grouped digits right beside another digit that are decoded without it."""
REACH: Final = 512
"""Bytes of grouped digits behind a gate of which one may be new."""
_PAIRS: Final = re.compile(rb"[0-9A-Fa-f]{2}([-:. ,+])[0-9A-Fa-f]{2}(?:\1[0-9A-Fa-f]{2}){2,}")
_PREFIXED: Final = re.compile(rb"0[xX][0-9A-Fa-f]{2}[\s,;]{1,2}0[xX][0-9A-Fa-f]{2}")
_NIBBLE: Final = np.array(
    [int(chr(byte), 16) if chr(byte) in "0123456789abcdefABCDEF" else 99 for byte in range(256)],
    np.uint8,
)
_UUID: Final = 36
"""Bytes of a UUID (RFC 9562 §4), its dashes included."""
_DASHES: Final = np.array((8, 13, 18, 23))
_DIGITS: Final = np.setdiff1d(np.arange(_UUID), _DASHES)
_SECOND: Final = 9
"""Where the second group of a UUID begins: its gate."""
_LOOK_BACK: Final = 32
_LOOK_ON: Final = 16


def decode_grouped(layer: Layer) -> Iterator[Batch]:
    """Decode hexadecimal text with separators, where the gate of its decoder opens."""
    gates = _gates(layer)
    gates = gates[layer.is_new(gates, gates + REACH)] if layer.depth else gates
    if not len(gates):
        return
    uuids = _uuids(layer, gates)
    if len(uuids):
        yield _decoded(layer, uuids)
        owner = np.searchsorted(uuids, gates, side="right") - 1
        floors = np.where(owner < 0, 0, uuids[owner] + _UUID)
        gates, floors = gates[gates >= floors], floors[gates >= floors]
    else:
        floors = np.zeros_like(gates)
    yield from _one_by_one(layer, gates, floors)


def _uuids(layer: Layer, gates: Places) -> Places:
    """Return where UUIDs begin that are no part of longer hexadecimal text."""
    starts = gates[gates > _SECOND] - _SECOND
    text = layer.lanes.array[starts[:, None] + np.arange(_UUID)]
    holds = (text[:, _DASHES] == 0x2D).all(axis=1)
    holds &= (_NIBBLE[text[:, _DIGITS]] < 16).all(axis=1)
    array = layer.lanes.array
    before, behind_, next_ = array[starts - 1], array[starts + _UUID], array[starts + _UUID + 1]
    holds &= _NIBBLE[before] > 15
    holds &= (_NIBBLE[behind_] > 15) & ~((behind_ == 0x2D) & (_NIBBLE[next_] < 16))
    return np.unique(starts[holds])


def _decoded(layer: Layer, starts: Places) -> Batch:
    digits = _NIBBLE[layer.lanes.array[starts[:, None] + _DIGITS]]
    rows = np.full((len(starts), 16 + len(GAP)), GAP[0], np.uint8)
    rows[:, :16] = digits[:, ::2] << 4 | digits[:, 1::2]
    at = np.arange(len(starts)) * rows.shape[1]
    return Batch("hex-groups", rows.tobytes(), at, at + 16, starts, starts + _UUID, fields=True)


def _one_by_one(layer: Layer, gates: Places, floors: Places) -> Iterator[Batch]:
    """Decode where gates open; nothing before its floor belongs to what a gate shows."""
    found: list[bytes] = []
    low: list[int] = []
    high: list[int] = []
    done = 0
    for seen, floor in zip(gates.tolist(), floors.tolist(), strict=True):
        if seen < done:
            continue
        match = groups_at(layer.data, max(done, floor, seen - _LOOK_BACK), seen + _LOOK_ON)
        glued = None
        if match is None or match.start() > seen:
            # A digit stands right beside it: a length, or what follows.
            glued = _PAIRS.match(layer.data, seen, seen + LONGEST_GLUED)
            match = glued or match
        if match is None:
            continue
        # The last pair of glued digits may be the first of other ones.
        done = match.end() - (2 if glued else 0)
        digits = digits_of(match[0])
        if len(digits) % 2 == 0:
            found.append(bytes.fromhex(digits.decode("ascii")))
            low.append(match.start())
            high.append(match.end())
    if found:
        yield joined_batch("hex-groups", found, low, high, fields=True)


def _gates(layer: Layer) -> Places:
    """Return where pairs with one separator, or groups of four, begin."""
    array = layer.lanes.array
    digit = layer.lanes.lane(HEX)
    mark = layer.lanes.lane(SEPARATOR)
    pair = stretch(digit, 2)
    begin = ~behind(digit, 1) | (behind(digit, 1) & ~behind(digit, 2))
    marked = pair & ahead(mark, 2)
    twice = marked & ahead(marked, 3)
    at = places(twice & ahead(twice, 3) & ahead(pair, 9) & begin)
    same = array[at + 2] == array[at + 5]
    same &= array[at + 2] == array[at + 8]
    four = pair & ahead(pair, 2)
    fours = places(four & ahead(mark, 4) & ahead(four, 5) & begin)
    fours = fours[~np.isin(array[fours + 4], (0x2C, 0x2B))]
    prefixed: Places = np.zeros(0, np.int64)
    if b"0x" in layer.data or b"0X" in layer.data:
        prefixed = np.array([match.start() for match in _PREFIXED.finditer(layer.data)], np.int64)
    return np.sort(np.concatenate((at[same], fours, prefixed)))
