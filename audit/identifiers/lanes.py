"""Classes of bytes as bits, sixty-four places a word: runs are found without looking at each byte.

Bit i of a lane tells of byte i of the data. Shifts over a whole lane answer "sixteen letters from
here" for all places at once.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Lane = NDArray[np.uint64]
    """Words of 64 places, the lowest bit first."""
    Places = NDArray[np.int64]
    """Offsets in the data, ascending."""
    Bytes = NDArray[np.uint8]

LETTER: Final = 1
"""Letters of base64 and base64url."""
ALNUM: Final = 2
HEX: Final = 4
UPPER32: Final = 8
"""Letters of base32, in capitals."""
LOWER32: Final = 16
SEPARATOR: Final = 32
"""What may part the pairs of hexadecimal text."""
UNUSUAL: Final = 64
"""Bytes that no ASCII text has."""
DELIMITER: Final = 128
"""Bytes that end an address of the web or a form."""
_MEMBERS: Final = {
    LETTER: b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_",
    ALNUM: b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
    HEX: b"0123456789abcdefABCDEF",
    UPPER32: b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
    LOWER32: b"abcdefghijklmnopqrstuvwxyz234567",
    SEPARATOR: b"-:. ,+",
    DELIMITER: b" \t\r\n\f\v\"'<>\\^`{|}\0",
    UNUSUAL: bytes((*range(9), 11, *range(14, 27), *range(28, 32), *range(127, 256))),
}
_CLASSES: Final = bytes(
    sum(bit for bit, members in _MEMBERS.items() if byte in members) for byte in range(256)
)
_CODED: Final = bytes(
    byte in b"0123456789abcdefABCDEFxXuU%\\&#;={}[](),.:+- \t\r\n" for byte in range(256)
)
_WORD: Final = 64
_DENSE: Final = 4
"""Of so many words one with a bit makes a lane dense."""


class Lanes:
    """The classes of some bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.array: Bytes = np.frombuffer(data, np.uint8)
        self._classes: Bytes = np.frombuffer(data.translate(_CLASSES), np.uint8)
        self._lanes: dict[int, Lane] = {}

    @cached_property
    def coded(self) -> Lane:
        """The places of digits and of the signs of escapes."""
        return to_lane(np.frombuffer(self.data.translate(_CODED), np.uint8))

    def lane(self, class_: int) -> Lane:
        """Return the places of one class; a word of none follows the last."""
        known = self._lanes.get(class_)
        if known is None:
            known = self._lanes[class_] = to_lane(self._classes & np.uint8(class_))
        return known


def to_lane(flags: NDArray[np.uint8] | NDArray[np.bool_]) -> Lane:
    """Return one bit for each item that is not zero."""
    packed = np.packbits(flags, bitorder="little")
    words = np.zeros(len(packed) // 8 + 2, np.uint64)
    words.view(np.uint8)[: len(packed)] = packed
    return words


def ahead(lane: Lane, count: int) -> Lane:
    """Return a lane whose bit i is bit i + ``count`` (below 64) of another."""
    moved = lane >> np.uint64(count)
    if count:
        moved[:-1] |= lane[1:] << np.uint64(_WORD - count)
    return moved


def behind(lane: Lane, count: int) -> Lane:
    """Return a lane whose bit i is bit i - ``count`` (below 64) of another."""
    moved = lane << np.uint64(count)
    if count:
        moved[1:] |= lane[:-1] >> np.uint64(_WORD - count)
    return moved


def stretch(lane: Lane, count: int) -> Lane:
    """Return where at least ``count`` places of a lane stand in a row, from there on."""
    found, size = lane, 1
    while size < count:
        step = min(size, count - size)
        found = found & ahead(found, step)
        size += step
    return found


def places(lane: Lane) -> Places:
    """Return the offsets of a lane's bits."""
    words = np.flatnonzero(lane)
    if len(words) * _DENSE > len(lane):
        bits = np.unpackbits(lane.view(np.uint8), bitorder="little")
        return np.flatnonzero(bits.view(np.bool_))
    bits = np.unpackbits(lane[words].view(np.uint8), bitorder="little")
    found = np.flatnonzero(bits.view(np.bool_))
    offsets: Places = (words << 6)[found >> 6] + (found & 63)
    return offsets


def bits_at(lane: Lane, offsets: Places) -> Places:
    """Return the sixteen bits of a lane from each offset on, the first one lowest."""
    word, bit = offsets >> 6, (offsets & 63).astype(np.uint64)
    # Shifting by 64 is undefined: the word behind is moved in two steps.
    bits = lane[word] >> bit | lane[word + 1] << (np.uint64(63) - bit) << np.uint64(1)
    found: Places = (bits & np.uint64(0xFFFF)).astype(np.int64)
    return found


def runs(lane: Lane, count: int) -> tuple[Places, Places]:
    """Return the longest rows of at least ``count`` places: their beginnings and ends."""
    starts = stretch(lane, count)
    first = starts & ~behind(lane, 1)
    last = behind(starts, count - 1) if count <= _WORD else starts
    ends = last & ~ahead(lane, 1)
    return places(first), places(ends) + 1


def any_in(lane: Lane, starts: Places, ends: Places) -> NDArray[np.bool_]:
    """Whether a lane has a bit between each start and its end."""
    counts = np.bitwise_count(lane).astype(np.int64)
    before = np.concatenate(([0], np.cumsum(counts)))

    def upto(offsets: Places) -> Places:
        words, bits = offsets >> 6, (offsets & 63).astype(np.uint64)
        mask = (np.uint64(1) << bits) - np.uint64(1)
        count: Places = before[words] + np.bitwise_count(lane[words] & mask)
        return count

    return upto(ends) > upto(starts)
