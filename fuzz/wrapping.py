"""Bytes put where readers find them: in streams, in datagrams, in a bundle."""

from __future__ import annotations

import json
import struct
from pathlib import Path

from audit.bundle.manifest import Manifest

CLIENT, SERVER = bytes([198, 18, 7, 2]), bytes([203, 0, 113, 5])
_HEAD = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 101)
_SEGMENT = 1400
STREAM_PORTS = (80, 443, 853, 53, 8080, 22021)
DATAGRAM_PORTS = (53, 443, 3478, 5353, 67, 4500)
_SWITCH = b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
_UPGRADE = (
    b"GET /w HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADS = ((b"", b""), (b"", b"HTTP/1.1 200 OK\r\n"), (_UPGRADE, _SWITCH), (PREFACE, b""))
"""What may stand before the bytes of client and server."""


def _ip(src: bytes, dst: bytes, proto: int, body: bytes) -> bytes:
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 1, 0, 64, proto, 0, src, dst)
    return head + body


def _pcap(packets: list[bytes]) -> bytes:
    out = [_HEAD]
    for number, packet in enumerate(packets):
        out.append(struct.pack("<IIII", 1_700_000_000, number, len(packet), len(packet)) + packet)
    return b"".join(out)


def streams(data: bytes) -> bytes:
    """Return a capture of one TCP connection; the first bytes choose port, heads and the split."""
    choice = data[:3].ljust(3, b"\0")
    port = STREAM_PORTS[choice[0] % len(STREAM_PORTS)]
    ours, theirs = HEADS[choice[1] % len(HEADS)]
    rest = data[3:]
    middle = len(rest) * choice[2] // 255
    packets = [_tcp(CLIENT, SERVER, 40_000, port, 0, 2, b"")]
    packets.append(_tcp(SERVER, CLIENT, port, 40_000, 0, 0x12, b""))
    for src, dst, sport, dport, text in (
        (CLIENT, SERVER, 40_000, port, ours + rest[:middle]),
        (SERVER, CLIENT, port, 40_000, theirs + rest[middle:]),
    ):
        for at in range(0, len(text), _SEGMENT):
            part = text[at : at + _SEGMENT]
            packets.append(_tcp(src, dst, sport, dport, 1 + at, 0x18, part))
    return _pcap(packets)


def _tcp(src: bytes, dst: bytes, sport: int, dport: int, seq: int, flags: int, body: bytes) -> bytes:  # fmt: skip
    head = struct.pack(">HHIIBBHHH", sport, dport, seq, 1, 5 << 4, flags, 1024, 0, 0)
    return _ip(src, dst, 6, head + body)


def datagrams(data: bytes) -> bytes:
    """Return a capture of datagrams; the first byte chooses port and how many there are."""
    choice = data[0] if data else 0
    port = DATAGRAM_PORTS[choice % len(DATAGRAM_PORTS)]
    rest, count = data[1:], 1 + choice // 64
    size = max(1, -(-len(rest) // count))
    packets = []
    for number, at in enumerate(range(0, max(1, len(rest)), size)):
        part = rest[at : at + size][:60_000]
        src, dst, sport, dport = (CLIENT, SERVER, 40_000, port)
        if number % 2:
            src, dst, sport, dport = dst, src, dport, sport
        packets.append(
            _ip(src, dst, 17, struct.pack(">HHHH", sport, dport, 8 + len(part), 0) + part)
        )
    return _pcap(packets)


def bundle(place: Path) -> None:
    """Write a small whole bundle, whatever lay there before."""
    place.mkdir(exist_ok=True)
    for old in place.iterdir():
        old.unlink()
    (place / "packets.pcapng").write_bytes(streams(b"\0\0\x80GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
    (place / "journal.jsonl").write_text(
        json.dumps(
            {"ts": "2023-11-14T22:13:20Z", "driver": "recorder", "action": "app.install.clean"}
        )
        + "\n"
    )
    Manifest.model_validate(
        {
            "id": "c", "status": "complete", "pass": "intercepted", "vantage": "netns",
            "device": "d", "install": "i", "started_at": "2023-11-14T22:13:20.000000Z",
            "client": {"name": "client"},
            "network": {"client": ["198.18.7.2"], "interfaces": ["eth0"]},
        }
    ).write(place)  # fmt: skip
