"""Directed 5-tuples seen before, found again without sorting: one look into a table a packet."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from audit.readers.frames import Frames
from audit.readers.recordchunk import Ints

_Words = npt.NDArray[np.uint64]
_MIX: Final = tuple(
    np.uint64(number)
    for number in (
        0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9,
        0xFF51AFD7ED558CCD,
    )
)  # fmt: skip
_SMALLEST: Final = 16
_LARGEST: Final = 24
"""Logarithms of the table's size; above, more packets go the slow way, none goes wrong."""
_SPARSE: Final = 3
"""Logarithm of places a lane."""


class KnownEnds:
    """Finds the lanes of usual TCP and UDP packets; a guess is always held against the key.

    A lane is twice the number of a conversation, plus 1 for what side b sent.
    """

    def __init__(self) -> None:
        self._bits = _SMALLEST
        self._places = np.full(1 << _SMALLEST, -1, dtype=np.int32)
        self._words = np.zeros((5, 0), dtype=np.uint64)
        """Key of each lane, as :func:`_key` has it; all 0: not seen."""
        self._hashes = np.zeros(0, dtype=np.uint64)

    def look_up(self, frames: Frames) -> tuple[Ints, Key]:
        """Return the lane of each packet (-1: not found) and what it was looked for by."""
        key = Key(frames)
        at = (key.hashes >> np.uint64(64 - self._bits)).view(np.int64)
        lane = self._places[at].astype(np.int64)
        if not self._words.shape[1]:
            return lane, key
        found = frames.plain & (lane >= 0)
        for known, word in zip(self._words[:3], key.words[:3], strict=True):
            found &= known[lane] == word
        wide = key.wide
        for known, word in zip(self._words[3:], key.words[3:], strict=True):
            found[wide] &= known[lane[wide]] == word
        lane[~found] = -1
        return lane, key

    def learn(self, key: Key, index: Ints, lanes: Ints) -> None:
        """Note the keys of packets whose lanes are known now."""
        chosen = key.plain[index]
        index, lanes = index[chosen], lanes[chosen]
        if not len(index):
            return
        need = int(np.max(lanes)) + 1
        room = self._words.shape[1]
        if need > room:
            extra = max(need, 2 * room, 128) - room
            fresh = np.zeros((5, extra), dtype=np.uint64)
            self._words = np.concatenate([self._words, fresh], axis=1)
            self._hashes = np.concatenate([self._hashes, np.zeros(extra, dtype=np.uint64)])
        hashes = key.hashes[index]
        self._words[:, lanes], self._hashes[lanes] = key.of(index), hashes
        wanted = min(max(need.bit_length() + _SPARSE, _SMALLEST), _LARGEST)
        if wanted > self._bits:
            self._bits = min(wanted + 1, _LARGEST)
            self._places = np.full(1 << self._bits, -1, dtype=np.int32)
            lanes = np.flatnonzero(self._words[0])
            hashes = self._hashes[lanes]
        self._places[(hashes >> np.uint64(64 - self._bits)).view(np.int64)] = lanes


class Key:
    """What tells the lanes of packets: words as they lie in the headers."""

    def __init__(self, frames: Frames) -> None:
        head, six = frames.head, frames.ipv6
        self.plain = frames.plain
        ports = (frames.sport << 16 | (frames.dport & 0xFFFF)).view(np.uint64)
        kind = (frames.proto & 0xFF | six.astype(np.int64) << 8 | 1 << 9) << 32
        kinds = ports ^ kind.view(np.uint64)
        near = head[:, 12:20].view("<u8")[:, 0]
        self.wide = np.flatnonzero(six)
        """IPv6: they have two words more."""
        far = np.zeros(len(near), dtype=np.uint64)
        if len(self.wide):
            wide = head[self.wide]
            near = near.copy()
            near[self.wide] = wide[:, 16:24].view("<u8")[:, 0]
            far[self.wide] = wide[:, 32:40].view("<u8")[:, 0]
            more = [wide[:, at : at + 8].view("<u8")[:, 0] for at in (8, 24)]
        else:
            more = [far[:0], far[:0]]
        self.words = [kinds, near, far, *more]
        mixed = kinds * _MIX[0] + near * _MIX[1] + far * _MIX[2]
        if len(self.wide):
            mixed[self.wide] += more[0] * _MIX[3] + more[1] * _MIX[4]
        mixed ^= mixed >> np.uint64(32)
        mixed *= _MIX[4]
        mixed ^= mixed >> np.uint64(29)
        mixed *= _MIX[0]
        self.hashes = mixed

    def of(self, index: Ints) -> _Words:
        """Return the words of some packets, one column a packet."""
        found = np.zeros((5, len(index)), dtype=np.uint64)
        for row, word in enumerate(self.words[:3]):
            found[row] = word[index]
        if len(self.wide):
            at = np.searchsorted(self.wide, index)
            at = np.minimum(at, len(self.wide) - 1)
            is_wide = self.wide[at] == index
            for row, word in enumerate(self.words[3:], start=3):
                found[row] = np.where(is_wide, word[at], 0)
        return found
