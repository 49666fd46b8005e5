"""Write a packet capture of ordinary mixed traffic; the same seed writes the same bytes.

    python benchmarks/make_capture.py .cache/bench/mixed.pcapng --packets 3000000

About 335 bytes a packet. Of the conversations 58 % are TLS 1.3, 8 % TLS 1.2, 20 % DNS, 9 % QUIC,
2 % HTTP/1, 2 % STUN, 1 % DNS over TCP; a quarter is IPv6. Nine of ten packets are bulk of TLS.
A dozen clients of different make greet the servers, two of them shuffle their extensions; hellos
are 250 to 1 900 bytes long. Checksums are left open, as network cards leave them to captures.
"""

from __future__ import annotations

import argparse
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from audit.readers.quic import V1, _keys

START_NS = 1_750_000_000_000_000_000
ACTIVE = 160
"""Conversations that run side by side."""
SEGMENT = 1_388
DATES = datetime(2025, 1, 1, tzinfo=UTC), datetime(2035, 1, 1, tzinfo=UTC)
Frames = Iterator[bytes]


def _block(kind: int, body: bytes) -> bytes:
    size = 12 + len(body) + -len(body) % 4
    return struct.pack("<II", kind, size) + body + bytes(-len(body) % 4) + struct.pack("<I", size)


HEADS = {
    "pcapng": _block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    + _block(1, struct.pack("<HHI", 1, 0, 0) + b"\x09\0\x01\0\x09\0\0\0" + bytes(4)),
    "pcap": struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262_144, 1),
}


def _record(kind: str, ts: int, frame: bytes) -> bytes:
    size = len(frame)
    if kind == "pcap":
        return struct.pack("<IIII", *divmod(ts, 10**9), size, size) + frame
    pad = -size % 4
    total = 32 + size + pad
    head = struct.pack("<IIIIIII", 6, total, 0, ts >> 32, ts & 0xFFFFFFFF, size, size)
    return head + frame + bytes(pad) + struct.pack("<I", total)


def _certificate() -> bytes:
    """A certificate of 1.3 kB; Ed25519 signs without chance."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench.example")])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, *DATES)
    names = [x509.DNSName(f"name-{number:04}.bench.example") for number in range(40)]
    made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return made.sign(key, None).public_bytes(Encoding.DER)


@dataclass
class Maker:
    """What all conversations of one capture draw from."""

    draw: random.Random
    pool: bytes = b""
    names: list[str] = field(default_factory=list)
    clients: list[tuple[list[int], list[int], int, bool]] = field(default_factory=list)
    port: int = 20_000
    certificate: bytes = field(default_factory=_certificate)

    def __post_init__(self) -> None:
        self.pool = self.draw.randbytes(1 << 20)
        self.names = [
            f"{self.draw.choice(['api', 'cdn', 'img', 'www', 'push', 'log'])}{number}."
            f"{self.draw.choice(['example', 'test', 'example.net', 'example.org'])}"
            for number in range(3_000)
        ]
        for number in range(12):
            ciphers = [0x1301, 0x1302, 0x1303, *self.draw.sample(range(0xC001, 0xC0FF), 6 + number)]
            kinds = [0, 23, 65281, 10, 11, 35, 16, 5, 13, 18, 51, 45, 43, 27]
            self.draw.shuffle(kinds)
            size = self.draw.choice([0, 0, 0, 400, 1_300])
            self.clients.append((ciphers, kinds, size, number < 2))

    def bulk(self, size: int) -> bytes:
        at = self.draw.randrange(len(self.pool) - size)
        return self.pool[at : at + size]

    def hello(self, name: str) -> bytes:
        """A ClientHello, as a handshake message."""
        ciphers, kinds, size, shuffled = self.draw.choice(self.clients)
        if shuffled:
            kinds = self.draw.sample(kinds, len(kinds))
        grease = 0x0A0A + 0x1010 * self.draw.randrange(16)
        server = name.encode()
        share = struct.pack("!HH", 29, 32) + self.bulk(32)
        if size == 1_300:
            share = struct.pack("!HH", 4588, 1216) + self.bulk(1216) + share
        bodies = {
            0: struct.pack("!HBH", len(server) + 3, 0, len(server)) + server,
            10: struct.pack("!HHHHH", 8, grease, 29, 23, 24), 11: b"\1\0",
            16: b"\0\x0c\2h2\x08http/1.1", 13: struct.pack("!HHHH", 6, 0x0403, 0x0804, 0x0401),
            43: struct.pack("!BHHH", 6, grease, 0x0304, 0x0303), 45: b"\1\1",
            51: struct.pack("!H", len(share)) + share, 5: b"\1\0\0\0\0", 27: b"\2\0\2",
            35: self.bulk(size) if size == 400 else b"", 65281: b"\0",
        }  # fmt: skip
        extensions = struct.pack("!HH", grease, 0)
        for kind in kinds:
            data = bodies.get(kind, b"")
            extensions += struct.pack("!HH", kind, len(data)) + data
        suites = struct.pack(f"!{len(ciphers) + 1}H", grease, *ciphers)
        body = b"\3\3" + self.bulk(32) + b"\x20" + self.bulk(32)
        body += struct.pack("!H", len(suites)) + suites + b"\1\0"
        body += struct.pack("!H", len(extensions)) + extensions
        return b"\1" + len(body).to_bytes(3, "big") + body

    def answer(self, *, tls13: bool) -> bytes:
        """A ServerHello, as a handshake message."""
        extensions = b"\0\x2b\0\2\3\4\0\x33\0\x24\0\x1d\0\x20" + self.bulk(32) if tls13 else b""
        body = b"\3\3" + self.bulk(32) + b"\x20" + self.bulk(32)
        body += (b"\x13\x01" if tls13 else b"\xc0\x2f") + b"\0"
        body += struct.pack("!H", len(extensions)) + extensions
        return b"\2" + len(body).to_bytes(3, "big") + body

    def ends(self) -> Ends:
        self.port = self.port + 1 if self.port < 60_000 else 20_000
        ipv6 = self.draw.random() < 0.25
        client, server = self.draw.randrange(2, 6), self.draw.randrange(1, 60_000)
        if ipv6:
            prefix = bytes.fromhex("20010db8")
            return Ends(
                True,
                prefix + bytes(11) + bytes([client]),
                prefix + b"\0\1" + bytes(8) + struct.pack("!H", server),
                self.port,
            )
        ip = bytes([192, 0, 2, client]), bytes([198, 18]) + struct.pack("!H", server)
        return Ends(False, *ip, self.port)


@dataclass
class Ends:
    ipv6: bool
    client: bytes
    server: bytes
    cport: int

    def frame(self, up: bool, proto: int, body: bytes) -> bytes:
        src, dst = (self.client, self.server) if up else (self.server, self.client)
        macs = b"\2\0\0\0\0\1\2\0\0\0\0\2" if up else b"\2\0\0\0\0\2\2\0\0\0\0\1"
        if self.ipv6:
            head = struct.pack("!HIHBB", 0x86DD, 6 << 28, len(body), proto, 64)
        else:
            size = 20 + len(body)
            head = struct.pack("!HBBHHHBBH", 0x0800, 0x45, 0, size, 7, 0x4000, 64, proto, 0)
        return macs + head + src + dst + body

    def udp(self, up: bool, port: int, data: bytes) -> bytes:
        sport, dport = (self.cport, port) if up else (port, self.cport)
        return self.frame(up, 17, struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data)


@dataclass
class Tcp:
    ends: Ends
    port: int
    seq: dict[bool, int]

    def packet(self, up: bool, flags: int, data: bytes = b"") -> bytes:
        ports = (self.ends.cport, self.port) if up else (self.port, self.ends.cport)
        options = b"\1\1\x08\x0a" + bytes(8)
        head = struct.pack(
            "!HHIIBBHHH", *ports, self.seq[up], self.seq[not up] if flags != 2 else 0,
            0x80, flags, 512, 0, 0,
        )  # fmt: skip
        self.seq[up] = (self.seq[up] + len(data) + (flags & 3 > 0)) & 0xFFFFFFFF
        return self.ends.frame(up, 6, head + options + data)

    def opened(self) -> Frames:
        yield self.packet(True, 2)
        yield self.packet(False, 18)
        yield self.packet(True, 16)

    def closed(self) -> Frames:
        yield self.packet(True, 17)
        yield self.packet(False, 17)
        yield self.packet(True, 16)

    def data(self, up: bool, data: bytes, segment: int = SEGMENT) -> Frames:
        """The segments, each second one answered by an ACK."""
        for number, at in enumerate(range(0, len(data), segment)):
            yield self.packet(up, 24 if at + segment >= len(data) else 16, data[at : at + segment])
            if number % 2 or at + segment >= len(data):
                yield self.packet(not up, 16)


def _sealed(kind: int, data: bytes) -> bytes:
    return struct.pack("!BHH", kind, 0x0303, len(data)) + data


def tls(make: Maker, packets: int, *, tls13: bool) -> Frames:
    draw = make.draw
    tcp = Tcp(make.ends(), 443, {True: draw.getrandbits(32), False: draw.getrandbits(32)})
    yield from tcp.opened()
    yield from tcp.data(
        True, _sealed(22, make.hello(draw.choice(make.names))).replace(b"\3\3", b"\3\1", 1)
    )
    if tls13:
        secret = make.bulk(draw.randrange(1_800, 3_500))
        yield from tcp.data(
            False, _sealed(22, make.answer(tls13=True)) + _sealed(20, b"\1") + _sealed(23, secret)
        )
        yield from tcp.data(True, _sealed(20, b"\1") + _sealed(23, make.bulk(53)))
    else:
        chain = len(make.certificate).to_bytes(3, "big") + make.certificate
        chain = len(chain).to_bytes(3, "big") + chain
        certificate = b"\x0b" + len(chain).to_bytes(3, "big") + chain
        yield from tcp.data(
            False,
            _sealed(22, make.answer(tls13=False))
            + _sealed(22, certificate)
            + _sealed(22, b"\x0e\0\0\0"),
        )
        yield from tcp.data(
            True,
            _sealed(22, b"\x10\0\0\x21\x20" + make.bulk(32))
            + _sealed(20, b"\1")
            + _sealed(22, make.bulk(40)),
        )
        yield from tcp.data(False, _sealed(20, b"\1") + _sealed(22, make.bulk(40)))
    left = packets - 18
    while left > 0:
        yield from tcp.data(True, _sealed(23, make.bulk(draw.randrange(40, 300))))
        left -= 2
        if draw.random() < 0.014:  # a body of many full segments
            size = draw.randrange(4_000, 120_000)
            body = b"".join(
                _sealed(23, make.bulk(min(16_384, size - at))) for at in range(0, size, 16_384)
            )
            left -= size * 3 // SEGMENT // 2
        else:
            body = _sealed(23, make.bulk(draw.randrange(40, 400)))
            left -= 2
        yield from tcp.data(False, body)
    yield from tcp.closed()


def _dns(make: Maker, name: str, kind: int, ident: int) -> tuple[bytes, bytes]:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    question = labels + b"\0" + struct.pack("!HH", kind, 1)
    record = b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 300, 16 if kind == 28 else 4)
    record += make.bulk(16 if kind == 28 else 4)
    return (
        struct.pack("!HHHHHH", ident, 0x0100, 1, 0, 0, 0) + question,
        struct.pack("!HHHHHH", ident, 0x8180, 1, 2, 0, 0) + question + record + record,
    )


def dns(make: Maker, _packets: int) -> Frames:
    ends = make.ends()
    name, kind = make.draw.choice(make.names), make.draw.choice([1, 28])
    asked, answered = _dns(make, name, kind, make.draw.getrandbits(16))
    yield ends.udp(True, 53, asked)
    yield ends.udp(False, 53, answered)


def dns_tcp(make: Maker, _packets: int) -> Frames:
    tcp = Tcp(make.ends(), 53, {True: 1, False: 1})
    yield from tcp.opened()
    for up, message in zip(
        (True, False), _dns(make, make.draw.choice(make.names), 1, 9), strict=True
    ):
        yield from tcp.data(up, struct.pack("!H", len(message)) + message)
    yield from tcp.closed()


def _initial(
    dcid: bytes, scid: bytes, number: int, frames: bytes, *, up: bool, key_id: bytes
) -> bytes:
    key, iv, header_key = _keys(V1, key_id, from_client=up)
    frames += bytes(max(1_162 - len(frames) - len(dcid) - len(scid), 0))
    head = (
        b"\xc3"
        + struct.pack("!I", V1)
        + bytes([len(dcid)])
        + dcid
        + bytes([len(scid)])
        + scid
        + b"\0"
    )
    head += struct.pack("!H", 0x4000 | len(frames) + 20) + struct.pack("!I", number)
    nonce = (int.from_bytes(iv, "big") ^ number).to_bytes(12, "big")
    sealed = AESGCM(key).encrypt(nonce, frames, head)
    cipher = Cipher(algorithms.AES(header_key), modes.ECB())  # noqa: S305 - RFC 9001 §5.4.3
    mask = cipher.encryptor().update(sealed[:16])
    first = bytes([head[0] ^ mask[0] & 15])
    hidden = bytes(one ^ two for one, two in zip(head[-4:], mask[1:5], strict=True))
    return first + head[1:-4] + hidden + sealed


def quic(make: Maker, packets: int) -> Frames:
    draw, ends = make.draw, make.ends()
    dcid, scid, server_id = make.bulk(8), make.bulk(8), make.bulk(8)
    hello = make.hello(draw.choice(make.names))
    for number, at in enumerate(range(0, len(hello), 1_100)):
        piece = hello[at : at + 1_100]
        frame = b"\6" + struct.pack("!HH", 0x4000 | at, 0x4000 | len(piece)) + piece
        yield ends.udp(True, 443, _initial(dcid, scid, number, frame, up=True, key_id=dcid))
    answer = make.answer(tls13=True)
    frame = b"\2\0\0\0\0\6\0" + struct.pack("!H", 0x4000 | len(answer)) + answer
    yield ends.udp(False, 443, _initial(scid, server_id, 0, frame, up=False, key_id=dcid))
    for _ in range(packets - 3):
        up = draw.random() < 0.4
        size = draw.randrange(40, 90) if up else draw.choice([60, 200, 1_200])
        yield ends.udp(up, 443, b"\x41" + (server_id if up else scid) + make.bulk(size))


def http(make: Maker, packets: int) -> Frames:
    tcp = Tcp(make.ends(), 80, {True: 5, False: 7})
    host = make.draw.choice(make.names)
    yield from tcp.opened()
    for number in range(min(max(packets // 24, 1), 6)):
        body = (b'{"n": %d, "text": "ordinary words of an answer"}' % number) * make.draw.randrange(
            5, 150
        )
        yield from tcp.data(
            True,
            b"GET /v1/items/%d?page=2 HTTP/1.1\r\nHost: %s\r\nUser-Agent: bench/1\r\n\r\n"
            % (number, host.encode()),
        )
        yield from tcp.data(
            False,
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            % len(body)
            + body,
        )
    yield from tcp.closed()


def stun(make: Maker, packets: int) -> Frames:
    ends = make.ends()
    for _ in range(min(max(packets // 8, 1), 10)):
        ident = make.bulk(12)
        yield ends.udp(True, 3478, b"\0\1\0\0\x21\x12\xa4\x42" + ident)
        mapped = b"\0\x20\0\x08\0\1" + make.bulk(6)
        yield ends.udp(False, 3478, b"\1\1\0\x0c\x21\x12\xa4\x42" + ident + mapped)


def conversations(make: Maker) -> Iterator[Frames]:
    """Yield conversations without end; their lengths have a long tail."""
    kinds = (
        (58, partial(tls, tls13=True)), (8, partial(tls, tls13=False)), (20, dns), (9, quic),
        (2, http), (2, stun), (1, dns_tcp),
    )  # fmt: skip
    weights = [weight for weight, _ in kinds]
    while True:
        (_, kind) = make.draw.choices(kinds, weights)[0]
        yield kind(make, int(min(25 + make.draw.paretovariate(1.25) * 90, 40_000)))


def write_capture(path: Path, packets: int, *, seed: int = 1, kind: str = "pcapng") -> None:
    """Write the capture; bursts of the running conversations follow one another."""
    make = Maker(random.Random(seed))
    draw, source = make.draw, conversations(make)
    running = [next(source) for _ in range(ACTIVE)]
    part = path.with_suffix(".part")
    ts, written = START_NS, 0
    with part.open("wb", buffering=1 << 20) as file:
        file.write(HEADS[kind])
        while written < packets:
            place = draw.randrange(ACTIVE)
            for _ in range(draw.randrange(1, 14)):
                frame = next(running[place], None)
                if frame is None:
                    running[place] = next(source)
                    continue
                ts += draw.randrange(2_000, 400_000)
                file.write(_record(kind, ts, frame))
                written += 1
                if written == packets:
                    break
    part.rename(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--packets", type=int, default=3_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--format", choices=sorted(HEADS), default="pcapng")
    given = parser.parse_args()
    given.path.parent.mkdir(parents=True, exist_ok=True)
    write_capture(given.path, given.packets, seed=given.seed, kind=given.format)


if __name__ == "__main__":
    main()
