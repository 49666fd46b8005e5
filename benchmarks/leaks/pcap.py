"""Messages as packets (classic pcap, Ethernet, IPv6), for what only packets show."""

from __future__ import annotations

import ipaddress
import random
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from .har import answer_headers, request_headers
from .message import CLIENT6, START_S, Message

_MACS = bytes.fromhex("3c52a1b2c3d4" + "3c52a1b2c3d5")
Turn = tuple[bool, bytes]
"""Whether the client sends, and what."""
SMALL = 7
"""Bytes of the pieces that a value is split into: no segment or frame holds one whole."""


def write_pcap(path: Path, messages: Iterable[Message], seed: int) -> None:
    """Write a capture."""
    draw = random.Random(f"packets {seed}")
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for message in messages:
            at = START_S * 1_000_000 + message.number * 10_000
            for number, data in enumerate(_packets(message, draw)):
                moment = at + number * 50
                file.write(struct.pack("<IIII", *divmod(moment, 1_000_000), len(data), len(data)))
                file.write(data)


def _packets(message: Message, draw: random.Random) -> Iterator[bytes]:
    port = 30000 + message.number % 30000
    if message.protocol == "udp":
        yield _udp(message, port, 5060, message.data)
    elif message.protocol == "dns":
        yield _udp(message, port, 53, _question(message))
    elif message.protocol == "tls":
        yield from _Stream(message, port, 443).talk(_sent(_hello(message, draw), 1200))
    elif message.protocol == "tcp":
        size = SMALL if message.parts else 1200
        yield from _Stream(message, port, 5223).talk(_sent(message.data, size))
    else:
        yield from _Stream(message, port, 80).talk(_http(message, draw))


def _pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def _sent(data: bytes, size: int) -> list[Turn]:
    return [(True, piece) for piece in _pieces(data, size)]


def _ip(message: Message, protocol: int, payload: bytes, *, sent: bool) -> bytes:
    ends = [ipaddress.IPv6Address(text).packed for text in (CLIENT6, message.address)]
    ends = ends if sent else ends[::-1]
    pseudo = b"".join(ends) + struct.pack(">II", len(payload), protocol)
    at = 16 if protocol == 6 else 6
    check = _checksum(pseudo + payload)
    payload = payload[:at] + struct.pack(">H", check) + payload[at + 2 :]
    macs = _MACS if sent else _MACS[6:] + _MACS[:6]
    head = struct.pack(">IHBB", 6 << 28, len(payload), protocol, 64)
    return macs[6:] + macs[:6] + b"\x86\xdd" + head + b"".join(ends) + payload


def _checksum(data: bytes) -> int:
    """Add up 16 bits at a time (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (~total & 0xFFFF) or 0xFFFF


def _udp(message: Message, source: int, target: int, data: bytes) -> bytes:
    head = struct.pack(">HHHH", source, target, 8 + len(data), 0)
    return _ip(message, 17, head + data, sent=True)


class _Stream:
    """One TCP connection: handshake, data, end."""

    def __init__(self, message: Message, source: int, target: int) -> None:
        self.message = message
        self.ports = (source, target)
        self.next = [1000 + message.number, 5000]

    def talk(self, turns: list[Turn]) -> Iterator[bytes]:
        yield self.segment(0x02, b"", sent=True)
        yield self.segment(0x12, b"", sent=False)
        yield self.segment(0x10, b"", sent=True)
        for way, part in turns:
            yield self.segment(0x18, part, sent=way)
            yield self.segment(0x10, b"", sent=not way)
        yield self.segment(0x11, b"", sent=True)
        yield self.segment(0x11, b"", sent=False)
        yield self.segment(0x10, b"", sent=True)

    def segment(self, flags: int, data: bytes, *, sent: bool) -> bytes:
        ports = self.ports if sent else self.ports[::-1]
        own = 0 if sent else 1
        known = self.next[1 - own] if flags & 0x10 else 0
        head = struct.pack(">HHIIHHHH", *ports, self.next[own], known, 5 << 12 | flags, 64240, 0, 0)
        self.next[own] += len(data) + (1 if flags & 0x03 else 0)
        return _ip(self.message, 6, head + data, sent=sent)


def _http(message: Message, draw: random.Random) -> list[Turn]:
    headers = request_headers(message)
    if message.frames:
        return _websocket(message, headers, draw)
    if message.parts == "chunks":
        headers.append(("Transfer-Encoding", "chunked"))
        headers += [("Trailer", name) for name, _ in message.trailers]
        body = _sent(_chunked(message, draw), 1200)
    else:
        headers.append(("Content-Length", str(len(message.body))))
        body = _sent(message.body, SMALL if message.parts == "segments" else 1200)
    back = [*answer_headers(message), ("Content-Length", str(len(message.answer)))]
    asked = _head(f"{message.method} {message.target} HTTP/1.1", headers)
    return [(True, asked), *body, (False, _head("HTTP/1.1 200 OK", back) + message.answer)]


def _websocket(message: Message, headers: list[tuple[str, str]], draw: random.Random) -> list[Turn]:
    headers = [*headers, *_upgrade(message)]
    back = [("Connection", "Upgrade"), ("Upgrade", "websocket"),
            ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")]  # fmt: skip
    if message.parts == "deflate":
        back.append(("Sec-WebSocket-Extensions", _DEFLATE))
    turns = [(True, _head(f"GET {message.target} HTTP/1.1", headers)),
             (False, _head("HTTP/1.1 101 Switching Protocols", back))]  # fmt: skip
    for is_text, data in message.frames:
        turns += [(True, frame) for frame in _frames(is_text, data, message.parts, draw)]
    return turns


_DEFLATE = "permessage-deflate; client_no_context_takeover; server_no_context_takeover"


def _upgrade(message: Message) -> list[tuple[str, str]]:
    found = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
             ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]  # fmt: skip
    if message.parts == "deflate":
        found.append(("Sec-WebSocket-Extensions", _DEFLATE))
    return found


def _head(line: str, headers: list[tuple[str, str]]) -> bytes:
    lines = [line, *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode()


def _chunked(message: Message, draw: random.Random) -> bytes:
    out = b""
    data = message.body
    while data:
        size = draw.randint(1, SMALL)
        out += b"%x\r\n%b\r\n" % (len(data[:size]), data[:size])
        data = data[size:]
    trailers = "".join(f"{name}: {value}\r\n" for name, value in message.trailers)
    return out + b"0\r\n" + trailers.encode() + b"\r\n"


def _frames(is_text: bool, data: bytes, parts: str, draw: random.Random) -> list[bytes]:
    """Return one message as masked frames (RFC 6455 §5), deflated as RFC 7692 has it."""
    first = 0x01 if is_text else 0x02
    if parts == "deflate":
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        data = (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
        first |= 0x40
    pieces = _pieces(data, SMALL if parts == "frames" else 60_000) or [b""]
    found = []
    for number, piece in enumerate(pieces):
        head = (first if number == 0 else 0) | (0x80 if number == len(pieces) - 1 else 0)
        mask = draw.randbytes(4)
        size = len(piece)
        length = bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack(">H", size)
        body = bytes(byte ^ mask[at % 4] for at, byte in enumerate(piece))
        found.append(bytes([head]) + length + mask + body)
    return found


def _name(host: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in host.split(".")) + b"\0"


def _question(message: Message) -> bytes:
    head = struct.pack(">HHHHHH", message.number % 65536, 0x0100, 1, 0, 0, 0)
    return head + _name(message.host) + struct.pack(">HH", 28, 1)


def _hello(message: Message, draw: random.Random) -> bytes:
    """Return a ClientHello of TLS 1.2 and 1.3 (RFC 8446 §4.1.2) with the name of the server."""
    host = message.host.encode()
    name = struct.pack(">HBH", len(host) + 3, 0, len(host)) + host
    extensions = [(0, name), (43, b"\x02\x03\x04"), (10, b"\0\x02\0\x1d"), (13, b"\0\x02\x04\x03"),
                  (51, struct.pack(">HHH", 36, 29, 32) + draw.randbytes(32))]  # fmt: skip
    packed = b"".join(struct.pack(">HH", kind, len(data)) + data for kind, data in extensions)
    body = b"\x03\x03" + draw.randbytes(32) + b"\x20" + draw.randbytes(32)
    body += struct.pack(">H", 4) + b"\x13\x01\x13\x02" + b"\x01\0"
    body += struct.pack(">H", len(packed)) + packed
    shake = b"\x01" + struct.pack(">I", len(body))[1:] + body
    return b"\x16\x03\x01" + struct.pack(">H", len(shake)) + shake
