"""Packets grouped by their full 5-tuple, with counters; numpy for all packets, Python for none."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from audit.readers.communityid import ICMP6_PAIRS, ICMP_PAIRS, community_id
from audit.readers.endpoint import packed_text
from audit.readers.frames import ICMP, ICMP6, NO_PROTO, PROTO_ARP, TCP, UDP, Frames
from audit.readers.knownends import KnownEnds
from audit.readers.recordchunk import UNDATED, Ints, Mask, RecordChunk

PROTO_NAMES: Final = {TCP: "tcp", UDP: "udp", ICMP: "icmp", ICMP6: "icmp6", PROTO_ARP: "arp"}
_LATE: Final = np.iinfo(np.int64).max
_SYN, _ACK = 2, 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Address and port of one side."""

    address: str
    port: int | None
    """``None`` where the protocol has none; the type or code of ICMP, as Zeek has it."""

    def __str__(self) -> str:
        if self.port is None:
            return self.address
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}"


@dataclass(slots=True, kw_only=True)
class Conversation:
    """All packets of one 5-tuple; sides a and b in canonical order, not in that of roles."""

    index: int
    proto: int
    a: Endpoint
    b: Endpoint
    community_id: str | None
    first_number: int
    """Number of the packet with the earliest time."""
    first_ts: int | None
    """Earliest time, ns since 1970; ``None``: undated."""
    last_ts: int | None
    first_from_a: bool
    """Whether side a sent the packet with the earliest time."""
    syn_from_a: bool | None
    """Whether side a opened the TCP connection, by SYN or SYN-ACK; ``None``: not seen."""
    packets: tuple[int, int]
    """Packets sent by a, by b."""
    bytes: tuple[int, int]
    """Bytes on the wire sent by a, by b."""
    payload: tuple[int, int]
    """Bytes of transport payload sent by a, by b, by the packets' own headers."""
    interfaces: tuple[int, ...]
    """Indices of the interfaces it was seen on (the first 63 are told apart)."""
    owners: tuple[int, ...] = ()
    """Numbers of the programs that the file names for its packets."""

    @property
    def name(self) -> str:
        """Name of the protocol: tcp, udp, icmp, icmp6, arp or the IP protocol's number."""
        return PROTO_NAMES.get(self.proto, str(self.proto))


class ConversationTable:
    """Grows chunk by chunk; memory grows with the conversations, not with the packets."""

    def __init__(self) -> None:
        self._ids: dict[bytes, int] = {}
        self._known = KnownEnds()
        self._sums = np.zeros((3, 0), dtype=np.int64)
        """Packets, bytes, payload; by twice the conversation, plus 1 for what side b sent."""
        self._firsts = np.zeros((0, 6), dtype=np.int64)
        self._bits = np.zeros(0, dtype=np.uint64)
        self._owners: dict[int, dict[int, None]] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, chunk: RecordChunk, frames: Frames) -> tuple[Ints, Mask]:
        """Count a chunk in; return each packet's conversation (-1: none) and whether a sent it."""
        conversation, from_a, hashes = self._known.look_up(frames)
        new = np.flatnonzero((conversation < 0) & (frames.proto != NO_PROTO))
        if len(new):
            words, swapped = _keys(frames, new)
            conversation[new] = ids = self._lookup(words)
            from_a[new] = ~swapped
            self._known.learn(hashes[new], ids, words.byteswap().view(np.uint64))
            self._grow()
        known = np.flatnonzero(conversation >= 0)
        if len(known):
            everything = len(known) == len(conversation)
            side = from_a if everything else from_a[known]
            ids = conversation if everything else conversation[known]
            self._count(chunk, frames, known, ids, side)
        return conversation, from_a

    def own(self, conversation: Ints, owner: Ints) -> None:
        """Note whom the file names for packets (-1: nobody)."""
        named = (conversation >= 0) & (owner >= 0)
        pairs = np.unique(np.stack([conversation[named], owner[named]]), axis=1)
        for one, number in pairs.T.tolist():
            self._owners.setdefault(one, {})[number] = None

    def _lookup(self, words: npt.NDArray[np.uint64]) -> Ints:
        mixed = words[:, 0].copy()
        for column in range(1, words.shape[1]):
            mixed ^= mixed >> np.uint64(29)
            mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + words[:, column]
        _, first, inverse = np.unique(mixed, return_index=True, return_inverse=True)
        if not (words[first][inverse] == words).all():  # two keys of one hash: sort the whole keys
            _, first, inverse = np.unique(words, axis=0, return_index=True, return_inverse=True)
        ids = np.empty(len(first), dtype=np.int64)
        for place in np.argsort(first, kind="stable"):  # number conversations in order of packets
            key = words[first[place]].tobytes()
            ids[place] = self._ids.setdefault(key, len(self._ids))
        return ids[inverse.reshape(-1)]

    def _grow(self) -> None:
        need, have = len(self._ids), len(self._bits)
        if need > have:
            extra = max(need, 2 * have, 64) - have
            room = np.zeros((3, 2 * extra), dtype=np.int64)
            self._sums = np.concatenate([self._sums, room], axis=1)
            fresh = np.full((extra, 6), _LATE, dtype=np.int64)
            fresh[:, 1] = UNDATED
            self._firsts = np.vstack([self._firsts, fresh])
            self._bits = np.concatenate([self._bits, np.zeros(extra, dtype=np.uint64)])

    def _count(
        self, chunk: RecordChunk, frames: Frames, known: Ints, ids: Ints, from_a: Mask
    ) -> None:
        lane = 2 * ids + ~from_a
        low, size = 2 * int(np.min(ids)), 2 * int(np.max(ids)) + 2
        for row, values in enumerate((None, chunk.wire[known], frames.payload_wire[known])):
            sums = np.bincount(lane - low, values, size - low)
            self._sums[row, low:size] += sums.astype(np.int64)
        ts = chunk.ts[known]
        np.maximum.at(self._firsts[:, 1], ids, ts)
        number = chunk.first + known
        early = np.where(ts == UNDATED, _LATE - 1, ts)
        maybe = np.flatnonzero(early < self._firsts[ids, 0])
        if len(maybe):
            value = from_a[maybe].astype(np.int64) + 2 * number[maybe]
            self._earliest(0, ids[maybe], early[maybe], value)
        flags = np.where(frames.proto[known] == TCP, frames.flags[known], 0)
        opening = np.flatnonzero(flags & _SYN)
        opener = from_a[opening] ^ ((flags[opening] & _ACK) != 0)  # SYN-ACK answers the other's SYN
        self._earliest(4, ids[opening], early[opening], opener.astype(np.int64))
        faces = np.minimum(chunk.iface[known] & 63, 63)
        for face in np.unique(faces).tolist() if len(known) else ():
            on_it = ids if bool((faces == face).all()) else ids[faces == face]
            self._bits[on_it] |= np.uint64(1 << face)

    def _earliest(self, column: int, ids: Ints, ts: Ints, value: Ints) -> None:
        """Keep in ``column`` the least time and beside it the value of the packet that has it."""
        mark = 2 if column == 0 else 5
        before = self._firsts[ids, column]
        np.minimum.at(self._firsts[:, column], ids, ts)
        wins = np.flatnonzero((ts == self._firsts[ids, column]) & (ts < before))[::-1]
        self._firsts[ids[wins], mark] = value[wins]

    def conversations(self) -> list[Conversation]:
        """Return all conversations in the order of their first packets in the file."""
        return [self._make(key, index) for key, index in self._ids.items()]

    def _make(self, key: bytes, index: int) -> Conversation:
        proto, ipv6, low_port, high_port = _ports_of(key)
        low, high = (key[0:16], key[16:32]) if ipv6 else (key[12:16], key[28:32])
        counts, sizes, payload = self._sums[:, 2 * index : 2 * index + 2].tolist()
        first, last, mark, _, syn, opener = self._firsts[index].tolist()
        bits = int(self._bits[index])
        return Conversation(
            index=index,
            proto=proto,
            a=Endpoint(address=packed_text(low), port=low_port),
            b=Endpoint(address=packed_text(high), port=high_port),
            community_id=None
            if proto == PROTO_ARP
            else community_id(proto, low, high, low_port, high_port),
            first_number=mark >> 1,
            first_ts=None if first >= _LATE - 1 else first,
            last_ts=None if last == UNDATED else last,
            first_from_a=bool(mark & 1),
            syn_from_a=None if syn == _LATE else bool(opener),
            packets=(counts[0], counts[1]),
            bytes=(sizes[0], sizes[1]),
            payload=(payload[0], payload[1]),
            interfaces=_bits_of(bits),
            owners=tuple(self._owners.get(index, ())),
        )


@lru_cache(maxsize=1024)
def _bits_of(bits: int) -> tuple[int, ...]:
    return tuple(bit for bit in range(64) if bits >> bit & 1)


def _keys(frames: Frames, known: Ints) -> tuple[npt.NDArray[np.uint64], Mask]:
    """Return five words a packet, the lesser endpoint first, and whether that is the receiver."""
    proto, sport, dport = frames.proto[known], frames.sport[known], frames.dport[known]
    one_way = np.zeros(len(known), dtype=bool)
    for number, pairs in ((ICMP, ICMP_PAIRS), (ICMP6, ICMP6_PAIRS)):
        messages = proto == number
        if messages.any():
            one_way |= messages
            for kind, answer in pairs.items():
                paired = messages & (sport == kind)
                dport = np.where(paired, answer, dport)
                one_way &= ~paired
    src, dst = frames.src[known], frames.dst[known]
    less, equal = np.zeros(len(known), dtype=bool), np.ones(len(known), dtype=bool)
    for left, right in ((src[:, 0], dst[:, 0]), (src[:, 1], dst[:, 1]), (sport, dport)):
        less |= equal & (right < left)
        equal &= left == right
    swapped = less & ~one_way
    words = np.empty((len(known), 5), dtype=np.uint64)
    words[:, 0:2] = np.where(swapped[:, None], dst, src)
    words[:, 2:4] = np.where(swapped[:, None], src, dst)
    low, high = np.where(swapped, dport, sport), np.where(swapped, sport, dport)
    words[:, 4] = (
        (proto << 35) | (frames.ipv6[known].astype(np.int64) << 34) | ((low + 1) << 17) | (high + 1)
    )
    return words.byteswap().view(np.uint64), swapped


def _ports_of(key: bytes) -> tuple[int, bool, int | None, int | None]:
    meta = int.from_bytes(key[32:40], "big")
    low, high = (meta >> 17 & 0x1FFFF) - 1, (meta & 0x1FFFF) - 1
    return (
        meta >> 35,
        bool(meta >> 34 & 1),
        None if low < 0 else low,
        None if high < 0 else high,
    )
