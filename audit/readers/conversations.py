"""Packets grouped by their full 5-tuple, with counters; numpy for all packets, Python for none."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from audit.readers.communityid import ICMP6_PAIRS, ICMP_PAIRS, community_id
from audit.readers.frames import ICMP, ICMP6, NO_PROTO, PROTO_ARP, TCP, UDP, Frames
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


@dataclass(frozen=True, slots=True, kw_only=True)
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

    @property
    def name(self) -> str:
        """Name of the protocol: tcp, udp, icmp, icmp6, arp or the IP protocol's number."""
        return PROTO_NAMES.get(self.proto, str(self.proto))


class ConversationTable:
    """Grows chunk by chunk; memory grows with the conversations, not with the packets."""

    def __init__(self) -> None:
        self._ids: dict[bytes, int] = {}
        self._size = 0
        self._sums = np.zeros((0, 6), dtype=np.int64)
        self._firsts = np.zeros((0, 6), dtype=np.int64)
        self._bits = np.zeros(0, dtype=np.uint64)

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, chunk: RecordChunk, frames: Frames) -> tuple[Ints, Mask]:
        """Count a chunk in; return each packet's conversation (-1: none) and whether a sent it."""
        known = np.flatnonzero(frames.proto != NO_PROTO)
        conversation = np.full(len(frames.proto), -1, dtype=np.int64)
        from_a = np.zeros(len(frames.proto), dtype=bool)
        if len(known):
            words, swapped = _keys(frames, known)
            conversation[known] = ids = self._lookup(words)
            from_a[known] = ~swapped
            self._grow()
            self._count(chunk, frames, known, ids, ~swapped)
        return conversation, from_a

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
        need = len(self._ids)
        if need > len(self._sums):
            room = max(need, 2 * len(self._sums), 64)
            extra = room - len(self._sums)
            self._sums = np.vstack([self._sums, np.zeros((extra, 6), dtype=np.int64)])
            fresh = np.full((extra, 6), _LATE, dtype=np.int64)
            fresh[:, 1] = UNDATED
            self._firsts = np.vstack([self._firsts, fresh])
            self._bits = np.concatenate([self._bits, np.zeros(extra, dtype=np.uint64)])

    def _count(
        self, chunk: RecordChunk, frames: Frames, known: Ints, ids: Ints, from_a: Mask
    ) -> None:
        side = (~from_a).astype(np.int64)
        for base, values in (
            (0, np.ones(len(known), dtype=np.int64)),
            (2, chunk.wire[known]),
            (4, frames.payload_wire[known]),
        ):
            np.add.at(self._sums, (ids, base + side), values)
        ts = chunk.ts[known]
        np.maximum.at(self._firsts[:, 1], ids, ts)
        flags = np.where(frames.proto[known] == TCP, frames.flags[known], 0)
        number = chunk.first + known
        early = np.where(ts == UNDATED, _LATE - 1, ts)
        self._earliest(0, ids, early, from_a.astype(np.int64) + 2 * number)
        opening = (flags & _SYN) != 0
        opener = from_a ^ ((flags & _ACK) != 0)  # a SYN-ACK answers the other side's SYN
        self._earliest(4, ids[opening], early[opening], opener[opening].astype(np.int64))
        bits = np.uint64(1) << np.minimum(chunk.iface[known] & 63, 63).astype(np.uint64)
        np.bitwise_or.at(self._bits, ids, bits)

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
        sums = [int(value) for value in self._sums[index]]
        first, last, mark, _, syn, opener = (int(value) for value in self._firsts[index])
        bits = int(self._bits[index])
        return Conversation(
            index=index,
            proto=proto,
            a=Endpoint(address=str(ipaddress.ip_address(low)), port=low_port),
            b=Endpoint(address=str(ipaddress.ip_address(high)), port=high_port),
            community_id=None
            if proto == PROTO_ARP
            else community_id(proto, low, high, low_port, high_port),
            first_number=mark >> 1,
            first_ts=None if first >= _LATE - 1 else first,
            last_ts=None if last == UNDATED else last,
            first_from_a=bool(mark & 1),
            syn_from_a=None if syn == _LATE else bool(opener),
            packets=(sums[0], sums[1]),
            bytes=(sums[2], sums[3]),
            payload=(sums[4], sums[5]),
            interfaces=tuple(bit for bit in range(64) if bits >> bit & 1),
        )


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
