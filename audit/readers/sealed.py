"""How far the part of a TLS connection goes that is in clear where it stays sealed."""

from __future__ import annotations

import struct
from bisect import bisect_left
from typing import Final

from audit.readers.segments import Run
from audit.readers.tlshello import APPLICATION, RECORD_LIMIT

HANDSHAKE_LIMIT: Final = 1 << 16
"""Bytes of each direction in which the handshake of a TLS connection lies that is not opened."""
RECORD_COUNT: Final = 64
"""Records of each direction in which its first application data is looked for."""
_RECORD: Final = struct.Struct("!BHH").unpack_from


class Settling:
    """Looks for the end of a direction's handshake in clear while its bytes come in."""

    __slots__ = ("_records", "end", "is_odd")

    def __init__(self) -> None:
        self.end = 0
        """Where the last whole record ends that was looked at."""
        self.is_odd = False
        """Whether something else came where a record should: then all bytes count."""
        self._records = 0

    def is_done(self, data: bytes) -> bool:
        """Whether what follows ``data``, all bytes up to now, changes no row, or is odd."""
        at, size = self.end, len(data)
        while self._records < RECORD_COUNT:
            if at + 5 > size:
                return False
            kind, version, length = _RECORD(data, at)
            if not 20 <= kind <= 24 or not 0x0300 <= version <= 0x0304 or length > RECORD_LIMIT:
                break
            at += 5 + length
            if at > size:
                return False
            self.end = at
            self._records += 1
            if kind == APPLICATION:
                return True
        self.is_odd = True
        return True


def is_settled(data: bytes) -> bool:
    """Whether a direction's handshake in clear has ended: what follows changes no row."""
    settling = Settling()
    return settling.is_done(data) and not settling.is_odd


def clip(run: Run) -> bool:
    """Cut a direction behind the segment in which it settles; return whether it is odd."""
    settling = Settling()
    if settling.is_done(run.data) and not settling.is_odd:
        cut = next((start for start in run.starts if start >= settling.end), len(run.data))
        count = bisect_left(run.starts, cut)
        run.data = run.data[:cut]
        for column in (run.starts, run.numbers, run.times):
            del column[count:]
    return settling.is_odd
