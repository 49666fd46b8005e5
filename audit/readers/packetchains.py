"""Enhanced packet blocks of pcapng that follow one another, found without walking them.

A block's length stands at both its ends. Words that look like the beginning of a block and bear
out at its end are candidates; where each candidate ends at the next one, the chain is certain from
its first block on, for only a block's own length leads to the next.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from audit.readers.recordchunk import TAIL, Bytes, Ints

_ENHANCED: Final = 6
_SMALLEST: Final = 32
"""Bytes of an enhanced packet block without packet."""


class PacketChains:
    """The chains in one piece of a file that begins at a block."""

    def __init__(self, block: Bytes, order: str) -> None:
        words = block[: (len(block) - TAIL) // 4 * 4].view(order + "u4")
        at = np.flatnonzero(words[:-1] == _ENHANCED)
        length = words[at + 1].astype(np.int64)
        end = at + (length >> 2)
        fits = (length >= _SMALLEST) & (length & 3 == 0) & (end <= len(words))
        fits &= words[np.minimum(end, len(words)) - 1] == length
        self._at: Ints = at[fits]
        ends = end[fits]
        self._last: Ints = np.flatnonzero(ends[:-1] != self._at[1:])
        """Index of the last block of each chain but the very last."""

    def run_at(self, position: int) -> Ints | None:
        """Return the offsets of the chain that begins at ``position``, ``None`` if none does."""
        index = int(np.searchsorted(self._at, position // 4))
        if position % 4 or index == len(self._at) or self._at[index] * 4 != position:
            return None
        chain = int(np.searchsorted(self._last, index))
        end = int(self._last[chain]) + 1 if chain < len(self._last) else len(self._at)
        run: Ints = self._at[index:end] * 4
        return run

    def first(self, count: int) -> int | None:
        """Return where the first chain of at least ``count`` packets begins; ``None``: nowhere."""
        begins = np.concatenate(([0], self._last + 1))
        sizes = np.diff(np.append(begins, len(self._at)))
        long = np.flatnonzero(sizes >= count)
        return int(self._at[begins[long[0]]]) * 4 if len(long) else None
