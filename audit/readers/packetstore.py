"""The index of packets that go to a parser: flat columns, no object a packet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from audit.readers.frames import PROTO_ARP, TCP, Frames
from audit.readers.recordchunk import UNDATED, Ints, Mask, RecordChunk, order_by
from audit.readers.tails import TailNotes, Tails

_CONTROL = 1 | 2 | 4  # FIN, SYN, RST


@dataclass(slots=True)
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
    several: npt.NDArray[np.bool_]
    """Whether it stands for several segments in a row, which are counted and not read."""

    def take(self, index: Ints | slice | Mask) -> Packets:
        """Return some of the packets."""
        return Packets(*[getattr(self, name)[index] for name in COLUMNS])

    def __len__(self) -> int:
        return len(self.number)


COLUMNS: Final = tuple(item.name for item in fields(Packets))


class PacketStore:
    """Collects candidate packets of each chunk, then hands them out by conversation."""

    def __init__(self, whole: Iterable[int] = ()) -> None:
        self._parts: list[Packets] = []
        self.tails = Tails(whole)

    def add(self, chunk: RecordChunk, frames: Frames, conversation: Ints, from_a: Mask) -> None:
        """Keep packets of IP with payload, and those that open or end a connection.

        Changes lengths in ``frames`` where a packet stands for several.
        """
        proto = frames.proto
        tcp, carries = proto == TCP, frames.payload_wire > 0
        carries &= (proto >= 0) & (proto < PROTO_ARP)
        carries &= ~(tcp & (frames.sport < 0))  # fragments whose first one was not seen
        kept = np.flatnonzero(carries | (tcp & ((frames.flags & _CONTROL) != 0)))
        if len(kept):
            kept, count, acks = self.tails.thin(chunk, frames, conversation, from_a, kept)
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
                    ack=acks.astype(np.uint32),
                    flags=frames.flags[kept].astype(np.uint8),
                    fragment=frames.fragment[kept].astype(np.int32),
                    more=frames.more[kept],
                    ident=frames.ident[kept].astype(np.uint32),
                    several=count > 1,
                )
            )

    def joined(self) -> Packets:
        """Return all packets in the order of the file."""
        return Packets(*[self._whole(name) for name in COLUMNS])

    def join(self, packets: Packets, notes: TailNotes, ids: Ints, before: int) -> None:
        """Add packets that another process kept, which follow ``before`` others.

        ``ids`` are the indices that their conversations have here.
        """
        if len(packets):
            packets.conversation = ids.astype(np.int32)[packets.conversation]
            packets.number = packets.number + np.uint32(before)
            self._parts.append(packets)
        self.tails.join(notes, ids)

    def _whole(self, name: str) -> npt.NDArray[Any]:
        """Return a column of all parts."""
        parts = [getattr(part, name) for part in self._parts]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)

    def _pulled(self, name: str, order: Ints) -> npt.NDArray[Any]:
        """Return a column in another order and let go of it, so that none is held twice."""
        column = self._whole(name)[order]
        for part in self._parts:
            setattr(part, name, None)
        return column

    def by_conversation(self) -> Sorted:
        """Return all packets, grouped by conversation and in order of time; empties the store."""
        ts = self._whole("ts")
        late = np.where(ts == UNDATED, np.iinfo(np.int64).max, ts)
        conversation = self._whole("conversation")
        if bool((late[1:] >= late[:-1]).all()):
            order = order_by(conversation)
        else:
            order = np.lexsort((self._whole("number"), late, conversation))
        del late, ts, conversation
        every = Packets(*[self._pulled(name, order) for name in COLUMNS])
        self._parts.clear()
        begins = np.flatnonzero(np.diff(every.conversation, prepend=-1))
        return Sorted(
            every,
            begins,
            np.append(begins[1:], [len(order)] if len(begins) else []).astype(np.int64),
        )


@dataclass(slots=True)
class Sorted:
    """Packets grouped by conversation; groups ascend by the conversation's index."""

    packets: Packets
    begins: Ints
    """Where each group begins."""
    ends: Ints

    def between(self, begin: int, end: int) -> Sorted:
        """Return the groups of the conversations with these indices."""
        ids = self.packets.conversation[self.begins]
        low, high = (int(at) for at in np.searchsorted(ids, (begin, end)))
        if low == high:
            nothing = np.zeros(0, dtype=np.int64)
            return Sorted(self.packets.take(slice(0, 0)), nothing, nothing)
        first, last = int(self.begins[low]), int(self.ends[high - 1])
        rows = self.packets.take(slice(first, last))
        return Sorted(rows, self.begins[low:high] - first, self.ends[low:high] - first)

    def spans(self) -> dict[int, tuple[int, int, int]]:
        """Return the group of each conversation, and where its packets begin and end."""
        ids = self.packets.conversation[self.begins].tolist()
        spans = zip(range(len(ids)), self.begins.tolist(), self.ends.tolist(), strict=True)
        return dict(zip(ids, spans, strict=True))
