"""5-tuples seen before, found again without sorting: one look into a table a packet."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from audit.readers.frames import TCP, UDP, Frames
from audit.readers.recordchunk import Ints, Mask

_Words = npt.NDArray[np.uint64]
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)
_MORE: Final = np.uint64(0xD6E8FEB86659FD93)
_SMALLEST: Final = 16
_LARGEST: Final = 23
"""Logarithms of the table's size; above, more packets go the slow way, none goes wrong."""
_SPARSE: Final = 4
"""Logarithm of places a conversation."""


class KnownEnds:
    """Finds the conversations of TCP and UDP packets; a guess is always held against the key."""

    def __init__(self) -> None:
        self._bits = _SMALLEST
        self._places = np.full(1 << _SMALLEST, -1, dtype=np.int32)
        self._words = np.zeros((0, 5), dtype=np.uint64)
        """Key of each conversation: both addresses in two words each, protocol and ports."""
        self._hashes = np.zeros(0, dtype=np.uint64)

    def look_up(self, frames: Frames) -> tuple[Ints, Mask, _Words]:
        """Return conversation (-1: not found), whether side a sent it, and hash of each packet."""
        proto, ports = frames.proto, (frames.sport.view(np.uint64), frames.dport.view(np.uint64))
        base = (proto << 35 | frames.ipv6.astype(np.int64) << 34).view(np.uint64)
        hashes = (_end(frames.src, ports[0]) + _end(frames.dst, ports[1]) + base) * _MIX
        guess = self._places[(hashes >> np.uint64(64 - self._bits)).view(np.int64)].astype(np.int64)
        if not len(self._words):
            return guess, np.zeros(len(proto), dtype=bool), hashes
        row = self._words[guess]
        one, two = ((port + np.uint64(1)) for port in ports)
        shift = np.uint64(17)
        src, dst = frames.src, frames.dst
        ahead = (row[:, 1] == src[:, 1]) & (row[:, 3] == dst[:, 1])
        ahead &= (row[:, 0] == src[:, 0]) & (row[:, 2] == dst[:, 0])
        ahead &= row[:, 4] == (base | one << shift | two)
        back = (row[:, 1] == dst[:, 1]) & (row[:, 3] == src[:, 1])
        back &= (row[:, 0] == dst[:, 0]) & (row[:, 2] == src[:, 0])
        back &= row[:, 4] == (base | two << shift | one)
        found = (ahead | back) & (guess >= 0) & ((proto == TCP) | (proto == UDP))
        return np.where(found, guess, -1), ahead & found, hashes

    def learn(self, hashes: _Words, ids: Ints, words: _Words) -> None:
        """Note the keys of conversations."""
        need = int(np.max(ids)) + 1
        if need > len(self._words):
            extra = max(need, 2 * len(self._words), 64) - len(self._words)
            self._words = np.vstack([self._words, np.zeros((extra, 5), dtype=np.uint64)])
            self._hashes = np.concatenate([self._hashes, np.zeros(extra, dtype=np.uint64)])
        self._words[ids], self._hashes[ids] = words, hashes
        wanted = min(max(need.bit_length() + _SPARSE, _SMALLEST), _LARGEST)
        if wanted > self._bits:
            self._bits = wanted + 1 if wanted < _LARGEST else wanted
            self._places = np.full(1 << self._bits, -1, dtype=np.int32)
            ids, hashes = np.arange(need), self._hashes[:need]
        self._places[(hashes >> np.uint64(64 - self._bits)).view(np.int64)] = ids


def _end(address: _Words, port: _Words) -> _Words:
    mixed = (address[:, 1] ^ (address[:, 0] * _MORE)) * _MIX + port
    mixed ^= mixed >> np.uint64(29)
    return mixed * _MORE
