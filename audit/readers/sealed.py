"""TLS connections that stay sealed: only their handshakes are read."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

from audit.readers.outline import Outline
from audit.readers.packetstore import Packets
from audit.readers.segments import Run
from audit.readers.tcp import Connection, Side
from audit.readers.tlshello import APPLICATION, RECORD_LIMIT, begins_like_tls

HANDSHAKE_LIMIT: Final = 1 << 16
"""Bytes of each direction in which the handshake of a TLS connection lies that is not opened."""
RECORD_COUNT: Final = 64
"""Records of each direction that are looked at where there are no secrets."""
_FIRST: Final = 3
"""Segments read at first: most handshakes of one side lie in them."""
_MORE: Final = 8
_NEAR: Final = 1 << 15
"""Bytes of the file that are read at once where the first segments lie in them."""
_RANDOM_AT: Final = 11
_RECORD: Final = struct.Struct("!BBBH").unpack_from
_Piece = tuple[int, int, int, int, bool]
"""Offset in the file, length, packet number, time, whether it stands for several."""
_RST: Final = 4


def is_settled(data: bytes) -> bool:
    """Whether a direction's handshake in clear has ended: what follows changes no row."""
    at, size = 0, len(data)
    for _ in range(RECORD_COUNT):
        if at + 5 > size:
            return False
        kind, major, minor, length = _RECORD(data, at)
        if not 20 <= kind <= 24 or major != 3 or minor > 4 or length > RECORD_LIMIT:
            return True
        at += 5 + length
        if at > size:
            return False
        if kind == APPLICATION:
            return True
    return True


class SealedReader:
    """Reads the handshakes of connections that came whole and in order."""

    def __init__(
        self, packets: Packets, outline: Outline, read: Callable[[int, int], bytes]
    ) -> None:
        self._packets, self._outline, self._read = packets, outline, read
        rows = outline.rows
        self._rows = rows
        self._offset, self._length = packets.offset[rows], packets.length[rows]
        self._number, self._ts = packets.number[rows], packets.ts[rows]
        self._several = packets.several[rows]

    def connection(
        self, group: int, has_secrets: Callable[[bytes], object], *, syn_from_a: bool | None
    ) -> Connection | None:
        """Return the connection with as much of its bytes as tells its handshake.

        ``None`` where it is not as simple: no TLS from its first byte on, gaps, secrets are known,
        or the handshake goes on in segments that were left out. ``syn_from_a``: who opened it.
        """
        found = self._outline
        if not found.in_order[group]:
            return None
        b, a = 2 * group, 2 * group + 1
        if not found.count[a]:
            caller, answerer = b, a
        elif not found.count[b] or self._rows[found.first[a]] < self._rows[found.first[b]]:
            caller, answerer = a, b
        else:
            caller, answerer = b, a
        if not found.count[caller] or syn_from_a not in {None, caller == a}:
            return None
        heads = self._first(caller), self._first(answerer)
        near = self._near([*heads[0], *heads[1]])
        hello = self._head(caller, heads[0], near)
        if hello is None or not begins_like_tls(hello.data, 1):
            return None
        if has_secrets(hello.data[_RANDOM_AT : _RANDOM_AT + 32]):
            return None
        answer = self._head(answerer, heads[1], near)
        if answer is None or (answer.data and answer.data[:2] not in {b"\x16\x03", b"\x15\x03"}):
            return None
        calling, answering = self._side(caller, hello), self._side(answerer, answer)
        if caller == a:
            return Connection(a=calling, b=answering)
        return Connection(a=answering, b=calling)

    def _first(self, lane: int) -> list[_Piece]:
        begin = self._outline.first[lane]
        return self._pieces(begin, begin + min(_FIRST, self._outline.count[lane]))

    def _pieces(self, begin: int, end: int) -> list[_Piece]:
        columns = (self._offset, self._length, self._number, self._ts, self._several)
        return list(zip(*[column[begin:end].tolist() for column in columns], strict=True))

    def _near(self, pieces: list[_Piece]) -> tuple[int, bytes]:
        """Return where the segments lie and the bytes there, if they lie close to one another."""
        begin = min(piece[0] for piece in pieces)
        end = max(piece[0] + piece[1] for piece in pieces)
        return (begin, self._read(begin, end - begin)) if end - begin <= _NEAR else (begin, b"")

    def _head(self, lane: int, first: list[_Piece], near: tuple[int, bytes]) -> Run | None:
        """Return the bytes up to the end of the handshake; ``None``: it is not in what was kept."""
        base, buffer = near
        run = Run(start=0, data=b"", starts=[], numbers=[], times=[])
        data, pieces = b"", first
        while pieces:
            for offset, length, number, ts, several in pieces:
                if several:
                    return None
                size = min(length, HANDSHAKE_LIMIT - len(data))
                run.starts.append(len(data))
                run.numbers.append(number)
                run.times.append(ts)
                begin = offset - base
                if 0 <= begin <= begin + size <= len(buffer):
                    data += buffer[begin : begin + size]
                else:
                    data += self._read(offset, size)
                if len(data) >= HANDSHAKE_LIMIT or is_settled(data):
                    run.data = data
                    return run
            done, count = len(run.starts), self._outline.count[lane]
            begin = self._outline.first[lane]
            pieces = self._pieces(begin + done, begin + min(done + _MORE, count))
        run.data = data
        return run

    def _side(self, lane: int, run: Run) -> Side:
        found = self._outline
        side = Side(
            runs=[run] if run.data else [],
            missed=found.missed[lane],
            beyond=max(found.extent[lane] - HANDSHAKE_LIMIT, 0),
        )
        closing = found.closing[lane]
        if closing >= 0:
            side.ended = int(self._packets.ts[closing])
            side.reset = bool(self._packets.flags[closing] & _RST)
        return side
