"""Binary formats, written from their specifications: protocol buffers, MessagePack, CBOR."""

from __future__ import annotations

import struct


def varint(number: int) -> bytes:
    """Encode as protocol buffers do: seven bits a byte, lowest first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def protobuf_bytes(number: int, data: bytes) -> bytes:
    """Return one length-delimited field."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def protobuf_varint(field: int, number: int) -> bytes:
    """Return a message of a small number, a string and the number as a varint field."""
    return b"\x08\x03" + varint(field << 3) + varint(number) + protobuf_bytes(field + 1, b"en")


def protobuf_fixed32(field: int, number: int) -> bytes:
    """Return a message with the number as a fixed32 field (little-endian)."""
    return b"\x08\x03" + varint(field << 3 | 5) + struct.pack("<I", number)


def grpc(message: bytes) -> bytes:
    """Put the five bytes of gRPC (and gRPC-web) before a message."""
    return struct.pack(">BI", 0, len(message)) + message


def msgpack(item: object) -> bytes:
    """Encode as MessagePack."""
    if isinstance(item, dict):
        pairs = b"".join(msgpack(key) + msgpack(value) for key, value in item.items())
        return bytes([0x80 | len(item)]) + pairs
    if isinstance(item, list):
        return bytes([0x90 | len(item)]) + b"".join(map(msgpack, item))
    if isinstance(item, bytes):
        size = len(item)
        head = (
            b"\xc4" + struct.pack(">B", size) if size < 256 else b"\xc5" + struct.pack(">H", size)
        )
        if size > 0xFFFF:
            head = b"\xc6" + struct.pack(">I", size)
        return head + item
    if isinstance(item, str):
        data = item.encode()
        return _msgpack_text(len(data)) + data
    if not isinstance(item, int):
        raise TypeError(item)
    if 0 <= item < 128:
        return bytes([item])
    return b"\xce" + struct.pack(">I", item)


def _msgpack_text(size: int) -> bytes:
    if size < 32:
        return bytes([0xA0 | size])
    if size < 256:
        return b"\xd9" + struct.pack(">B", size)
    if size < 1 << 16:
        return b"\xda" + struct.pack(">H", size)
    return b"\xdb" + struct.pack(">I", size)


def cbor(item: object) -> bytes:
    """Encode as CBOR (RFC 8949), lengths definite."""
    if isinstance(item, dict):
        pairs = b"".join(cbor(key) + cbor(value) for key, value in item.items())
        return _cbor_head(5, len(item)) + pairs
    if isinstance(item, list):
        return _cbor_head(4, len(item)) + b"".join(map(cbor, item))
    if isinstance(item, bytes):
        return _cbor_head(2, len(item)) + item
    if isinstance(item, str):
        return _cbor_head(3, len(item.encode())) + item.encode()
    if not isinstance(item, int):
        raise TypeError(item)
    return _cbor_head(0, item)


def _cbor_head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    for info, size in ((24, 1), (25, 2), (26, 4)):
        if number < 1 << 8 * size:
            return bytes([major << 5 | info]) + number.to_bytes(size, "big")
    return bytes([major << 5 | 27]) + number.to_bytes(8, "big")
