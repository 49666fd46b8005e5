"""Short runs of letters that hold compressed data, picked out of many words at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from audit.identifiers.compression import inflate_zlib
from audit.identifiers.gates import LETTERS, LONG_RUN, PACKED_FIRST, SHORT_RUN
from audit.identifiers.lanes import ALNUM, LETTER, behind, places, runs, stretch
from audit.identifiers.layer import Batch, Layer, joined_batch
from audit.identifiers.packs import MOST, unpack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audit.identifiers.lanes import Bytes, Lanes, Places

    Mask = NDArray[np.bool_]
    Values = NDArray[np.uint8]

_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BASE32: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_WIDTH: Final = 16
_PADDED: Final = 32
"""Bytes of a row of decoded ones, so that there are some behind the last."""
_SHORTEST_INNER: Final = 7
"""Letters from which encoded text inside encoded text is decoded again."""
_NO_VALUE: Final = 255
_ZLIB: Final = 0x78


def _values(alphabet: bytes, extra: dict[int, int]) -> Values:
    table = np.full(256, _NO_VALUE, np.uint8)
    for value, letter in enumerate(alphabet):
        table[letter] = value
    for letter, value in extra.items():
        table[letter] = value
    return table


_PACKED: Final = np.isin(np.arange(256), np.array(sorted(PACKED_FIRST)))
_OPEN: Final = _PACKED | np.isin(np.arange(256), np.array(sorted(LETTERS)))
_INNER: Final = np.isin(np.arange(256), np.frombuffer(_BASE64 + b"-_=", np.uint8))
_PRINTABLE: Final = (np.arange(256) >= 0x20) & (np.arange(256) < 0x7F)
_SIGN: Final = np.isin(np.arange(256), np.frombuffer(b"%\\&=", np.uint8))
"""Bytes that escapes begin with."""
_ALPHABETS: Final = (
    (6, _values(_BASE64, {0x2D: 62, 0x5F: 63}), (0, 8, 4, 2)),
    (
        5,
        _values(_BASE32, {letter + 32: value for value, letter in enumerate(_BASE32[:26])}),
        (0, 8, 2, 8, 4, 1, 8, 3),
    ),
    (
        4,
        _values(b"0123456789abcdef", {letter: letter - 55 for letter in range(65, 71)}),
        (0, 8),
    ),
)
"""Bits of a letter, its value, and by the rest of a length how many bits of the last letter are
unused (8: there is no such length)."""


def _first_table() -> Values:
    """Return by two letters (the first in the low byte) in which alphabets they may begin."""
    table = np.zeros((256, 256), np.uint8)
    for number, (bits, values, _) in enumerate(_ALPHABETS):
        first, second = values[None, :].astype(np.int64), values[:, None].astype(np.int64)
        byte = (first << bits | second) >> (2 * bits - 8) & 255
        table |= np.where(
            (first < _NO_VALUE) & (second < _NO_VALUE) & _OPEN[byte], 1 << number, 0
        ).astype(np.uint8)
    return table.ravel()


_FIRST: Final = _first_table()


def short_runs(lanes: Lanes) -> tuple[Places, Places]:
    """Return the short runs: those of letters, and those of letters and digits before a sign."""
    letter, alnum = lanes.lane(LETTER), lanes.lane(ALNUM)
    begin = alnum & ~behind(alnum, 1)
    starts = places(begin & stretch(letter, SHORT_RUN) & ~stretch(letter, LONG_RUN))
    _, ends = runs(letter, SHORT_RUN)
    ends = ends[np.searchsorted(ends, starts + SHORT_RUN)] if len(starts) else starts
    signed = letter & ~alnum
    before, upto = runs(alnum, SHORT_RUN)
    kept = (upto - before < LONG_RUN) & _is_at(signed, upto)
    return np.concatenate((starts, before[kept])), np.concatenate((ends, upto[kept]))


def _is_at(lane: NDArray[np.uint64], offsets: Places) -> Mask:
    bits = lane[offsets >> 6] >> (offsets & 63).astype(np.uint64)
    found: Mask = (bits & np.uint64(1)).astype(np.bool_)
    return found


def decode_short(layer: Layer) -> list[Batch]:
    """Open the short runs that hold compressed data; decode those of encoded or escaped text."""
    array = layer.lanes.array
    starts, ends = short_runs(layer.lanes)
    kept = np.flatnonzero(_FIRST[_two(array, starts)])
    starts, ends = starts[kept], ends[kept]
    if layer.depth:
        new = layer.is_new(starts, ends)
        starts, ends = starts[new], ends[new]
    opens = _FIRST[_two(array, starts)]
    parts: list[bytes] = []
    low: list[int] = []
    for number, (bits, values, unused) in enumerate(_ALPHABETS):
        chosen = np.flatnonzero(opens >> number & 1)
        chosen = chosen[_ends_well(array, starts[chosen], ends[chosen], values, unused)]
        at, rows = _open(array, starts[chosen], ends[chosen], values, bits)
        parts += rows
        low += starts[chosen][at].tolist()
    return [joined_batch("token", parts, low, low, fields=True)] if parts else []


def _two(array: Bytes, starts: Places) -> NDArray[np.uint16]:
    return array[starts] | array[starts + 1].astype(np.uint16) << np.uint16(8)


def _ends_well(
    array: Bytes, starts: Places, ends: Places, values: Values, unused: tuple[int, ...]
) -> Mask:
    """Whether the bits that nothing is encoded in are zero, as encoders write them."""
    bits = np.array(unused, np.uint8)[(ends - starts) % len(unused)]
    last = values[array[ends - 1]]
    found: Mask = (bits < 8) & (last & ((1 << bits) - 1) == 0)
    return found


def _open(
    array: Bytes, starts: Places, ends: Places, values: Values, bits: int
) -> tuple[list[int], list[bytes]]:
    """Return the numbers of the runs that hold something, read in one alphabet, and what."""
    index = starts[:, None] + np.arange(_WIDTH)
    text = array[index]
    beyond = np.arange(_WIDTH) >= (ends - starts)[:, None]
    value = values[text]
    value[beyond] = 0
    whole = (value < _NO_VALUE).all(axis=1)
    if bits == 5:
        letters = (text >= 0x41) & ~beyond
        small = text >= 0x61
        whole &= ~((letters & small).any(axis=1) & (letters & ~small).any(axis=1))
    kept = np.flatnonzero(whole)
    flat = np.unpackbits(value[kept][:, :, None], axis=2)[:, :, 8 - bits :]
    rows = np.zeros((len(kept), _PADDED), np.uint8)
    made = np.packbits(flat.reshape(len(kept), _WIDTH * bits), axis=1)
    rows[:, : made.shape[1]] = made
    count = (ends - starts)[kept] * bits // 8
    at, parts = _inflated(rows, count)
    beyond = np.arange(_PADDED) >= count[:, None]
    inner = (_INNER[rows] | beyond).all(axis=1) & (count >= _SHORTEST_INNER)
    escaped = (_PRINTABLE[rows] | beyond).all(axis=1) & (_SIGN[rows] & ~beyond).any(axis=1)
    for row in np.flatnonzero(inner | escaped).tolist():
        at.append(row)
        parts.append(rows[row, : count[row]].tobytes())
    return kept[np.array(at, np.int64)].tolist(), parts


def _inflated(rows: NDArray[np.uint8], count: Places) -> tuple[list[int], list[bytes]]:
    """Return which rows are compressed, and what they give."""
    some = np.flatnonzero(_PACKED[rows[:, 0]])
    begins = some * _PADDED
    numbers, parts, _ = unpack(
        np.append(rows.ravel(), np.zeros(16, np.uint8)), begins, begins + count[some]
    )
    at = some[np.array(numbers, np.int64)].tolist()
    for row in np.flatnonzero(rows[:, 0] == _ZLIB).tolist():
        done = inflate_zlib(rows[row, : count[row]].tobytes(), 0, MOST)
        if done is not None and done.data:
            parts.append(done.data)
            at.append(row)
    return at, parts
