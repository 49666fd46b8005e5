"""IP fragments: later ones get the ports of the first, datagrams are put together (RFC 791)."""

from __future__ import annotations

from typing import Final

import numpy as np

from audit.readers.frames import TCP, Frames

OPEN_LIMIT: Final = 65_536
"""Fragmented datagrams remembered at a time."""
DATAGRAM_LIMIT: Final = 65_535
_UNRESOLVED_LIMIT: Final = 4096
FragmentKey = tuple[bytes, bytes, int, int]
"""Source, destination, protocol, identification."""


class FragmentPorts:
    """Remembers the transport header of first fragments, for those that follow."""

    def __init__(self) -> None:
        self._heads: dict[FragmentKey, tuple[int, int, int]] = {}
        self.unresolved: set[FragmentKey] | None = set()
        """Fragments whose first one was not seen before; ``None``: order told more than is kept."""

    def knows(self, key: FragmentKey) -> bool:
        """Whether a first fragment was seen."""
        return key in self._heads

    def resolve(self, frames: Frames) -> None:
        """Fill in ports (and TCP sequence numbers) of later fragments."""
        for index in np.flatnonzero((frames.fragment >= 0) & (frames.proto >= 0)).tolist():
            key = (
                frames.src[index].tobytes(),
                frames.dst[index].tobytes(),
                int(frames.proto[index]),
                int(frames.ident[index]),
            )
            if frames.fragment[index] == 0:
                self._remember(key, frames, index)
            elif (head := self._heads.get(key)) is not None:
                frames.sport[index], frames.dport[index], base = head
                if key[2] == TCP:
                    frames.seq[index] = (base + int(frames.fragment[index])) & 0xFFFFFFFF
            elif self.unresolved is not None:
                self.unresolved.add(key)
                if len(self.unresolved) > _UNRESOLVED_LIMIT:
                    self.unresolved = None

    def _remember(self, key: FragmentKey, frames: Frames, index: int) -> None:
        if frames.sport[index] < 0:
            return
        if len(self._heads) >= OPEN_LIMIT:
            del self._heads[next(iter(self._heads))]
            self.unresolved = None
        header = int(frames.header[index])
        base = (int(frames.seq[index]) - header) if key[2] == TCP else 0
        self._heads[key] = (int(frames.sport[index]), int(frames.dport[index]), base)


class Pieces:
    """One datagram that came in fragments."""

    def __init__(self) -> None:
        self._data: dict[int, bytes] = {}
        self._end: int | None = None
        self.numbers: list[int] = []

    def add(self, offset: int, data: bytes, number: int, *, is_last: bool) -> bytes | None:
        """Take a fragment; return the payload when it is whole.

        ``offset`` counts in the UDP payload. Of bytes that came twice the first copy counts.
        """
        self.numbers.append(number)
        self._data.setdefault(offset, data)
        if is_last:
            self._end = offset + len(data)
        return self._joined() if self._end is not None else None

    def _joined(self) -> bytes | None:
        joined = bytearray()
        for offset in sorted(self._data):
            if offset > len(joined):
                return None
            joined += self._data[offset][len(joined) - offset :]
        whole = self._end is not None and self._end <= len(joined) <= DATAGRAM_LIMIT
        return bytes(joined) if whole else None

    def parts(self) -> list[tuple[int, bytes]]:
        """Return what came, in order, where the datagram is not whole."""
        return sorted(self._data.items())
