"""How far the part of a TLS connection goes that is in clear where it stays sealed."""

from __future__ import annotations

import struct
from typing import Final

from audit.readers.tlshello import APPLICATION, RECORD_LIMIT

HANDSHAKE_LIMIT: Final = 1 << 16
"""Bytes of each direction in which the handshake of a TLS connection lies that is not opened."""
RECORD_COUNT: Final = 64
"""Records of each direction that are looked at where there are no secrets."""
_RECORD: Final = struct.Struct("!BHH").unpack_from


class Settling:
    """Looks for the end of a direction's handshake in clear while its bytes come in."""

    __slots__ = ("_at", "_records")

    def __init__(self) -> None:
        self._at = 0
        """Where the first record begins that did not end yet."""
        self._records = 0

    def is_done(self, data: bytes) -> bool:
        """Whether what follows ``data``, all bytes up to now, changes no row."""
        at, size = self._at, len(data)
        while self._records < RECORD_COUNT:
            if at + 5 > size:
                return False
            kind, version, length = _RECORD(data, at)
            if not 20 <= kind <= 24 or not 0x0300 <= version <= 0x0304 or length > RECORD_LIMIT:
                return True
            at += 5 + length
            if at > size:
                return False
            self._at = at
            self._records += 1
            if kind == APPLICATION:
                return True
        return True


def is_settled(data: bytes) -> bool:
    """Whether a direction's handshake in clear has ended: what follows changes no row."""
    return Settling().is_done(data)
