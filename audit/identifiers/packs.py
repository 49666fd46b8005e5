"""Which of many stretches may be headerless deflate or Brotli as a whole, judged all at once.

Nothing marks such data, but few bytes pass for it: stored blocks repeat their length, codes must be
complete, distances must not reach before the beginning, and the end must be the last byte. What
passes here is decompressed for a trial; what does not would have given nothing.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

import numpy as np

from audit.identifiers.compression import SMALL, inflate_brotli, inflate_headerless
from audit.identifiers.gates import PACKED_FIRST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audit.identifiers.lanes import Bytes, Places

    Mask = NDArray[np.bool_]

TRIAL: Final = 1024
"""Bytes that are decompressed for a trial."""
_TRIAL_OUTPUT: Final = 1 << 16
SYMBOLS: Final = 24
"""Symbols of fixed codes that are followed; what goes on after them is tried."""
TINY: Final = 12
"""Bytes under which Brotli has one tree of each sort."""
TINY_OUTPUT: Final = 4096
"""Bytes that come out of them, at most."""
FEW: Final = 96
"""Stretches that are tried sooner than followed further."""
MOST: Final = 1 << 20
"""Bytes that may come out of one stretch here."""


def _fixed_table() -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint16]]:
    """Return by nine bits of deflate's fixed codes: kind, bits, extra bits and base of a length.

    Kinds: 0 a literal, 1 the end, 2 a length, 3 no code (RFC 1951 §3.2.5, §3.2.6).
    """
    kinds = np.full(512, 3, np.uint8)
    sizes = np.zeros(512, np.uint8)
    lengths = np.zeros(512, np.uint16)
    extra = [0] * 8 + [bits for bits in range(1, 6) for _ in range(4)] + [0]
    base, at = [], 3
    for bits in extra[:-1]:
        base.append(at)
        at += 1 << bits
    base.append(258)
    for value in range(512):
        code = int(format(value, "09b")[::-1], 2)
        top = code >> 2
        if top <= 0b0010111:
            symbol, bits = top + 256, 7
        elif code >> 1 <= 0b10111111:
            symbol, bits = (code >> 1) - 0b00110000, 8
        elif code >> 1 <= 0b11000111:
            symbol, bits = (code >> 1) - 0b11000000 + 280, 8
        else:
            symbol, bits = code - 0b110010000 + 144, 9
        sizes[value] = bits
        if symbol < 256:
            kinds[value] = 0
        elif symbol == 256:
            kinds[value] = 1
        elif symbol <= 285:
            kinds[value] = 2
            lengths[value] = base[symbol - 257] | extra[symbol - 257] << 12
    return kinds, sizes, lengths


_KINDS, _SIZES, _LENGTHS = _fixed_table()
_DISTANCE_EXTRA: Final = np.array([0, 0, *(bits for bits in range(14) for _ in (0, 1))], np.int64)
_DISTANCE_BASE: Final = np.concatenate(([1], 1 + np.cumsum(1 << _DISTANCE_EXTRA)[:-1]))
_REVERSED5: Final = np.array([int(format(value, "05b")[::-1], 2) for value in range(32)], np.int64)
_FIRST: Final = np.isin(np.arange(256), np.array(sorted(PACKED_FIRST)))
_BROTLI_FIRST: Final = np.array(
    [byte & 1 == 1 and byte & 15 >= 3 and byte >> 4 in (0, 1, 8) for byte in range(256)]
)


def may_be_packed(array: Bytes, starts: Places, ends: Places, *, whole: bool = True) -> Mask:
    """Tell which stretches may be compressed as a whole, as ``decode_headerless`` opens them.

    ``whole=False``: the stretches are only the beginnings of longer ones. Behind the last one at
    least 16 bytes stand.
    """
    found = np.zeros(len(starts), np.bool_)
    view = memoryview(array.data)
    for numbers, trial in zip(
        _plausible(array, starts, ends, whole=whole), (_inflates, _is_brotli), strict=True
    ):
        for number in numbers.tolist():
            if not found[number]:
                found[number] = trial(view[starts[number] : ends[number]], whole)
    return found


def unpack(array: Bytes, starts: Places, ends: Places) -> tuple[list[int], list[bytes], list[int]]:
    """Return what comes out of the stretches that are compressed as a whole.

    Three lists: the number of each such stretch, what came out of it, and the numbers of those
    that give too much. Behind the last stretch at least 16 bytes stand.
    """
    numbers: list[int] = []
    made: list[bytes] = []
    large: list[int] = []
    data = memoryview(array.data)
    for chosen, inflate in zip(
        _plausible(array, starts, ends, whole=True),
        (inflate_headerless, inflate_brotli),
        strict=True,
    ):
        for number in chosen.tolist():
            packed = bytes(data[starts[number] : ends[number]])
            done = inflate(packed, 0, MOST)
            if done is None or not done.data:
                continue
            if done.cut:
                large.append(number)
            elif done.complete and done.used == len(packed):
                numbers.append(number)
                made.append(done.data)
    return numbers, made, large


def _plausible(array: Bytes, starts: Places, ends: Places, *, whole: bool) -> tuple[Places, Places]:
    """Return which stretches may be headerless deflate, and which Brotli."""
    if not len(starts):
        return starts, starts
    sizes = ends - starts if whole else np.full(len(starts), len(array) * 2 + TRIAL)
    first = array[starts]
    kind = first >> 1 & 3
    long = sizes >= 3
    fixed = np.flatnonzero(long & (kind == 1))
    fixed = fixed[_fixed_holds(array, starts[fixed], sizes[fixed])]
    dynamic = np.flatnonzero((kind == 2) & (sizes >= 12))
    dynamic = dynamic[_codes_hold(array, starts[dynamic])]
    stored = np.flatnonzero((kind == 0) & (sizes >= 5))
    stored = stored[_length_holds(array, starts[stored])]
    brotli = np.flatnonzero(long & ((sizes >= SMALL) | _FIRST[first]))
    brotli = brotli[_brotli_holds(array, starts[brotli], sizes[brotli])]
    return np.concatenate((fixed, dynamic, stored)), brotli


def _length_holds(array: Bytes, starts: Places) -> Mask:
    """Whether a stored block says its length twice (RFC 1951 §3.2.4)."""
    low = array[starts + 1] ^ array[starts + 3]
    high = array[starts + 2] ^ array[starts + 4]
    found: Mask = (low & high) == 0xFF
    return found


def _codes_hold(array: Bytes, starts: Places) -> Mask:
    """Whether the code of a dynamic block's code lengths is complete (RFC 1951 §3.2.7)."""
    head = array[starts].astype(np.uint64) | array[starts + 1].astype(np.uint64) << np.uint64(8)
    tail = np.zeros(len(starts), np.uint64)
    for at in range(8):
        tail |= array[starts + 2 + at].astype(np.uint64) << np.uint64(8 * at)
    literals = (head >> np.uint64(3) & np.uint64(31)) + np.uint64(257)
    distances = (head >> np.uint64(8) & np.uint64(31)) + np.uint64(1)
    count = (head >> np.uint64(13) | (tail & np.uint64(1)) << np.uint64(3)) + np.uint64(4)
    total = np.zeros(len(starts), np.int64)
    for at in range(19):
        size = (tail >> np.uint64(1 + 3 * at) & np.uint64(7)).astype(np.int64)
        total += np.where((size > 0) & (at < count), 128 >> size, 0)
    found: Mask = (literals <= 286) & (distances <= 30) & (total == 128)
    return found


def _bits(array: Bytes, starts: Places, at: Places) -> Places:
    """Return the next 24 bits or more of each stretch."""
    byte = np.minimum(starts + (at >> 3), len(array) - 4)
    word = array[byte].astype(np.int64)
    for step in (1, 2, 3):
        word |= array[byte + step].astype(np.int64) << (8 * step)
    return word >> (at & 7)


def _fixed_holds(array: Bytes, starts: Places, sizes: Places) -> Mask:
    """Whether a block of fixed codes can be followed to the end of its stretch."""
    holds = np.zeros(len(starts), np.bool_)
    rows = np.arange(len(starts))
    at = np.full(len(starts), 3, np.int64)
    made = np.zeros(len(starts), np.int64)
    for _ in range(SYMBOLS):
        if len(rows) < FEW:
            break
        begin, size = starts[rows], sizes[rows]
        word = _bits(array, begin, at)
        code = word & 511
        kind = _KINDS[code]
        at = at + _SIZES[code]
        over = kind == 1
        last = (array[begin] & 1) == 1
        holds[rows[over & (~last | ((at + 7) >> 3 == size))]] = True
        made = made + (kind == 0)
        valid = (kind == 0) | (kind == 2)
        copies = np.flatnonzero(kind == 2)
        if len(copies):
            length = _LENGTHS[code[copies]].astype(np.int64)
            extra = length >> 12
            behind = word[copies] >> _SIZES[code[copies]]
            made[copies] += (length & 4095) + (behind & ((1 << extra) - 1))
            at[copies] += extra
            word2 = _bits(array, begin[copies], at[copies])
            number = _REVERSED5[word2 & 31]
            known = number < 30
            number = np.minimum(number, 29)
            bits = _DISTANCE_EXTRA[number]
            distance = _DISTANCE_BASE[number] + (word2 >> 5 & ((1 << bits) - 1))
            at[copies] += 5 + bits
            before = made[copies] - (length & 4095) - (behind & ((1 << extra) - 1))
            valid[copies] = known & (distance <= before)
        valid &= at <= size * 8
        rows, at, made = rows[valid], at[valid], made[valid]
    holds[rows] = True
    return holds


def _brotli_holds(array: Bytes, starts: Places, sizes: Places) -> Mask:
    """Whether the first meta-block of short data is one that it has room for (RFC 7932 §9.2).

    Of blocks of several types, which save nothing in so few bytes, it has none, nor does it say
    that it holds more than 64 KiB; the shortest have one tree of each sort and few bytes.
    """
    word = np.zeros(len(starts), np.int64)
    for at in range(5):
        word |= array[starts + at].astype(np.int64) << (8 * at)
    last = word >> 4 & 1
    length = np.where(last, word >> 8, word >> 7) & 0xFFFF
    raw = (last == 0) & (word >> 23 & 1 == 1)
    coded = (word >> 24 & 7 == 0) & (
        (sizes >= TINY) | ((word >> 35 & 3 == 0) & (length < TINY_OUTPUT))
    )
    holds = _BROTLI_FIRST[array[starts]] & np.where(raw, length + 5 <= sizes, coded)
    return (sizes >= SMALL) | holds


def _inflates(data: memoryview, whole: bool) -> bool:
    decoder = zlib.decompressobj(-15)
    try:
        out = decoder.decompress(data[:TRIAL], _TRIAL_OUTPUT)
    except zlib.error:
        return False
    more = not whole or len(data) > TRIAL
    if decoder.eof:
        return bool(out) and not more and not decoder.unused_data
    return more or bool(decoder.unconsumed_tail)


def _is_brotli(data: memoryview, whole: bool) -> bool:
    found = inflate_brotli(bytes(data[:TRIAL]), 0, _TRIAL_OUTPUT)
    if found is None:
        return False
    return found.cut or not whole or len(data) > TRIAL or found.complete
