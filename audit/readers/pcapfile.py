"""Classic pcap: both byte orders, microseconds and nanoseconds, the modified (Kuznetzov) form.

Layout: 24-byte file header, then records of 16 (modified: 24) bytes and the packet.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

import numpy as np

from audit.readers.bytesource import ByteSource
from audit.readers.describing import Described
from audit.readers.recordchunk import TAIL, Bytes, Interface, RecordChunk, nanoseconds, words_at

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
RECORD_LIMIT: Final = 64 << 20
"""Longest packet believed; a longer claim is damage."""
WIRE_LIMIT: Final = (1 << 31) - 1
"""Largest length on the wire that is believed, as Wireshark has it."""
BLOCK: Final = 8 << 20
"""Bytes read at a time."""


class PcapWalk:
    """One walk over the records of a classic pcap file."""

    def __init__(self, source: ByteSource) -> None:
        head = source.read(0, HEADER)
        self._order, self._ticks, self._head = MAGICS[head[:4]]
        self._source = source
        snaplen, link = struct.unpack_from(self._order + "II", head, 16)
        self.interfaces = [Interface(link=link & 0xFFFF, snaplen=snaplen, ticks=self._ticks)]
        self.secrets: list[bytes] = []
        self.described = Described()
        self.dropped = 0
        self.truncated: list[str] = []

    def chunks(self) -> Iterator[RecordChunk]:
        """Yield the packets block by block; what cannot be read is noted in ``truncated``."""
        offset, number, size = HEADER, 1, BLOCK
        spare: list[Bytes | None] = [None, None]
        while offset < self._source.size:
            block = self._source.array(offset, size, spare.pop(0))
            spare.append(block)
            at, used, needed = self._positions(block)
            if at:
                yield self._chunk(block, at, offset, number)
                number += len(at)
                offset += used
                size = BLOCK
            elif needed > RECORD_LIMIT:
                self._cut(number, f"packet {number} claims {needed - self._head} bytes")
                return
            elif offset + needed > self._source.size:
                self._cut(number, f"the file ends inside packet {number}")
                return
            else:
                size = max(needed, BLOCK)

    def _positions(self, block: Bytes) -> tuple[list[int], int, int]:
        """Return the offsets of whole records, bytes used, and bytes that the next one needs."""
        length_at = struct.Struct(self._order + "8xI").unpack_from
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
        return found, position, needed

    def _chunk(self, data: Bytes, at: list[int], offset: int, number: int) -> RecordChunk:
        heads = np.asarray(at, dtype=np.int64)
        words = words_at(data, heads, 4, self._order).astype(np.int64)
        scale = 1_000_000_000 // self._ticks
        return RecordChunk(
            first=number,
            base=offset,
            data=data,
            start=heads + self._head,
            length=words[:, 2],
            wire=np.clip(words[:, 3], words[:, 2], WIRE_LIMIT),
            ts=nanoseconds(words[:, 0], words[:, 1] * scale),
            iface=np.zeros(len(at), dtype=np.int64),
        )

    def _cut(self, number: int, why: str) -> None:
        self.truncated.append(
            f"{self._source.name}: {why}; {number - 1} packets before it were read"
        )
