"""The index of packets that go to a parser: flat columns, no object a packet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from audit.readers.frames import ICMP, ICMP6, TCP, UDP, Frames
from audit.readers.recordchunk import UNDATED, Ints, Mask, RecordChunk

_CONTROL = 1 | 2 | 4  # FIN, SYN, RST


@dataclass(slots=True, kw_only=True)
class Packets:
    """Columns of packets, in the order of time (undated ones in that of the file)."""

    conversation: npt.NDArray[np.int32]
    from_a: npt.NDArray[np.bool_]
    """Whether side a of the conversation sent it."""
    number: npt.NDArray[np.uint32]
    """Number of the packet, from 1."""
    ts: Ints
    offset: Ints
    """Offset of the transport payload in the file."""
    lead: npt.NDArray[np.uint16]
    """Bytes of the frame before the payload."""
    length: npt.NDArray[np.uint32]
    """Payload bytes captured."""
    wire: npt.NDArray[np.uint32]
    """Payload bytes by the headers."""
    seq: npt.NDArray[np.uint32]
    ack: npt.NDArray[np.uint32]
    flags: npt.NDArray[np.uint8]
    fragment: npt.NDArray[np.int32]
    """Fragment offset; -1: whole."""
    more: npt.NDArray[np.bool_]
    ident: npt.NDArray[np.uint32]

    def take(self, index: Ints | slice | Mask) -> Packets:
        """Return some of the packets."""
        return Packets(**{item.name: getattr(self, item.name)[index] for item in fields(self)})

    def __len__(self) -> int:
        return len(self.number)


class PacketStore:
    """Collects candidate packets of each chunk, then hands them out by conversation."""

    def __init__(self) -> None:
        self._parts: list[Packets] = []

    def add(self, chunk: RecordChunk, frames: Frames, conversation: Ints, from_a: Mask) -> None:
        """Keep TCP, UDP and ICMP packets with payload, and those that open or end a connection."""
        tcp = frames.proto == TCP
        carries = np.isin(frames.proto, (TCP, UDP, ICMP, ICMP6)) & (frames.payload_wire > 0)
        nowhere = tcp & (frames.sport < 0)  # fragments whose first one was not seen
        kept = np.flatnonzero((carries & ~nowhere) | (tcp & ((frames.flags & _CONTROL) != 0)))
        if len(kept):
            at = frames.payload[kept]
            self._parts.append(
                Packets(
                    conversation=conversation[kept].astype(np.int32),
                    from_a=from_a[kept],
                    number=(chunk.first + kept).astype(np.uint32),
                    ts=chunk.ts[kept],
                    offset=chunk.base + at,
                    lead=np.minimum(at - chunk.start[kept], 0xFFFF).astype(np.uint16),
                    length=frames.payload_length[kept].astype(np.uint32),
                    wire=frames.payload_wire[kept].astype(np.uint32),
                    seq=frames.seq[kept].astype(np.uint32),
                    ack=frames.ack[kept].astype(np.uint32),
                    flags=frames.flags[kept].astype(np.uint8),
                    fragment=frames.fragment[kept].astype(np.int32),
                    more=frames.more[kept],
                    ident=frames.ident[kept].astype(np.uint32),
                )
            )

    def by_conversation(self) -> Iterator[tuple[int, Packets]]:
        """Yield each conversation's index and packets, in order of index; empties the store."""
        if not self._parts:
            return
        columns = {}
        for item in fields(Packets):
            columns[item.name] = np.concatenate([getattr(part, item.name) for part in self._parts])
        self._parts.clear()
        every = Packets(**columns)
        late = np.where(every.ts == UNDATED, np.iinfo(np.int64).max, every.ts)
        order = np.lexsort((every.number, late, every.conversation))
        sorted_ids = every.conversation[order]
        bounds = np.flatnonzero(np.diff(sorted_ids, prepend=sorted_ids[0] - 1))
        for begin, end in zip(bounds, [*bounds[1:], len(order)], strict=True):
            yield int(sorted_ids[begin]), every.take(order[begin:end])
