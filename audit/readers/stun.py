"""STUN messages (RFC 8489), over UDP and TCP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from audit.readers.endpoint import packed_text

COOKIE: Final = b"\x21\x12\xa4\x42"
_METHODS: Final = {
    1: "binding", 3: "allocate", 4: "refresh", 6: "send", 7: "data", 8: "create-permission",
    9: "channel-bind", 10: "connect", 11: "connection-bind", 12: "connection-attempt",
}  # fmt: skip
_CLASSES: Final = ("request", "indication", "success", "error")
_OTHERS: Final = {0x0012: "peer address", 0x0016: "relayed address"}
_MAPPED, _XOR_MAPPED, _OLD_XOR_MAPPED = 0x0001, 0x0020, 0x8020


@dataclass(frozen=True, slots=True)
class StunMessage:
    """One message."""

    method: str
    """Method and class, such as ``binding request``."""
    mapped_address: str | None
    """The client's address as the server saw it."""
    length: int
    """Bytes of the whole message."""
    others: tuple[tuple[str, str, int], ...] = ()
    """Other masked addresses (RFC 8656): what it is, its text, offset of its attribute."""


def parse_stun(data: bytes) -> StunMessage | None:
    """Read the message that ``data`` begins with; ``None`` where it begins otherwise."""
    if len(data) < 20 or data[0] & 0xC0 or data[4:8] != COOKIE:
        return None
    kind, length = int.from_bytes(data[:2], "big"), int.from_bytes(data[2:4], "big")
    if length % 4 or 20 + length > len(data):
        return None
    number = (kind & 0x000F) | (kind & 0x00E0) >> 1 | (kind & 0x3E00) >> 2
    group = (kind & 0x0010) >> 4 | (kind & 0x0100) >> 7
    method = f"{_METHODS.get(number, str(number))} {_CLASSES[group]}"
    end = 20 + length
    mapped: str | None = None
    others: list[tuple[str, str, int]] = []
    is_masked = False
    for at, kind, value in _attributes(data, end):
        name = _OTHERS.get(kind)
        if name is not None:
            address = _address(value, data[4:20])
            others += [(name, address, at)] if address else []
        elif kind in {_XOR_MAPPED, _OLD_XOR_MAPPED} and not is_masked:
            is_masked, mapped = True, _address(value, data[4:20])
        elif kind == _MAPPED and not is_masked:
            mapped = _address(value, bytes(16))
    return StunMessage(method, mapped, end, tuple(others))


def _attributes(data: bytes, end: int) -> Iterator[tuple[int, int, bytes]]:
    """Yield offset, type and value of each attribute."""
    at = 20
    while at + 4 <= end:
        kind, size = (
            int.from_bytes(data[at : at + 2], "big"),
            int.from_bytes(data[at + 2 : at + 4], "big"),
        )
        yield at, kind, data[at + 4 : min(at + 4 + size, end)]
        at += 4 + (size + 3 & ~3)


def _address(value: bytes, mask: bytes) -> str | None:
    size = {(8, 1): 4, (20, 2): 16}.get((len(value), value[1] if len(value) > 1 else 0))
    if size is None:
        return None
    packed = bytes(one ^ two for one, two in zip(value[4:], mask[:size], strict=True))
    return packed_text(packed)
