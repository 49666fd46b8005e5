"""Packets of which nothing is read: the long tails of conversations that stay sealed.

Of TLS only the beginning is read where there are no secrets, of QUIC only the first datagrams.
What follows is counted, and its sequence numbers tell what the capture lacks: segments that follow
one another without a gap become one record. Whether the guess held is looked at when the
conversation is opened; where it did not, the file is read again and those conversations stay whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from audit.readers.frames import TCP, UDP, Frames
from audit.readers.quic import KNOWN_VERSIONS
from audit.readers.recordchunk import UNDATED, Bytes, Ints, Mask, RecordChunk, numbers_in, order_by
from audit.readers.tlshello import RECORD_LIMIT

if TYPE_CHECKING:
    from audit.readers.packetstore import Packets

SNIFF_LIMIT: Final = 64
"""Datagrams of a conversation that are looked at to tell what it is."""
HELLO_LIMIT: Final = 256
"""Datagrams of a sealed conversation in which hellos are looked for, after these."""
HEAD_SEGMENTS: Final = 16
"""Segments of each direction that stay single: the handshake lies in them."""
PEEKED: Final = 2
"""Segments of a conversation in which its ClientHello begins."""
_ACK_STEP: Final = 1 << 20
_UNKNOWN, _TLS, _QUIC, _WHOLE = 0, 1, 2, 3
_CONTROL, _ACK, _SYN = 1 | 2 | 4, 16, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TailNotes:
    """What was left out of the later part of a file; arrays by conversation."""

    kind: npt.NDArray[np.uint8]
    cut: Mask
    greeted: Mask
    """Whether a SYN was seen."""
    least: Ints
    """Earliest time of a packet that was kept."""
    spoiled: Ints


class Tails:
    """Grows with the conversations; ``whole`` are those that stay as they are."""

    def __init__(self, whole: Iterable[int] = ()) -> None:
        self._kind = np.zeros(0, dtype=np.uint8)
        self._seen = np.zeros(0, dtype=np.int64)
        """Packets with payload, by conversation."""
        self._counts = np.zeros(0, dtype=np.int64)
        """Segments with payload, by direction."""
        self._cut = np.zeros(0, dtype=bool)
        """Conversations of which packets were left out or joined."""
        self._greeted = np.zeros(0, dtype=bool)
        """Conversations of which a SYN was seen."""
        self._latest = np.iinfo(np.int64).min
        self._whole = np.asarray(sorted(whole), dtype=np.int64)
        self.spoiled: set[int] = set()
        """Conversations of which too much was left out: time went backwards, or they began anew."""

    def thin(
        self, chunk: RecordChunk, frames: Frames, conversation: Ints, from_a: Mask, kept: Ints
    ) -> tuple[Ints, Ints, Ints]:
        """Return which of the packets ``kept`` stay, how many each stands for, and their ACKs.

        Lengths of packets that stand for several are put together in ``frames``.
        """
        ids = conversation[kept]
        self._grow(int(np.max(ids, initial=-1)) + 1)
        late = self._late(chunk.ts[kept])
        if late is not None:
            self._spoil(ids[late])
        proto, flags = frames.proto[kept], frames.flags[kept]
        tcp = np.flatnonzero(proto == TCP)
        syn = np.flatnonzero((flags & (_SYN | _ACK)) == _SYN)
        if len(syn):
            self._spoil(ids[syn][self._cut[ids[syn]]])
            self._greeted[ids[syn]] = True
        self._look_at_tls(chunk.data, frames, kept[tcp], ids[tcp])
        stays = np.ones(len(kept), dtype=bool)
        udp = np.flatnonzero(proto == UDP)
        stays[udp] = self._stays_of_udp(chunk.data, frames, kept[udp], ids[udp])
        acks = frames.ack[kept]
        count = np.ones(len(kept), dtype=np.int64)
        plain = (flags & (_CONTROL | _ACK)) == _ACK
        plain &= self._kind[ids] == _TLS
        if late is not None:
            stays[late] = True
            plain &= ~late
        segments = np.flatnonzero(plain)
        rows = kept[segments]
        wire = frames.payload_wire[rows]
        whole = (wire > 0) & (wire == frames.payload_length[rows]) & (frames.fragment[rows] < 0)
        self._join(frames, kept, ids, from_a, segments[whole], stays, acks, count)
        return kept[stays], count[stays], acks[stays]

    def notes(self, packets: Packets) -> TailNotes:
        """Return what was left out, where ``packets`` were kept."""
        count = int(np.max(packets.conversation, initial=-1)) + 1
        least = np.full(count, np.iinfo(np.int64).max, dtype=np.int64)
        np.minimum.at(least, packets.conversation, packets.ts)
        return TailNotes(
            kind=self._kind[:count],
            cut=self._cut[:count],
            greeted=self._greeted[:count],
            least=least,
            spoiled=np.asarray(sorted(self.spoiled), dtype=np.int64),
        )

    def join(self, notes: TailNotes, ids: Ints) -> None:
        """Take what another process noted of packets behind these; for ``ids`` see the store.

        That one knew nothing of the packets here: where that may have mattered, what was left out
        counts as too much. (Whether enough was left of a TCP connection is seen when it is opened.)
        """
        self.spoiled.update(ids[notes.spoiled].tolist())
        ids = ids[: len(notes.kind)]
        self._grow(int(np.max(ids, initial=-1)) + 1)
        cut = self._cut[ids] | notes.cut
        spoiled = cut & (notes.least < self._latest)
        spoiled |= self._cut[ids] & notes.greeted
        begun_otherwise = (self._seen[ids] > 0) & (self._kind[ids] != _QUIC)
        spoiled |= notes.cut & (notes.kind == _QUIC) & begun_otherwise
        self.spoiled.update(ids[spoiled].tolist())
        self._cut[ids] = cut

    def _grow(self, need: int) -> None:
        room = len(self._kind)
        if need <= room:
            return
        extra = max(need, 2 * room, 64) - room
        self._kind = np.concatenate([self._kind, np.zeros(extra, dtype=np.uint8)])
        self._seen = np.concatenate([self._seen, np.zeros(extra, dtype=np.int64)])
        self._counts = np.concatenate([self._counts, np.zeros(2 * extra, dtype=np.int64)])
        self._cut = np.concatenate([self._cut, np.zeros(extra, dtype=bool)])
        self._greeted = np.concatenate([self._greeted, np.zeros(extra, dtype=bool)])
        self._kind[self._whole[self._whole < len(self._kind)]] = _WHOLE

    def _late(self, ts: Ints) -> Mask | None:
        """Return which packets are older than one before them in the file; ``None``: none is."""
        if not len(ts) or (
            int(ts[0]) >= self._latest > UNDATED and bool((ts[1:] >= ts[:-1]).all())
        ):
            self._latest = int(ts[-1]) if len(ts) else self._latest
            return None
        latest = np.maximum(np.maximum.accumulate(ts), self._latest)
        self._latest = int(latest[-1])
        late: Mask = (ts < latest) | (ts == UNDATED)
        return late

    def _spoil(self, ids: Ints) -> None:
        if len(ids):
            self.spoiled.update(ids[self._cut[ids]].tolist())
            self._kind[ids] = _WHOLE

    def _ordinals(self, ids: Ints, counts: npt.NDArray[np.int64]) -> Ints:
        """Return how many of the same id came before each, and count them in."""
        if not len(ids):
            return ids
        order = order_by(ids)
        grouped = ids[order]
        begins = np.flatnonzero(np.concatenate(([True], grouped[1:] != grouped[:-1])))
        sizes = np.diff(np.append(begins, len(ids)))
        ordinal = np.empty(len(ids), dtype=np.int64)
        ordinal[order] = np.arange(len(ids)) - np.repeat(begins, sizes) + counts[grouped]
        counts[grouped[begins]] += sizes
        return ordinal

    def _look_at_tls(self, data: Bytes, frames: Frames, at: Ints, ids: Ints) -> None:
        fresh = (self._seen[ids] < PEEKED) & (frames.payload_length[at] > 0)
        at, ids = at[fresh], ids[fresh]
        first = self._ordinals(ids, self._seen) < PEEKED
        at, ids = at[first], ids[first]
        start, size = frames.payload[at], frames.payload_length[at]
        length = numbers_in(data, ">u2")[start + 3].astype(np.int64)
        hello = (size >= 6) & (data[start] == 22) & (data[start + 1] == 3) & (data[start + 2] <= 4)
        hello &= (length > 0) & (length <= RECORD_LIMIT) & (data[start + 5] == 1)
        found = ids[hello]
        self._kind[found[self._kind[found] == _UNKNOWN]] = _TLS

    def _stays_of_udp(self, data: Bytes, frames: Frames, at: Ints, ids: Ints) -> Mask:
        if not len(at):
            return np.ones(0, dtype=bool)
        pieces = ids[frames.fragment[at] >= 0]
        self._spoil(pieces)
        ordinal = self._ordinals(ids, self._seen)
        start = frames.payload[at]
        quic = (ordinal < SNIFF_LIMIT) & (frames.payload_length[at] >= 7)
        quic &= ((data[start] & 0xC0) == 0xC0) & (data[start + 5] <= 20)
        if quic.any():
            quic[quic] = np.isin(numbers_in(data, ">u4")[start[quic] + 1], KNOWN_VERSIONS)
            found = ids[quic]
            self._kind[found[self._kind[found] == _UNKNOWN]] = _QUIC
        left_out = (self._kind[ids] == _QUIC) & (ordinal >= SNIFF_LIMIT + HELLO_LIMIT)
        self._cut[ids[left_out]] = True
        stays: Mask = ~left_out
        return stays

    def _join(
        self,
        frames: Frames,
        kept: Ints,
        ids: Ints,
        from_a: Mask,
        segments: Ints,
        stays: Mask,
        acks: Ints,
        count: Ints,
    ) -> None:
        """Join segments that follow one another in one direction; the first stands for all."""
        lane = 2 * ids[segments] + from_a[kept[segments]]
        tail = self._ordinals(lane, self._counts) >= HEAD_SEGMENTS
        lane, segments = lane[tail], segments[tail]
        if not len(segments):
            return
        order = order_by(lane)
        lane, segments = lane[order], segments[order]
        seq, wire, ack = (
            frames.seq[kept[segments]],
            frames.payload_wire[kept[segments]],
            acks[segments],
        )
        follows = np.zeros(len(lane), dtype=bool)
        follows[1:] = (
            (lane[1:] == lane[:-1])
            & (((seq[:-1] + wire[:-1] - seq[1:]) & 0xFFFFFFFF) == 0)
            & (((ack[1:] - ack[:-1]) & 0xFFFFFFFF) <= _ACK_STEP)
        )
        begins = np.flatnonzero(~follows)
        sizes = np.diff(np.append(begins, len(lane)))
        heads = segments[begins]
        frames.payload_wire[kept[heads]] = np.add.reduceat(wire, begins)
        frames.payload_length[kept[heads]] = frames.payload_wire[kept[heads]]
        acks[heads] = ack[begins + sizes - 1]
        count[heads] = np.maximum(sizes, 2)  # one that stands alone is not read either
        stays[segments[follows]] = False
        self._cut[ids[heads]] = True
