"""Headers of many packets at once: addresses, ports, TCP fields, where the payload lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from audit.readers.links import ARP, IPV4, IPV6, UNKNOWN, be16, be32, network_layer
from audit.readers.recordchunk import (
    Bytes,
    Interface,
    Ints,
    Mask,
    RecordChunk,
    numbers_in,
    pieces_at,
)

TCP: Final = 6
UDP: Final = 17
ICMP: Final = 1
ICMP6: Final = 58
PROTO_ARP: Final = 0x1000
"""``proto`` of ARP, which has no IP protocol number."""
NO_PROTO: Final = -1
"""``proto`` of a packet without addresses."""
_WITH_PORTS: Final = (TCP, UDP, 132, 136, 33)
"""TCP, UDP, SCTP, UDP-Lite, DCCP: two 16-bit ports first."""
_EXTENSIONS: Final = (0, 43, 44, 51, 60, 135, 139, 140)
"""IPv6 extension headers that lead on to another header (RFC 8200, RFC 7045)."""

_LONGEST: Final = 1 << 40
Words = npt.NDArray[np.uint64]


@dataclass(slots=True, kw_only=True)
class Frames:
    """Decoded headers of one chunk; arrays run in file order. Offsets count in the chunk's data."""

    proto: Ints
    """IP protocol number, ``PROTO_ARP`` or ``NO_PROTO``."""
    ipv6: Mask
    src: Words
    """Source address, two 64-bit words a packet (IPv4 in the last 32 bits)."""
    dst: Words
    sport: Ints
    """Source port, ICMP type; -1 where there is none or it is cut off."""
    dport: Ints
    """Destination port, ICMP code; -1 where there is none or it is cut off."""
    header: Ints
    """Bytes of the transport header."""
    payload: Ints
    """Offset of the transport payload."""
    payload_length: Ints
    """Payload bytes captured."""
    payload_wire: Ints
    """Payload bytes that the headers claim; more than captured where the capture was cut."""
    seq: Ints
    ack: Ints
    flags: Ints
    """TCP flags (FIN 1, SYN 2, RST 4, PSH 8, ACK 16)."""
    fragment: Ints
    """Fragment offset in bytes; -1: not fragmented."""
    more: Mask
    """Whether more fragments follow."""
    ident: Ints
    """Identification of a fragmented datagram."""
    plain: Mask
    """Packets of the usual kind: whole TCP or UDP, the addresses of which :meth:`fill` fills in."""
    kind: Ints
    """Ethertype, ``UNKNOWN`` where there is none."""
    head: Bytes
    """The first ``_REACH`` bytes of each packet's network layer."""

    def fill(self, index: Ints) -> None:
        """Fill in the addresses of some packets, which for the usual ones are not there before."""
        index = index[self.plain[index]]
        head, six = self.head[index], self.ipv6[index]
        for column, (high, low, short) in ((self.src, (8, 16, 12)), (self.dst, (24, 32, 16))):
            wide = [head[:, at : at + 8].view(">u8")[:, 0].astype(np.uint64) for at in (high, low)]
            narrow = head[:, short : short + 4].view(">u4")[:, 0].astype(np.uint64)
            column[index, 0] = np.where(six, wide[0], 0)
            column[index, 1] = np.where(six, wide[1], narrow)


def links_of(chunk: RecordChunk, interfaces: list[Interface]) -> Ints:
    """Return the link type of each packet's interface, -1 where there is none."""
    links = np.asarray([face.link for face in interfaces] + [-1], dtype=np.int64)
    return links[chunk.iface]


def decode_frames(
    chunk: RecordChunk, interfaces: list[Interface], links: Ints | None = None
) -> Frames:
    """Decode the headers of all packets of a chunk; nothing here fails, unknown stays unknown.

    ``links`` are the link types of the packets where they are not their interfaces'.
    """
    if links is None:
        links = links_of(chunk, interfaces)
    end = chunk.start + chunk.length
    at, kind = network_layer(chunk.data, chunk.start, end, links)
    frames, rest = _usual(chunk.data, at, kind, end)
    frames.kind = kind
    if len(rest):
        at, kind, end = at[rest], kind[rest], end[rest]
        for version, decode in ((IPV4, _ipv4), (IPV6, _ipv6), (ARP, _arp)):
            chosen = kind == version
            if chosen.any():
                decode(frames, chunk.data, rest[chosen], at[chosen], end[chosen])
        _transport(frames, chunk.data, rest)
    return frames


_REACH: Final = 60
"""Bytes that hold the headers of the usual packet: IPv6 and TCP without options."""


def _usual(data: Bytes, at: Ints, kind: Ints, end: Ints) -> tuple[Frames, Ints]:
    """Decode TCP and UDP whose headers are whole, without options of IP and not in fragments.

    Returns the frames and which of them are left to be decoded one step after the other.
    """
    head = pieces_at(data, np.minimum(at, len(data) - _REACH), _REACH)
    first = head[:, 0]
    six = (kind == IPV6) & (first >> 4 == 6)
    plain = (kind == IPV4) & (first == 0x45) & ((head[:, 6:8].view("<u2")[:, 0] & 0xFF3F) == 0)
    proto, words = head[:, 9], head[:, 20:40].view("<u4")
    length = head[:, 2:4].view(">u2")[:, 0].astype(np.int64) - 20
    size: Ints | int = 20
    if six.any():
        plain |= six
        proto = np.where(six, head[:, 6], proto)
        words = np.where(six[:, None], head[:, 40:60].view("<u4"), words)
        length = np.where(six, head[:, 4:6].view(">u2")[:, 0], length)
        size = np.where(six, 40, 20)
    begin = at + size
    room = end - begin
    tcp, udp = proto == TCP, proto == UDP
    need = np.where(tcp, 20, 8)
    plain &= (tcp | udp) & (np.minimum(length, room) >= need)
    others = np.flatnonzero(~(tcp & plain))
    frames = _laid(plain, proto.astype(np.int64), words, begin, length, room, others)
    frames.head, frames.ipv6 = head, six
    rest = others[~plain[others]]
    if len(rest):
        frames.ipv6 = six & plain
        frames.proto[rest] = NO_PROTO
        frames.sport[rest] = frames.dport[rest] = -1
        frames.payload[rest] = at[rest]
        for column in (frames.header, frames.payload_length, frames.payload_wire):
            column[rest] = 0
    return frames, rest


def _laid(
    plain: Mask,
    proto: Ints,
    words: npt.NDArray[np.uint32],
    begin: Ints,
    length: Ints,
    room: Ints,
    others: Ints,
) -> Frames:
    """Return the frames by their transport headers, which begin with ``words`` as they lie there.

    ``others`` are packets that are not the usual TCP.
    """
    ports = words[:, 0].byteswap()
    last = words[:, 3]
    header = np.maximum(last >> 2 & 0x3C, 20).astype(np.int64)
    seq, ack = words[:, 1].byteswap().astype(np.int64), words[:, 2].byteswap().astype(np.int64)
    flags = (last >> 8 & 0xFF).astype(np.int64)
    if len(others):
        stated = seq[others] >> 16
        held = length[others]
        length[others] = np.where(stated >= 8, np.minimum(held, stated), held)
        header[others] = 8
        seq[others] = ack[others] = flags[others] = 0
    count = len(begin)
    return Frames(
        proto=proto,
        ipv6=plain,
        src=np.zeros((count, 2), dtype=np.uint64),
        dst=np.zeros((count, 2), dtype=np.uint64),
        sport=(ports >> 16).astype(np.int64),
        dport=(ports & 0xFFFF).astype(np.int64),
        header=header,
        payload=begin + header,
        payload_length=np.maximum(np.minimum(length, room) - header, 0),
        payload_wire=np.maximum(length - header, 0),
        seq=seq,
        ack=ack,
        flags=flags,
        fragment=np.full(count, -1, dtype=np.int64),
        more=np.zeros(count, dtype=bool),
        ident=np.zeros(count, dtype=np.int64),
        plain=plain,
        kind=begin,
        head=np.zeros((0, _REACH), dtype=np.uint8),
    )


def _addresses(frames: Frames, data: Bytes, index: Ints, src: Ints, dst: Ints, size: int) -> None:
    for column, at in ((frames.src, src), (frames.dst, dst)):
        if size == 4:
            column[index, 1] = numbers_in(data, ">u4")[at]
        else:
            words = numbers_in(data, ">u8")
            column[index, 0], column[index, 1] = words[at], words[at + 8]


def _ipv4(frames: Frames, data: Bytes, index: Ints, at: Ints, end: Ints) -> None:
    head = (data[at].astype(np.int64) & 15) * 4
    good = (at + 20 <= end) & (data[at] >> 4 == 4) & (head >= 20)
    index, at, end, head = index[good], at[good], end[good], head[good]
    total = be16(data, at + 2)
    # 0: the sender's network card cuts the segment up later and the kernel left the length open
    claimed = np.where(total >= head, at + total, np.where(total == 0, end, at + head))
    _addresses(frames, data, index, at + 12, at + 16, 4)
    frames.proto[index] = data[at + 9]
    where = be16(data, at + 6)
    fragmented = (where & 0x3FFF) != 0
    frames.fragment[index] = np.where(fragmented, (where & 0x1FFF) * 8, -1)
    frames.more[index] = (where & 0x2000) != 0
    frames.ident[index] = be16(data, at + 4)
    _lay(frames, index, at + head, claimed, end)


def _ipv6(frames: Frames, data: Bytes, index: Ints, at: Ints, end: Ints) -> None:
    good = (at + 40 <= end) & (data[at] >> 4 == 6)
    index, at, end = index[good], at[good], end[good]
    frames.ipv6[index] = True
    length = be16(data, at + 4)
    claimed = np.where(length > 0, at + 40 + length, end)
    _addresses(frames, data, index, at + 8, at + 24, 16)
    follows = data[at + 6].astype(np.int64)
    position = at + 40
    for _ in range(8):
        chained = np.isin(follows, _EXTENSIONS) & (position + 8 <= np.minimum(end, claimed))
        first = np.zeros(len(index), dtype=bool)
        first[chained] = frames.fragment[index[chained]] <= 0
        chosen = np.flatnonzero(chained & first)
        if not len(chosen):
            break
        here, kind = position[chosen], follows[chosen]
        is_fragment = kind == 44
        cut = index[chosen[is_fragment]]
        where = be16(data, here[is_fragment] + 2)
        frames.fragment[cut] = where & 0xFFF8
        frames.more[cut] = (where & 1) != 0
        frames.ident[cut] = be32(data, here[is_fragment] + 4)
        size = np.where(is_fragment, 8, data[here + 1].astype(np.int64) * 8 + 8)
        size = np.where(kind == 51, (data[here + 1].astype(np.int64) + 2) * 4, size)
        follows[chosen] = data[here]
        position[chosen] = here + size
    frames.proto[index] = follows
    _lay(frames, index, position, claimed, end)


def _arp(frames: Frames, data: Bytes, index: Ints, at: Ints, end: Ints) -> None:
    """Only ARP for IPv4 over 6-byte hardware addresses (RFC 826)."""
    good = (at + 28 <= end) & (be32(data, at + 2) == 0x08000604)
    index, at, end = index[good], at[good], end[good]
    _addresses(frames, data, index, at + 14, at + 24, 4)
    frames.proto[index] = PROTO_ARP
    _lay(frames, index, at + 28, at + 28, end)


def _lay(frames: Frames, index: Ints, at: Ints, claimed: Ints, end: Ints) -> None:
    frames.payload[index] = at
    frames.payload_length[index] = np.maximum(np.minimum(claimed, end) - at, 0)
    frames.payload_wire[index] = np.maximum(claimed - at, 0)


def _transport(frames: Frames, data: Bytes, index: Ints) -> None:
    index = index[frames.fragment[index] <= 0]
    proto, length = frames.proto[index], frames.payload_length[index]
    ported = index[np.isin(proto, _WITH_PORTS) & (length >= 4)]
    at = frames.payload[ported]
    frames.sport[ported] = be16(data, at)
    frames.dport[ported] = be16(data, at + 2)
    _skip_tcp(frames, data, index[proto == TCP])
    _skip_udp(frames, data, index[proto == UDP])
    icmp = (proto == ICMP) | (proto == ICMP6)
    messages = index[icmp & (length >= 2)]
    at = frames.payload[messages]
    frames.sport[messages], frames.dport[messages] = data[at], data[at + 1]
    _skip(frames, messages, np.full(len(messages), 8, dtype=np.int64))


def _skip_tcp(frames: Frames, data: Bytes, index: Ints) -> None:
    whole = frames.payload_length[index] >= 20
    short, index = index[~whole], index[whole]
    frames.payload_length[short] = frames.payload_wire[short] = 0
    at = frames.payload[index]
    frames.seq[index] = be32(data, at + 4)
    frames.ack[index] = be32(data, at + 8)
    frames.flags[index] = data[at + 13]
    _skip(frames, index, np.maximum((data[at + 12] >> 4).astype(np.int64) * 4, 20))


def _skip_udp(frames: Frames, data: Bytes, index: Ints) -> None:
    whole = frames.payload_length[index] >= 8
    short, index = index[~whole], index[whole]
    frames.payload_length[short] = frames.payload_wire[short] = 0
    length = be16(data, frames.payload[index] + 4)
    stated = (length >= 8) & ~frames.more[index]
    for column in (frames.payload_length, frames.payload_wire):
        column[index] = np.where(stated, np.minimum(column[index], length), column[index])
    _skip(frames, index, np.full(len(index), 8, dtype=np.int64))


def _skip(frames: Frames, index: Ints, size: Ints) -> None:
    frames.header[index] = size
    frames.payload[index] += size
    frames.payload_length[index] = np.maximum(frames.payload_length[index] - size, 0)
    frames.payload_wire[index] = np.maximum(frames.payload_wire[index] - size, 0)


__all__ = ["UNKNOWN", "Frames", "decode_frames"]
