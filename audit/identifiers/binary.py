"""Fields of MessagePack, CBOR (RFC 8949) and protocol buffers, with their byte ranges.

Each walker reads bytes of any origin in bounded steps and says None where they are not wholly of
its format. Protocol buffers have no mark of their own: that every byte is accounted for is the
only sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from audit.identifiers.text import is_text

MAX_ITEMS: Final = 200_000
"""Items that a walker reads from one piece."""
MAX_NESTING: Final = 48
"""Levels of maps, arrays and messages."""

_PACKED_V4: Final = 4
"""Bytes of an IPv4 address (RFC 791)."""

LeafType = Literal["key", "text", "bytes", "number", "head", "message"]
"""``head``: header lines of a part; ``message``: bytes that also read as fields of their own."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One field: half-open range of its bytes, path and type."""

    start: int
    end: int
    path: str
    type: LeafType


_MSGPACK_MANY: Final = frozenset((*range(0x80, 0xA0), 0xDC, 0xDD, 0xDE, 0xDF))
"""First bytes of maps and arrays: what a stream of several MessagePack values consists of."""


class NotThisError(Exception):
    """The bytes are not of the walker's format."""


class _Walker:
    """What the walkers share: a position, a bound and the leaves found."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.items = 0
        self.leaves: list[Leaf] = []

    def step(self, depth: int) -> None:
        self.items += 1
        if self.items > MAX_ITEMS or depth > MAX_NESTING or self.at >= len(self.data):
            raise NotThisError

    def take(self, size: int) -> int:
        """Move over ``size`` bytes and return where they begin."""
        start = self.at
        self.at += size
        if self.at > len(self.data):
            raise NotThisError
        return start

    def number(self, size: int) -> int:
        start = self.take(size)
        return int.from_bytes(self.data[start : self.at], "big")

    def leaf(self, size: int, path: str, kind: LeafType) -> str:
        start = self.take(size)
        self.leaves.append(Leaf(start, self.at, path, kind))
        return self.data[start : min(self.at, start + 100)].decode("utf-8", "replace")


def walk_msgpack(data: bytes) -> list[Leaf] | None:
    """Return the fields of a MessagePack map, array, string or binary; None for anything else."""
    first = data[0] if data else 0xC1
    if not (0x80 <= first <= 0xBF or first in b"\xc4\xc5\xc6\xd9\xda\xdb\xdc\xdd\xde\xdf"):
        return None
    walker = _MessagePack(data)
    try:
        walker.item("$", 0, key=False)
        while walker.at < len(data):
            if data[walker.at] not in _MSGPACK_MANY:
                return None
            walker.item("$", 0, key=False)
    except NotThisError:
        return None
    return walker.leaves


class _MessagePack(_Walker):
    def item(self, path: str, depth: int, *, key: bool) -> str:
        self.step(depth)
        code = self.number(1)
        if code <= 0x7F or code >= 0xE0:
            return str(code)
        if code <= 0x8F:
            return self.pairs(code & 15, path, depth)
        if code <= 0x9F:
            return self.array(code & 15, path, depth)
        if code <= 0xBF:
            return self.leaf(code & 31, path, "key" if key else "text")
        if code in (0xC0, 0xC2, 0xC3):
            return ""
        if 0xC4 <= code <= 0xC6:
            return self.leaf(self.number(1 << code - 0xC4), path, "bytes")
        if 0xD9 <= code <= 0xDB:
            return self.leaf(self.number(1 << code - 0xD9), path, "key" if key else "text")
        if 0xCC <= code <= 0xD3:
            return self.integer(1 << ((code - 0xCC) & 3), path)
        return self.rare(code, path, depth)

    def rare(self, code: int, path: str, depth: int) -> str:
        if code in (0xDC, 0xDD):
            return self.array(self.number(2 << code - 0xDC), path, depth)
        if code in (0xDE, 0xDF):
            return self.pairs(self.number(2 << code - 0xDE), path, depth)
        if code in (0xCA, 0xCB):
            self.take(4 << code - 0xCA)
            return ""
        if 0xC7 <= code <= 0xC9:
            size = self.number(1 << code - 0xC7)
            self.take(1)
            return self.leaf(size, path, "bytes")
        if 0xD4 <= code <= 0xD8:
            self.take(1)
            return self.leaf(1 << code - 0xD4, path, "bytes")
        raise NotThisError

    def integer(self, size: int, path: str) -> str:
        value = int.from_bytes(self.data[self.at : self.at + size], "big")
        self.leaf(size, path, "number")
        return str(value)

    def pairs(self, count: int, path: str, depth: int) -> str:
        for _ in range(count):
            name = self.item(f"{path}.?", depth + 1, key=True)
            self.item(f"{path}.{name}", depth + 1, key=False)
        return ""

    def array(self, count: int, path: str, depth: int) -> str:
        for index in range(count):
            self.item(f"{path}[{index}]", depth + 1, key=False)
        return ""


def walk_cbor(data: bytes) -> list[Leaf] | None:
    """Return the fields of a CBOR map, array, tag, string or byte string; None otherwise."""
    if not data or data[0] >> 5 not in (2, 3, 4, 5, 6):
        return None
    walker = _Cbor(data)
    try:
        walker.item("$", 0, key=False)
        while walker.at < len(data):
            if data[walker.at] >> 5 not in (4, 5):
                return None
            walker.item("$", 0, key=False)
    except NotThisError:
        return None
    return walker.leaves


class _Cbor(_Walker):
    def item(self, path: str, depth: int, *, key: bool) -> str:
        self.step(depth)
        head = self.number(1)
        major, info = head >> 5, head & 31
        if info in (28, 29, 30):
            raise NotThisError
        at = self.at
        value = info if info < 24 else (-1 if info == 31 else self.number(1 << info - 24))
        if major in (0, 1):
            if value < 0:
                raise NotThisError
            self.leaves.append(Leaf(at, self.at, path, "number"))
            return str(value)
        if major in (2, 3):
            kind: LeafType = "bytes" if major == 2 else ("key" if key else "text")
            if value < 0:
                return self.chunks(major, path, depth, kind)
            return self.leaf(value, path, kind)
        if major == 4:
            return self.many(value, path, depth, pairs=False)
        if major == 5:
            return self.many(value, path, depth, pairs=True)
        if major == 6:
            return self.item(path, depth + 1, key=key)
        if info == 31:
            raise NotThisError
        return ""

    def chunks(self, major: int, path: str, depth: int, kind: LeafType) -> str:
        while not self.stop():
            self.step(depth + 1)
            head = self.number(1)
            if head >> 5 != major or head & 31 > 27:
                raise NotThisError
            info = head & 31
            self.leaf(info if info < 24 else self.number(1 << info - 24), path, kind)
        return ""

    def many(self, count: int, path: str, depth: int, *, pairs: bool) -> str:
        index = 0
        while index != count:
            if count < 0 and self.stop():
                break
            if pairs:
                name = self.item(f"{path}.?", depth + 1, key=True)
                self.item(f"{path}.{name}", depth + 1, key=False)
            else:
                self.item(f"{path}[{index}]", depth + 1, key=False)
            index += 1
        return ""

    def stop(self) -> bool:
        if self.data[self.at : self.at + 1] == b"\xff":
            self.at += 1
            return True
        return False


def walk_protobuf(data: bytes) -> list[Leaf] | None:
    """Return the fields of a protocol-buffers message, or of all messages behind gRPC's frames."""
    framed = _grpc(data)
    if framed is not None:
        return framed
    leaves: list[Leaf] = []
    return leaves if _message(data, 0, len(data), "", leaves, 0, [MAX_ITEMS]) else None


def text_fields(data: bytes) -> list[tuple[int, int]]:
    """Return the fields of a message that is text to its last byte, tags and lengths included.

    Only length-delimited fields of low number with a length below 128 look like that.
    """
    found: list[tuple[int, int]] = []
    at = 0
    while at < len(data):
        start = at + 2
        at = start + data[start - 1] if start <= len(data) else len(data) + 1
        if data[start - 2] & 7 != 2 or data[start - 2] < 8 or at > len(data):
            return []
        found.append((start, at))
        found += [(start + low, start + high) for low, high in text_fields(data[start:at])]
    return found


_GRPC_HEAD: Final = 5
"""Bytes before a message of gRPC: whether it is compressed, and its length."""
_GRPC_TRAILER: Final = 0x80
"""Bit of the frame in which gRPC-web sends trailers (PROTOCOL-WEB.md)."""


def _grpc(data: bytes) -> list[Leaf] | None:
    """Return the fields of the messages of a gRPC body; None: it is none, to its last byte."""
    at, leaves, left = 0, [], [MAX_ITEMS]
    while at < len(data):
        flags, start = data[at], at + _GRPC_HEAD
        end = start + int.from_bytes(data[at + 1 : start], "big")
        if flags & ~(_GRPC_TRAILER | 1) or end > len(data) or start > len(data):
            return None
        if flags & _GRPC_TRAILER and not flags & 1:
            leaves.append(Leaf(start, end, "trailer", "text"))
        elif flags or not _message(data, start, end, "", leaves, 0, left):
            if not flags:
                return None
            leaves.append(Leaf(start, end, "message", "bytes"))
        at = end
    return leaves or None


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    return -1, end


def _message(
    data: bytes, at: int, end: int, path: str, leaves: list[Leaf], depth: int, left: list[int]
) -> bool:
    before = len(leaves)
    while at < end:
        left[0] -= 1
        tag, at = _varint(data, at, end)
        wire, number = tag & 7, tag >> 3
        here = f"{path}.{number}" if path else str(number)
        if tag < 0 or not 0 < number < 1 << 29 or left[0] < 0 or wire in (3, 4, 6, 7):
            del leaves[before:]
            return False
        if wire == 0:
            start = at
            value, at = _varint(data, at, end)
            ok = value >= 0
            leaves.append(Leaf(start, at, here, "number"))
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
            ok = at + size <= end
            if ok:
                leaves.append(Leaf(at, at + size, here, "number"))
            at += size
        else:
            size, at = _varint(data, at, end)
            ok = 0 <= size <= end - at
            if ok:
                nested = _nested(data, at, at + size, here, leaves, depth, left)
                leaves.append(Leaf(at, at + size, here, "message" if nested else "bytes"))
            at += size
        if not ok:
            del leaves[before:]
            return False
    return True


def _nested(
    data: bytes, at: int, end: int, path: str, leaves: list[Leaf], depth: int, left: list[int]
) -> bool:
    """Read a length-delimited field as a message, unless it reads as something else.

    Four bytes stay bytes: an IPv4 address may well look like two numbered fields, while a message
    of that size has no room for an identifier.
    """
    if end - at < 2 or end - at == _PACKED_V4 or depth >= MAX_NESTING:
        return False
    first = data[at]
    if first >= 0x20 and is_text(data[at:end]):
        return False
    if 0x80 <= first <= 0xBF and (walk_msgpack(data[at:end]) or walk_cbor(data[at:end])):
        return False
    return _message(data, at, end, path, leaves, depth + 1, left)
