"""DTLS handshakes that are in clear (RFC 6347, RFC 9147): the hellos, fragments joined."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

_RECORD, _MESSAGE = 13, 12
_HANDSHAKE: Final = 22
MESSAGE_LIMIT: Final = 1 << 17
_PIECES_LIMIT: Final = 32
"""Hellos of one conversation that are looked at."""


def is_dtls(data: bytes) -> bool:
    """Whether a datagram begins with a DTLS record with the long header."""
    return (
        len(data) >= _RECORD
        and 20 <= data[0] <= 26
        and data[1:3] in {b"\xfe\xff", b"\xfe\xfd"}
        and int.from_bytes(data[11:13], "big") <= len(data) - _RECORD
    )


@dataclass(slots=True)
class DtlsHellos:
    """Collects the first hello of each side of one conversation."""

    _pieces: dict[tuple[int, int], dict[int, bytes]] = field(default_factory=dict)
    hellos: dict[int, bytes] = field(default_factory=dict)
    """Message type (1 client, 2 server) -> body of the last whole one, unprotected."""
    numbers: dict[int, list[int]] = field(default_factory=dict)
    """Message type -> packets that carried it."""

    def add(self, data: bytes, number: int) -> None:
        """Take a datagram."""
        for kind, sequence, total, offset, piece in _messages(data):
            if kind not in {1, 2} or total > MESSAGE_LIMIT:
                continue
            if (kind, sequence) not in self._pieces and len(self._pieces) >= _PIECES_LIMIT:
                continue
            kept = self._pieces.setdefault((kind, sequence), {})
            kept.setdefault(offset, piece)
            self.numbers.setdefault(kind, []).append(number)
            joined = bytearray()
            for start, part in sorted(kept.items()):
                if start > len(joined):
                    break
                joined += part[len(joined) - start :]
            if len(joined) >= total:
                self.hellos[kind] = bytes(joined[:total])

    def pieces(self) -> list[bytes]:
        """Return the pieces of the client's hellos, in order."""
        kept = sorted((key, value) for key, value in self._pieces.items() if key[0] == 1)
        return [piece for _, parts in kept for _, piece in sorted(parts.items())]


def says_no_hello(data: bytes) -> bool:
    """Whether a datagram is in clear (its first record is) and holds no hello."""
    is_clear = data[3:5] == bytes(2)
    return is_clear and all(kind not in {1, 2} for kind, *_ in _messages(data))


def _messages(data: bytes) -> Iterator[tuple[int, int, int, int, bytes]]:
    """Yield type, sequence, total length, offset and bytes of handshake fragments in clear."""
    at = 0
    while is_dtls(data[at:]):
        end = at + _RECORD + int.from_bytes(data[at + 11 : at + 13], "big")
        epoch = int.from_bytes(data[at + 3 : at + 5], "big")
        position = at + _RECORD
        while data[at] == _HANDSHAKE and epoch == 0 and position + _MESSAGE <= end:
            total = int.from_bytes(data[position + 1 : position + 4], "big")
            sequence = int.from_bytes(data[position + 4 : position + 6], "big")
            offset = int.from_bytes(data[position + 6 : position + 9], "big")
            size = int.from_bytes(data[position + 9 : position + 12], "big")
            body = data[position + _MESSAGE : position + _MESSAGE + size]
            if len(body) < size or offset + size > total or position + _MESSAGE + size > end:
                break
            yield data[position], sequence, total, offset, body
            position += _MESSAGE + size
        at = end
