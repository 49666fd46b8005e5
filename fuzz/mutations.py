"""Damage to files, drawn from a seed: the same seed does the same damage."""

from __future__ import annotations

import gzip
import random
import re
import struct
from collections.abc import Callable, Sequence

LARGEST = 1 << 20
"""Bytes of a mutated file, at most."""
EXTREMES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFC)  # fmt: skip
WORDS = (
    b"0", b"-1", b"1e999", b"9" * 400, b"NaN", b"null", b"{}", b"[]", b'""', b"true", b"\\ud800",
    b"\\u0000", b"\xff\xfe", b"[" * 2000, b'{"a":' * 2000, b"99999999999999999999", b"\0", b"\r\n\r\n",
    b"0001-01-01T00:00:00Z", b"9999-12-31T23:59:59+23:59", b"http://[", b"gzip, gzip, br",
)  # fmt: skip
Mutation = Callable[[random.Random, bytearray, bytes], bytes]
"""Draw, file, another file -> the damaged file."""


def _flip(draw: random.Random, data: bytearray, _: bytes) -> bytes:
    for _ in range(draw.choice((1, 1, 2, 8, 64))):
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return bytes(data)


def _set(draw: random.Random, data: bytearray, _: bytes) -> bytes:
    for _ in range(draw.choice((1, 2, 16))):
        data[draw.randrange(len(data))] = draw.choice((0, 255, 127, 128, draw.randrange(256)))
    return bytes(data)


def _extreme(draw: random.Random, data: bytearray, _: bytes) -> bytes:
    """Set fields that may be lengths to extremes."""
    for _ in range(draw.choice((1, 1, 3))):
        width = draw.choice((1, 2, 4, 8))
        at = draw.randrange(len(data)) & ~draw.choice((0, 1, 3))
        number = draw.choice(EXTREMES) & ((1 << 8 * width) - 1)
        data[at : at + width] = number.to_bytes(width, draw.choice(("little", "big")))
    return bytes(data)


def _cut(draw: random.Random, data: bytearray, _: bytes) -> bytes:
    return bytes(data[: draw.randrange(len(data) + 1)])


def _drop(draw: random.Random, data: bytearray, _: bytes) -> bytes:
    at = draw.randrange(len(data))
    del data[at : at + draw.choice((1, 4, 16, 200, 3000))]
    return bytes(data)


def _double(draw: random.Random, data: bytearray, _: bytes) -> bytes:
    at = draw.randrange(len(data))
    part = data[at : at + draw.choice((4, 16, 64, 1500, 20_000))]
    to = draw.randrange(len(data) + 1)
    data[to:to] = part * draw.choice((1, 1, 2, 50))
    return bytes(data)


def _splice(draw: random.Random, data: bytearray, other: bytes) -> bytes:
    head = data[: draw.randrange(len(data) + 1)]
    return bytes(head) + other[draw.randrange(len(other) + 1) :]


def _insert(draw: random.Random, data: bytearray, other: bytes) -> bytes:
    at = draw.randrange(len(data) + 1)
    start = draw.randrange(len(other) + 1)
    data[at:at] = draw.choice((other[start : start + 400], draw.randbytes(draw.randrange(1, 64))))
    return bytes(data)


def _word(draw: random.Random, data: bytearray, _: bytes) -> bytes:
    """Put a hostile word in the place of a token of text."""
    tokens = [found.span() for found in re.finditer(rb'"[^"]*"|[\w.:+-]+', data[:200_000])]
    for _ in range(draw.choice((1, 1, 4))):
        if tokens:
            start, end = draw.choice(tokens)
            word = draw.choice(WORDS)
            data[start:end] = b'"' + word + b'"' if draw.random() < 0.3 else word
    return bytes(data)


def _records(draw: random.Random, data: bytearray, _: bytes) -> bytes:
    """Reorder, repeat and drop whole records of a packet capture, or lines of a text."""
    parts = split_records(bytes(data))
    head, rest = parts[:1], parts[1:]
    if not rest:
        return bytes(data)
    for _ in range(draw.choice((1, 3, 20))):
        at = draw.randrange(len(rest))
        match draw.randrange(3):
            case 0:
                rest.insert(draw.randrange(len(rest) + 1), rest[at])
            case 1 if len(rest) > 1:
                del rest[at]
            case _:
                other = draw.randrange(len(rest))
                rest[at], rest[other] = rest[other], rest[at]
    return b"".join(head + rest)


def split_records(data: bytes) -> list[bytes]:
    """Return a capture's head and records; the lines of what is none."""
    magic = data[:4]
    if magic in (
        b"\xd4\xc3\xb2\xa1",
        b"\x4d\x3c\xb2\xa1",
        b"\xa1\xb2\xc3\xd4",
        b"\xa1\xb2\x3c\x4d",
    ):
        order = "<" if magic[3] == 0xA1 else ">"
        parts, at = [data[:24]], 24
        while at + 16 <= len(data) and len(parts) < 2000:
            size = 16 + struct.unpack_from(order + "I", data, at + 8)[0]
            parts.append(data[at : at + size])
            at += size
        return [*parts, data[at:]]
    if magic == b"\n\r\r\n" and len(data) > 12:
        order = "<" if data[8:12] == b"\x4d\x3c\x2b\x1a" else ">"
        parts, at = [], 0
        while at + 12 <= len(data) and len(parts) < 2000:
            size = max(12, struct.unpack_from(order + "I", data, at + 4)[0])
            parts.append(data[at : at + size])
            at += size
        return [*parts, data[at:]]
    return data.splitlines(keepends=True) or [data]


MUTATIONS: tuple[Mutation, ...] = (
    _flip, _flip, _set, _extreme, _extreme, _extreme, _cut, _drop, _double, _splice, _insert,
    _word, _word, _records, _records,
)  # fmt: skip


def mutate(draw: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Return a damaged copy of a file; what is gzipped may be damaged inside."""
    if data[:3] == b"\x1f\x8b\x08" and draw.random() < 0.7:
        inner = gzip.decompress(data)
        return gzip.compress(mutate(draw, inner, others), 1)
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        if not data:
            break
        data = draw.choice(MUTATIONS)(draw, bytearray(data), draw.choice(others))[:LARGEST]
    return data
