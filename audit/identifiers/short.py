"""Short runs of letters that hold compressed data, picked out of many words at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from audit.identifiers.compression import inflate_zlib
from audit.identifiers.gates import LETTERS, LONG_RUN, PACKED_FIRST, SHORT_RUN
from audit.identifiers.lanes import ALNUM, LETTER, ahead, behind, bits_at, places, stretch
from audit.identifiers.layer import Batch, Layer, joined_batch
from audit.identifiers.packs import MOST, unpack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audit.identifiers.lanes import Bytes, Lanes, Places

    Mask = NDArray[np.bool_]
    Values = NDArray[np.uint8]

_BOTH_CASES: Final = 3
_CASE: Final = np.array(
    [1 if 0x41 <= byte < 0x5B else 2 if 0x61 <= byte < 0x7B else 0 for byte in range(256)], np.uint8
)
"""1 for capitals, 2 for small letters."""
_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BASE32: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_WIDTH: Final = 16
_PADDED: Final = 32
"""Bytes of a row of decoded ones, so that there are some behind the last."""
_SHORTEST_INNER: Final = 7
"""Letters from which encoded text inside encoded text is decoded again."""
_NO_VALUE: Final = 255
_NO_LENGTH: Final = 8
"""Unused bits of a length that no encoder gives."""
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


def _last_table() -> NDArray[np.uint8]:
    """Return by size and last letter in which alphabets a run may end: unused bits are zero."""
    table = np.zeros((_WIDTH, 256), np.uint8)
    for number, (_, values, unused) in enumerate(_ALPHABETS):
        for size in range(SHORT_RUN, LONG_RUN):
            bits = unused[size % len(unused)]
            if bits < _NO_LENGTH:
                fits = (values < _NO_VALUE) & (values & ((1 << bits) - 1) == 0)
                table[size] |= np.where(fits, 1 << number, 0).astype(np.uint8)
    return table.ravel()


_LAST: Final = _last_table()


_WORDS: Final = np.arange(1 << 16)
_ONES: Final = sum(
    ((_WORDS + 1) % (1 << count) == 0).astype(np.int64) for count in range(1, LONG_RUN + 1)
)
"""Sixteen bits -> how many are set from the lowest on."""
_HIGH_ONES: Final = sum(
    ((_WORDS >> (LONG_RUN - count)) == (1 << count) - 1).astype(np.int64)
    for count in range(1, LONG_RUN + 1)
)
"""Sixteen bits -> how many are set from the highest on."""


def short_runs(lanes: Lanes) -> tuple[Places, Places]:
    """Return the short runs: those of letters, and those of letters and digits before a sign."""
    letter, alnum = lanes.lane(LETTER), lanes.lane(ALNUM)
    eight = stretch(letter, SHORT_RUN)
    begin = alnum & ~behind(alnum, 1)
    starts = places(begin & eight & ~ahead(eight, LONG_RUN - SHORT_RUN))
    ends = starts + _ONES[bits_at(letter, starts)]
    upto = places(behind(stretch(alnum, SHORT_RUN), SHORT_RUN) & letter & ~alnum)
    size = _HIGH_ONES[bits_at(alnum, np.maximum(upto - LONG_RUN, 0))]
    kept = (upto >= LONG_RUN) & (size < LONG_RUN)
    before = upto[kept] - size[kept]
    early = upto[upto < LONG_RUN]  # too near to the beginning to look back so far
    heads = places(begin[:2])
    near = heads[np.searchsorted(heads, early - SHORT_RUN, side="right") - 1]
    return (
        np.concatenate((starts, near, before)),
        np.concatenate((ends, early, upto[kept])),
    )


def decode_short(layer: Layer) -> list[Batch]:
    """Open the short runs that hold compressed data; decode those of encoded or escaped text."""
    array = layer.lanes.array
    starts, ends = short_runs(layer.lanes)
    two = array[starts + 1].astype(np.int64) << 8 | array[starts]
    last = (ends - starts) << 8 | array[ends - 1]
    opens = _FIRST[two] & _LAST[last]
    kept = np.flatnonzero(opens)
    starts, ends, opens = starts[kept], ends[kept], opens[kept]
    if layer.depth:
        new = layer.is_new(starts, ends)
        starts, ends, opens = starts[new], ends[new], opens[new]
    parts: list[bytes] = []
    low: list[int] = []
    for number, (bits, values, _) in enumerate(_ALPHABETS):
        chosen = np.flatnonzero(opens & (1 << number))
        chosen = chosen[_begins(array, starts[chosen], values, bits)]
        at, rows = _open(array, starts[chosen], ends[chosen], values, bits)
        parts += rows
        low += starts[chosen][at].tolist()
    return [joined_batch("token", parts, low, low, fields=True)] if parts else []


def _begins(array: Bytes, starts: Places, values: Values, bits: int) -> Mask:
    """Whether the first three bytes are those of compressed data, or of text."""
    number = np.zeros(len(starts), np.int64)
    letters = -(-24 // bits)
    for step in range(letters):
        number = number << bits | values[array[starts + step]] & ((1 << bits) - 1)
    number >>= letters * bits - 24
    first = number >> 16
    text = _PRINTABLE[first] & _PRINTABLE[number >> 8 & 255] & _PRINTABLE[number & 255]
    found: Mask = text | _PACKED[first]
    return found


def _open(
    array: Bytes, starts: Places, ends: Places, values: Values, bits: int
) -> tuple[list[int], list[bytes]]:
    """Return the numbers of the runs that hold something, read in one alphabet, and what."""
    if not len(starts):
        return [], []
    size = ends - starts
    numbers = np.zeros((2, len(starts)), np.uint64)
    whole = np.ones(len(starts), np.bool_)
    cases = np.zeros(len(starts), np.uint8)
    for step in range(_WIDTH):
        text = array[starts + step]
        value = values[text]
        if step >= SHORT_RUN:
            beyond = size <= step
            value[beyond] = text[beyond] = 0
        whole &= value < _NO_VALUE
        cases |= _CASE[text]
        half = numbers[step >> 3]
        half <<= np.uint64(bits)
        half |= value
    if bits == 5:
        whole &= cases < _BOTH_CASES
    kept = np.flatnonzero(whole)
    rows = np.zeros((len(kept), _PADDED), np.uint8)
    for half in (0, 1):
        made = (numbers[half][kept] << np.uint64(64 - 8 * bits)).astype(">u8")
        rows[:, half * bits : half * bits + bits] = made.view(np.uint8).reshape(-1, 8)[:, :bits]
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
    array = np.append(rows.ravel(), np.zeros(_PADDED, np.uint8))
    numbers, parts, _ = unpack(array, begins, begins + count[some])
    at = some[np.array(numbers, np.int64)].tolist()
    for row in np.flatnonzero(rows[:, 0] == _ZLIB).tolist():
        done = inflate_zlib(rows[row, : count[row]].tobytes(), 0, MOST)
        if done is not None and done.data:
            parts.append(done.data)
            at.append(row)
    return at, parts
