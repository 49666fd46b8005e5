"""Frames and capture files made byte by byte, for tests of the packet readers."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from audit.readers.packets import PacketOptions, read_packets
from audit.tables.extract import Extract

CLIENT = "192.0.2.10"
SERVER = "198.51.100.7"
START_NS = 1_700_000_000_000_000_000
STEP_NS = 1_000_000


def packed(address: str) -> bytes:
    return ipaddress.ip_address(address).packed


def ip(src: str, dst: str, proto: int, body: bytes, *, ident: int = 1, fragment: int = 0) -> bytes:
    if ":" in src:
        return (
            struct.pack("!IHBB", 6 << 28, len(body), proto, 64) + packed(src) + packed(dst) + body
        )
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), ident, fragment, 64, proto, 0)
    return head + packed(src) + packed(dst) + body


def ethernet(packet: bytes, *, tags: Iterable[int] = ()) -> bytes:
    kind = 0x86DD if packet[0] >> 4 == 6 else 0x0800
    tail = b"".join(struct.pack("!HH", 0x8100, tag) for tag in tags)
    return bytes(12) + tail + struct.pack("!H", kind) + packet


def udp(src: str, sport: int, dst: str, dport: int, data: bytes) -> bytes:
    body = struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data
    return ip(src, dst, 17, body)


def tcp(
    src: str, sport: int, dst: str, dport: int, seq: int, ack: int, flags: int, data: bytes = b""
) -> bytes:
    body = struct.pack(
        "!HHIIBBHHH", sport, dport, seq % 2**32, ack % 2**32, 0x50, flags, 1024, 0, 0
    )
    return ip(src, dst, 6, body + data)


@dataclass
class TcpTalk:
    """A TCP connection that is written down packet by packet."""

    client: str = CLIENT
    server: str = SERVER
    cport: int = 40_000
    sport: int = 80
    cseq: int = 1000
    sseq: int = 9000
    mss: int = 1400
    packets: list[bytes] = field(default_factory=list)

    def open(self) -> TcpTalk:
        self._send(True, 0x02)
        self.cseq += 1
        self._send(False, 0x12)
        self.sseq += 1
        self._send(True, 0x10)
        return self

    def sent(self, data: bytes) -> TcpTalk:
        return self._data(True, data)

    def received(self, data: bytes) -> TcpTalk:
        return self._data(False, data)

    def close(self) -> TcpTalk:
        self._send(True, 0x11)
        self.cseq += 1
        self._send(False, 0x11)
        self.sseq += 1
        self._send(True, 0x10)
        return self

    def _data(self, up: bool, data: bytes) -> TcpTalk:
        for at in range(0, len(data), self.mss):
            piece = data[at : at + self.mss]
            self._send(up, 0x18, piece)
            if up:
                self.cseq += len(piece)
            else:
                self.sseq += len(piece)
        return self

    def _send(self, up: bool, flags: int, data: bytes = b"") -> None:
        ends = (self.client, self.cport, self.server, self.sport)
        if not up:
            ends = (self.server, self.sport, self.client, self.cport)
        seq, ack = (self.cseq, self.sseq) if up else (self.sseq, self.cseq)
        self.packets.append(tcp(*ends, seq, ack, flags, data))


def frames(packets: Iterable[bytes]) -> list[tuple[int, bytes]]:
    """IP packets as Ethernet frames, a millisecond apart."""
    return [(START_NS + at * STEP_NS, ethernet(packet)) for at, packet in enumerate(packets)]


def pcap(
    records: Iterable[tuple[int, bytes]], *, link: int = 1, order: str = "<", nano: bool = False
) -> bytes:
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    data = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link)
    unit = 1 if nano else 1000
    for ts, frame in records:
        sec, frac = divmod(ts, 10**9)
        data += struct.pack(order + "IIII", sec, frac // unit, len(frame), len(frame)) + frame
    return data


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += bytes(-len(body) % 4)
    size = len(body) + 12
    return struct.pack(order + "II", kind, size) + body + struct.pack(order + "I", size)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link: int = 1, *, resolution: int = 9, order: str = "<", name: str = "eth0") -> bytes:
    options = option(2, name.encode(), order) + option(9, bytes((resolution,)), order)
    return block(1, struct.pack(order + "HHI", link, 0, 0) + options + bytes(4), order)


def enhanced(ticks: int, frame: bytes, *, face: int = 0, order: str = "<") -> bytes:
    head = struct.pack(
        order + "IIIII", face, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame)
    )
    return block(6, head + frame, order)


def secrets(text: bytes, order: str = "<") -> bytes:
    return block(10, struct.pack(order + "II", 0x544C534B, len(text)) + text, order)


def pcapng(records: Iterable[tuple[int, bytes]], *, key_log: bytes = b"", link: int = 1) -> bytes:
    data = section() + interface(link)
    data += b"".join(enhanced(ts, frame) for ts, frame in records)
    return data + (secrets(key_log) if key_log else b"")


def read(folder: Path, data: bytes, *, client: tuple[str, ...] = (CLIENT,)) -> Extract:
    path = folder / "packets.pcapng"
    path.write_bytes(data)
    return read_packets(path, PacketOptions(capture="test", client=client))


def read_talk(folder: Path, *talks: TcpTalk) -> Extract:
    packets = [packet for talk in talks for packet in talk.packets]
    return read(folder, pcapng(frames(packets)))
