"""Captures made at random: conversations of all kinds woven together, with faults."""

from __future__ import annotations

import struct

from tests.readers import wire
from tests.readers.test_glance import conversation as tls
from tests.readers.test_lanes import conversation as http
from tests.readers.test_owners import block_with, pktap_v1
from tests.readers.test_tails import sealed
from tests.readers.wire import CLIENT, SERVER, option

V6, V6_SERVER = "2001:db8::10", "2001:db8::7"


def quic(draw, port):
    """A conversation with long headers, then bulk; its Initials open with no key."""
    head = b"\xc3\0\0\0\1\x08" + draw.randbytes(8) + b"\0\0\x41\x00" + draw.randbytes(256)
    yield wire.udp(CLIENT, port, SERVER, 443, head)
    for _ in range(draw.choice([3, 3, 90, 400])):
        up = draw.random() < 0.5
        ends = (CLIENT, port, SERVER, 443) if up else (SERVER, 443, CLIENT, port)
        yield wire.udp(*ends, b"\x41" + draw.randbytes(20))


def dns(draw, port):
    name = b"".join(bytes([len(x)]) + x for x in (b"a%d" % draw.randrange(9), b"example"))
    question = name + b"\0\0\1\0\1"
    ident = draw.randbytes(2)
    answer = b"\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4" + draw.randbytes(4)
    yield wire.udp(CLIENT, port, SERVER, 53, ident + b"\1\0\0\1\0\0\0\0\0\0" + question)
    yield wire.udp(
        SERVER, 53, CLIENT, port, ident + b"\x81\x80\0\1\0\1\0\0\0\0" + question + answer
    )


def fragments(draw, port):
    """A datagram in pieces, sometimes without its first or in another order."""
    body = struct.pack("!HHHH", port, 7, 8 + 900, 0) + draw.randbytes(900)
    ident = draw.randrange(1, 60)
    pieces = [
        wire.ip(CLIENT, SERVER, 17, body[at : at + 304], ident=ident, fragment=at // 8 | more << 13)
        for at, more in ((0, 1), (304, 1), (608, 0))
    ]
    if draw.random() < 0.3:
        draw.shuffle(pieces)
    yield from pieces[draw.choice([0, 0, 0, 1]) :]


def others(draw, port):
    yield wire.udp(V6, port, V6_SERVER, 7, draw.randbytes(30))
    yield wire.ip(CLIENT, SERVER, 1, b"\x08\0\0\0\0\1\0\1" + draw.randbytes(9))
    yield wire.ip(V6, V6_SERVER, 0, b"\x3a\0\1\4\0\0\0\0" + b"\x80\0\0\0\0\1\0\1ping")
    yield b"\x45" + bytes(3)


def packets(draw, count=7):
    """The packets of some conversations, woven together."""
    kinds = (tls, http, sealed, quic, dns, fragments, others)
    running = []
    for number in range(count):
        kind, port = draw.choice(kinds), 40_000 + draw.randrange(number + 3)
        made = sealed(draw, port=port) if kind is sealed else kind(draw, port)
        running.append(iter(getattr(made, "packets", made)))
    while running:
        one = draw.choice(running)
        for _ in range(draw.randrange(1, 9)):
            packet = next(one, None)
            if packet is None:
                running.remove(one)
                break
            yield packet


def frame_of(draw, packet):
    return wire.ethernet(packet, tags=draw.choice([(), (), (), (7,), (7, 8)]))


def pcapng(draw, count=7):
    """A file with several interfaces and all kinds of blocks, in disorder."""
    data = wire.section() + wire.interface() + wire.interface(101, resolution=6, name="raw0")
    data += wire.interface(258, name="pktap")
    ts = wire.START_NS
    odd = draw.choice([0, 0.01])
    for packet in packets(draw, count):
        ts += draw.randrange(1, 10**7)
        at = ts - draw.choice([0, 10**9]) if draw.random() < odd else ts
        if draw.random() < odd:
            data += _other(draw)
        frame = frame_of(draw, packet)
        kind = draw.random()
        if kind < odd:
            data += wire.block(3, struct.pack("<I", len(frame)) + frame)
        elif kind < 2 * odd:
            data += block_with(frame, option(1, b"u-10%03d" % draw.randrange(3)))
        elif kind < 3 * odd:
            data += wire.enhanced(at, pktap_v1(frame, comm=draw.choice([b"Mail", b"Maps"])), face=2)
        elif kind < 5 * odd:
            data += wire.enhanced(at // 1000, packet, face=1)
        elif kind < 6 * odd:
            head = struct.pack("<IIIII", 0, at >> 32, at & 0xFFFFFFFF, 60, len(frame))
            data += wire.block(6, head + frame[:60])
        else:
            data += wire.enhanced(at, frame)
    if draw.random() < 0.2:
        data = data[: -draw.randrange(1, 40)]
    return data


def _other(draw):
    return draw.choice(
        [
            wire.secrets(b"CLIENT_RANDOM " + b"00" * 32 + b" " + b"11" * 48 + b"\n"),
            wire.block(
                5, struct.pack("<III", 0, 0, 0) + option(5, struct.pack("<Q", 3)) + bytes(4)
            ),
            wire.block(4, struct.pack("<HH", 1, 8) + bytes([10, 0, 0, 1]) + b"n.x\0" + bytes(4)),
            wire.block(0x80000001, struct.pack("<I", 7) + option(2, b"daemon") + bytes(4)),
            wire.block(77, b"unknown"),
            wire.interface(name="late"),
            wire.section() + wire.interface() + wire.interface(101) + wire.interface(258),
        ]
    )


def pcap(draw, count=7):
    ts = wire.START_NS
    records = []
    for packet in packets(draw, count):
        ts += draw.randrange(1, 10**7)
        records.append((ts, frame_of(draw, packet)))
    data = wire.pcap(records, order=draw.choice("<>"), nano=draw.random() < 0.5)
    return data[: -draw.randrange(1, 40)] if draw.random() < 0.2 else data
