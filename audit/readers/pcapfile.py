"""Classic pcap: both byte orders, microseconds and nanoseconds, the modified (Kuznetzov) form.

Layout: 24-byte file header, then records of 16 (modified: 24) bytes and the packet.
"""

from __future__ import annotations

import struct
from typing import Final

import numpy as np

from audit.readers.bytesource import ByteSource
from audit.readers.recordchunk import (
    TAIL,
    Bytes,
    Interface,
    RecordChunk,
    nanoseconds,
    numbers_in,
    words_at,
)
from audit.readers.recordwalk import RECORD_LIMIT, WIRE_LIMIT, Place, Walk

MAGICS: Final[dict[bytes, tuple[str, int, int]]] = {
    b"\xd4\xc3\xb2\xa1": ("<", 1_000_000, 16),
    b"\xa1\xb2\xc3\xd4": (">", 1_000_000, 16),
    b"\x4d\x3c\xb2\xa1": ("<", 1_000_000_000, 16),
    b"\xa1\xb2\x3c\x4d": (">", 1_000_000_000, 16),
    b"\x34\xcd\xb2\xa1": ("<", 1_000_000, 24),
    b"\xa1\xb2\xcd\x34": (">", 1_000_000, 24),
}
"""Magic -> byte order, ticks a second, length of a record's header."""
HEADER: Final = 24
_SEARCHED: Final = 1 << 18
"""Bytes in which the beginning of a record is looked for."""
_CHAIN: Final = 16
"""Records in a row that bear a beginning out."""
_NEAR: Final = 1 << 28
"""Seconds that the packets of one file may lie apart where a beginning is looked for."""


class PcapWalk(Walk):
    """One walk over the records of a classic pcap file."""

    def __init__(self, source: ByteSource, place: Place | None = None) -> None:
        head = source.read(0, HEADER)
        order, self._ticks, self._head = MAGICS[head[:4]]
        snaplen, link = struct.unpack_from(order + "II", head, 16)
        face = Interface(link=link & 0xFFFF, snaplen=snaplen, ticks=self._ticks)
        begin = Place(at=HEADER, order=order, interfaces=(face,))
        super().__init__(source, place or begin, keeps_aside=place is not None)

    def step(self, block: Bytes) -> tuple[RecordChunk | None, int, int, str | None]:
        """Read whole records; return packets, bytes used, bytes that the next needs, trouble."""
        length_at = struct.Struct(self.order + "8xI").unpack_from
        found: list[int] = []
        position, end, head = 0, len(block) - TAIL, self._head
        view = block.data
        needed = head
        while position + head <= end:
            needed = head + length_at(view, position)[0]
            if needed > RECORD_LIMIT or position + needed > end:
                break
            found.append(position)
            position += needed
            needed = head
        if found:
            return self._chunk(block, found), position, needed, None
        if needed > RECORD_LIMIT:
            return None, 0, needed, f"packet {{number}} claims {needed - head} bytes"
        return None, 0, needed, None

    @property
    def torn(self) -> str:
        """What is said of a file that ends inside a record."""
        return "the file ends inside packet {number}"

    def find(self, near: int) -> int | None:
        """Return where a record probably begins behind an offset; ``None``: it cannot be told.

        Records follow one another: a beginning leads to others, each with a time near that of the
        first packet and no more bytes captured than there were on the wire.
        """
        first = self.source.read(HEADER, 4)
        block = self.source.array(near, _SEARCHED)
        count = len(block) - TAIL - self._head
        if len(first) < 4 or count <= 0:
            return None
        every = numbers_in(block, self.order + "u4")
        seconds, fraction, kept, wire = (every[at : at + count] for at in (0, 4, 8, 12))
        begin = struct.unpack(self.order + "I", first)[0]
        good = (kept <= wire) & (kept > 0) & (kept <= _SEARCHED) & (fraction < self._ticks)
        good &= np.abs(seconds.astype(np.int64) - begin) < _NEAR
        for at in np.flatnonzero(good)[: 4 * _CHAIN].tolist():
            position, chain = at, 0
            while position < count and good[position] and chain < _CHAIN:
                position += self._head + int(kept[position])
                chain += 1
            if chain == _CHAIN:
                return near + int(at)
        return None

    def _chunk(self, data: Bytes, at: list[int]) -> RecordChunk:
        heads = np.asarray(at, dtype=np.int64)
        words = words_at(data, heads, 4, self.order).astype(np.int64)
        scale = 1_000_000_000 // self._ticks
        return RecordChunk(
            first=self.packets + 1,
            base=self.at,
            data=data,
            start=heads + self._head,
            length=words[:, 2],
            wire=np.clip(words[:, 3], words[:, 2], WIRE_LIMIT),
            ts=nanoseconds(words[:, 0], words[:, 1] * scale),
            iface=np.zeros(len(at), dtype=np.int64),
        )
