"""IP fragments: later ones get the ports of the first, datagrams are put together (RFC 791)."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

import numpy as np

from audit.readers.frames import TCP, Frames

OPEN_LIMIT: Final = 65_536
"""Fragmented datagrams remembered at a time."""
DATAGRAM_LIMIT: Final = 65_535
_UNRESOLVED_LIMIT: Final = 4096
FragmentKey = tuple[bytes, bytes, int, int]
"""Source, destination, protocol, identification."""
FragmentHead = tuple[int, int, int]
"""Source port, destination port, TCP sequence number at offset 0."""


class FragmentPorts:
    """Remembers the transport header of first fragments, for all others of their datagrams.

    Fragments may come before their first one: within one chunk they get its ports too, and
    ``late`` tells the first ones that came chunks later.
    """

    def __init__(self, known: dict[FragmentKey, FragmentHead] | None = None) -> None:
        """``known`` are first fragments that an earlier look at the same packets met too late."""
        self._heads: dict[FragmentKey, FragmentHead] = dict(known or {})
        self.unresolved: set[FragmentKey] | None = set()
        """Fragments whose first one was not seen before; ``None``: order told more than is kept."""
        self.late: dict[FragmentKey, FragmentHead] = {}
        """First fragments whose datagrams had others in an earlier chunk."""

    @property
    def heads(self) -> frozenset[FragmentKey]:
        """Datagrams of which the first fragment was seen."""
        return frozenset(self._heads)

    def knows(self, key: FragmentKey) -> bool:
        """Whether a first fragment was seen."""
        return key in self._heads

    def resolve(self, frames: Frames) -> None:
        """Fill in ports (and TCP sequence numbers) of later fragments."""
        waiting: dict[FragmentKey, list[int]] = {}
        for index in np.flatnonzero((frames.fragment >= 0) & (frames.proto >= 0)).tolist():
            key = (
                frames.src[index].tobytes(),
                frames.dst[index].tobytes(),
                int(frames.proto[index]),
                int(frames.ident[index]),
            )
            if frames.fragment[index] == 0:
                head = self._remember(key, frames, index)
                if head is not None:
                    for earlier in waiting.pop(key, ()):
                        _fill(frames, earlier, key, head)
            elif (head := self._heads.get(key)) is not None:
                _fill(frames, index, key, head)
            else:
                waiting.setdefault(key, []).append(index)
        if self.unresolved is not None:
            self.unresolved.update(waiting)
            if len(self.unresolved) > _UNRESOLVED_LIMIT:
                self.unresolved = None

    def _remember(self, key: FragmentKey, frames: Frames, index: int) -> FragmentHead | None:
        if frames.sport[index] < 0:
            return None
        if len(self._heads) >= OPEN_LIMIT:
            del self._heads[next(iter(self._heads))]
            self.unresolved = None
        header = int(frames.header[index])
        base = (int(frames.seq[index]) - header) if key[2] == TCP else 0
        head = int(frames.sport[index]), int(frames.dport[index]), base
        if self.unresolved and key in self.unresolved:
            self.late.setdefault(key, head)
        self._heads[key] = head
        return head


def _fill(frames: Frames, index: int, key: FragmentKey, head: FragmentHead) -> None:
    frames.sport[index], frames.dport[index], base = head
    if key[2] == TCP:
        frames.seq[index] = (base + int(frames.fragment[index])) & 0xFFFFFFFF


class Pieces:
    """One datagram that came in fragments."""

    def __init__(self) -> None:
        self._data: list[tuple[int, bytes]] = []
        self._starts: list[int] = []
        """Where the stretches begin that came without a gap; ascending."""
        self._ends: list[int] = []
        self._end: int | None = None
        self.numbers: list[int] = []

    def add(self, offset: int, data: bytes, number: int, *, is_last: bool) -> bytes | None:
        """Take a fragment; return the payload when it is whole.

        ``offset`` counts in the UDP payload. Of bytes that came twice the first copy counts.
        """
        self.numbers.append(number)
        self._data.append((offset, data))
        self._cover(offset, offset + len(data))
        if is_last and self._end is None:
            self._end = offset + len(data)
        is_whole = self._end is not None and self._starts == [0] and self._ends[0] >= self._end
        return self._joined() if is_whole and self._ends[0] <= DATAGRAM_LIMIT else None

    def _cover(self, start: int, end: int) -> None:
        first = last = bisect_left(self._ends, start)
        while last < len(self._starts) and self._starts[last] <= end:
            start, end = min(start, self._starts[last]), max(end, self._ends[last])
            last += 1
        self._starts[first:last], self._ends[first:last] = [start], [end]

    def _joined(self) -> bytes:
        joined = bytearray(self._ends[0])
        for offset, data in reversed(self._data):
            joined[offset : offset + len(data)] = data
        return bytes(joined)

    def others(self, whole: bytes) -> list[bytes]:
        """Return the fragments that say something else than the datagram does in their place."""
        return [data for at, data in self._data if whole[at : at + len(data)] != data]

    def parts(self) -> list[tuple[int, bytes]]:
        """Return what came, in order, where the datagram is not whole."""
        return sorted(self._data)
