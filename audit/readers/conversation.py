"""One conversation as its packets' headers tell it, and many of them as flat arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from audit.readers.communityid import community_id
from audit.readers.endpoint import packed_text
from audit.readers.frames import ICMP, ICMP6, PROTO_ARP, TCP, UDP
from audit.readers.recordchunk import UNDATED, Bytes, Ints

PROTO_NAMES: Final = {TCP: "tcp", UDP: "udp", ICMP: "icmp", ICMP6: "icmp6", PROTO_ARP: "arp"}
LATE: Final = np.iinfo(np.int64).max
"""Time of what never came; one less: of what came without a time."""
KEY_BYTES: Final = 40
FACES: Final = 32
"""Interfaces that are told apart; further ones count as those 32 before."""
_AT_ONCE: Final = 1024
"""Conversations made from arrays at a time."""


class Endpoint(NamedTuple):
    """Address and port of one side."""

    address: str
    port: int | None
    """``None`` where the protocol has none; the type or code of ICMP, as Zeek has it."""

    def __str__(self) -> str:
        if self.port is None:
            return self.address
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self[0]}:{self[1]}"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversations:
    """Consecutive conversations in the order of their first packets; about 170 bytes each."""

    keys: Bytes
    """``KEY_BYTES`` a row: address of a, of b (16 bytes each), protocol and ports."""
    sums: Ints
    """Packets, bytes, payload (rows), twice a conversation: of what a sent, of what b sent."""
    firsts: Ints
    """A row a conversation: earliest and latest time, twice the number of the earliest packet plus
    1 if a sent it, an empty column, time of the earliest SYN, whether a opened the connection."""
    bits: npt.NDArray[np.uint64]
    """A bit for each interface on which it was sent; ``FACES`` higher, those on which only TCP
    packets without data passed (acknowledgements, closings), which systems send by themselves."""
    owners: dict[int, tuple[int, ...]] = field(default_factory=dict)
    """Index of a conversation -> numbers of owners."""
    begin: int = 0
    """Index of the first one."""

    def __len__(self) -> int:
        return len(self.bits)

    @property
    def end(self) -> int:
        """One past the index of the last one."""
        return self.begin + len(self)

    def part(self, begin: int, end: int) -> Conversations:
        """Return those with these indices."""
        low, high = begin - self.begin, end - self.begin
        return Conversations(
            keys=self.keys[low:high],
            sums=self.sums[:, 2 * low : 2 * high],
            firsts=self.firsts[low:high],
            bits=self.bits[low:high],
            owners={one: who for one, who in self.owners.items() if begin <= one < end},
            begin=begin,
        )

    def __iter__(self) -> Iterator[Conversation]:
        for begin in range(self.begin, self.end, _AT_ONCE):
            part = self.part(begin, min(begin + _AT_ONCE, self.end))
            rows = zip(
                range(part.begin, part.end),
                part.keys,
                part.sums.reshape(3, -1, 2).transpose(1, 0, 2).tolist(),
                part.firsts.tolist(),
                part.bits.tolist(),
                strict=True,
            )
            for index, key, sums, firsts, bits in rows:
                yield _made(index, key.tobytes(), sums, firsts, bits, part.owners.get(index, ()))


def _made(
    index: int,
    key: bytes,
    sums: list[list[int]],
    firsts: list[int],
    bits: int,
    owners: tuple[int, ...],
) -> Conversation:
    meta = int.from_bytes(key[32:40], "big")
    low_port, high_port = (meta >> 17 & 0x1FFFF) - 1, (meta & 0x1FFFF) - 1
    proto, is_ipv6 = meta >> 35, meta >> 34 & 1
    low, high = (key[0:16], key[16:32]) if is_ipv6 else (key[12:16], key[28:32])
    a = Endpoint(packed_text(low), None if low_port < 0 else low_port)
    b = Endpoint(packed_text(high), None if high_port < 0 else high_port)
    named = None if proto == PROTO_ARP else community_id(proto, low, high, a.port, b.port)
    first, last, mark, _, syn, opener = firsts
    packets, sizes, payload = sums
    return Conversation(
        index=index,
        proto=proto,
        a=a,
        b=b,
        community_id=named,
        first_number=mark >> 1,
        first_ts=None if first >= LATE - 1 else first,
        last_ts=None if last == UNDATED else last,
        first_from_a=bool(mark & 1),
        syn_from_a=None if syn == LATE else bool(opener),
        packets=(packets[0], packets[1]),
        bytes=(sizes[0], sizes[1]),
        payload=(payload[0], payload[1]),
        interfaces=_faces_of(bits),
        owners=owners,
    )


@lru_cache(maxsize=1024)
def _faces_of(bits: int) -> tuple[int, ...]:
    """Return the interfaces on which a program sent, else those of what the systems sent."""
    sent = bits & ((1 << FACES) - 1)
    bits = sent or bits >> FACES
    return tuple(face for face in range(FACES) if bits >> face & 1)
