"""One look at every packet of a capture: conversations counted, what a parser needs kept.

The later part of a large file can be looked at by another process at the same time; what that one
found is joined to this one's where nothing tells that the order mattered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from audit.readers.behind import Behind
from audit.readers.capfile import CaptureFile
from audit.readers.conversation import Conversations
from audit.readers.conversations import ConversationTable
from audit.readers.fragments import FragmentHead, FragmentKey, FragmentPorts
from audit.readers.frames import NO_PROTO, decode_frames, links_of
from audit.readers.owners import OwnerKey
from audit.readers.packetstore import Packets, PacketStore
from audit.readers.recordchunk import Ints, RecordChunk
from audit.readers.recordwalk import Place, Stretch
from audit.readers.tails import TailNotes


@dataclass(slots=True)
class Counts:
    """What is counted of all packets."""

    unread: dict[tuple[int, int], int] = field(default_factory=dict)
    """Interface and ethertype -> packets without addresses."""
    cut_packets: int = 0
    """Packets of which the capture kept the beginning only."""
    cut_bytes: int = 0

    def add(self, other: Counts) -> None:
        """Add what was counted of other packets."""
        for key, count in other.unread.items():
            self.unread[key] = self.unread.get(key, 0) + count
        self.cut_packets += other.cut_packets
        self.cut_bytes += other.cut_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannedPart:
    """What another process found in the later part of a file."""

    stretch: Stretch
    conversations: Conversations
    packets: Packets
    tails: TailNotes
    counts: Counts
    behind: Ints
    """Bytes that headers pass over: see :meth:`Behind.rows`."""
    behind_lost: int
    owners: tuple[OwnerKey, ...]
    has_trailers: bool | None
    unresolved: frozenset[FragmentKey]
    """Fragments without their first one."""
    heads: frozenset[FragmentKey]
    """Fragmented datagrams whose first one was seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanJob:
    """The later part of a file, to be looked at by another process."""

    place: Place
    has_trailers: bool | None
    """What the packets before tell of PCAPdroid's trailers."""

    def perform(self, path: Path) -> ScannedPart | None:
        """Look at the part; ``None`` where only a look at the whole tells all."""
        with CaptureFile(path, self.place) as file:
            file.owners.has_trailers = self.has_trailers
            scan = Scan()
            for chunk in file.chunks():
                scan.take(chunk, file)
            stretch = file.stretch
            if stretch is None or file.owners.has_trailers != self.has_trailers:
                return None
            if scan.ports.unresolved is None or scan.ports.late:
                return None
            packets = scan.store.joined()
            return ScannedPart(
                stretch=stretch,
                conversations=scan.table.conversations(),
                packets=packets,
                tails=scan.store.tails.notes(packets),
                counts=scan.counts,
                behind=scan.behind.rows(),
                behind_lost=scan.behind.lost,
                owners=file.owners.keys,
                has_trailers=file.owners.has_trailers,
                unresolved=frozenset(scan.ports.unresolved),
                heads=scan.ports.heads,
            )


class Scan:
    """What the packets up to now gave."""

    def __init__(
        self,
        whole: frozenset[int] = frozenset(),
        heads: dict[FragmentKey, FragmentHead] | None = None,
    ) -> None:
        """``whole`` are conversations of which nothing is to be left out.

        ``heads`` are first fragments known from an earlier look, which came after others.
        """
        self.table = ConversationTable()
        self.store = PacketStore(whole)
        self.ports = FragmentPorts(heads)
        self.counts = Counts()
        self.behind = Behind()

    def take(self, chunk: RecordChunk, file: CaptureFile) -> None:
        """Look at the packets of a chunk."""
        links, owner = file.owners.of_packets(chunk, links_of(chunk, file.interfaces))
        frames = decode_frames(chunk, file.interfaces, links)
        self.ports.resolve(frames)
        conversation, from_a = self.table.add(chunk, frames)
        if owner is not None:
            self.table.own(conversation, owner)
        self.behind.add(chunk, frames, conversation, from_a)
        self.store.add(chunk, frames, conversation, from_a)
        unread = np.flatnonzero(frames.proto == NO_PROTO)
        counts = Counts()
        if len(unread):
            kinds = np.stack([chunk.iface[unread], frames.kind[unread]])
            found, numbers = np.unique(kinds, axis=1, return_counts=True)
            keys = zip(*found.tolist(), strict=True)
            counts.unread = dict(zip(keys, numbers.tolist(), strict=True))
        lost = chunk.wire - chunk.length
        counts.cut_packets = int(np.count_nonzero(lost))
        counts.cut_bytes = int(lost.sum()) if counts.cut_packets else 0
        self.counts.add(counts)

    def join(self, part: ScannedPart, file: CaptureFile) -> bool:
        """Add what was found in the packets that follow; returns false, and adds nothing, if not.

        It is not where fragments there have their first one here, or the other way round, which
        only order tells.
        """
        if any(map(self.ports.knows, part.unresolved)):
            return False
        if self.ports.unresolved is None or self.ports.unresolved & part.heads:
            return False
        ids = self.table.join(part.conversations, file.packets)
        owners = file.owners.take_up(part.owners)
        self.table.join_owners(part.conversations, ids, owners)
        self.store.join(part.packets, part.tails, ids, file.packets)
        self.behind.join(part.behind, part.behind_lost, ids, file.packets)
        self.counts.add(part.counts)
        file.take_up(part.stretch)
        return True
