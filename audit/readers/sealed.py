"""TLS connections that stay sealed: only their handshakes are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
_RANDOM_AT: Final = 11
_RST: Final = 4


def is_settled(data: bytes) -> bool:
    """Whether a direction's handshake in clear has ended: what follows changes no row."""
    at = 0
    for _ in range(RECORD_COUNT):
        if at + 5 > len(data):
            return False
        kind, length = data[at], int.from_bytes(data[at + 3 : at + 5], "big")
        if not 20 <= kind <= 24 or data[at + 1] != 3 or data[at + 2] > 4 or length > RECORD_LIMIT:
            return True
        at += 5 + length
        if at > len(data):
            return False
        if kind == APPLICATION:
            return True
    return True


@dataclass(slots=True, kw_only=True)
class SealedReader:
    """Reads the handshakes of connections that came whole and in order."""

    packets: Packets
    outline: Outline
    read: Callable[[int, int], bytes]

    def connection(
        self, group: int, has_secrets: Callable[[bytes], object], *, syn_from_a: bool | None
    ) -> Connection | None:
        """Return the connection with as much of its bytes as tells its handshake.

        ``None`` where it is not as simple: no TLS from its first byte on, gaps, secrets are known,
        or the handshake goes on in segments that were left out. ``syn_from_a``: who opened it.
        """
        found = self.outline
        if not found.in_order[group]:
            return None
        lanes = 2 * group, 2 * group + 1
        rows = [int(found.rows[found.first[lane]]) if found.count[lane] else None for lane in lanes]
        caller = 1 if rows[0] is None or (rows[1] is not None and rows[1] < rows[0]) else 0
        if rows[caller] is None or syn_from_a not in {None, caller == 1}:
            return None
        hello = self._head(lanes[caller])
        if hello is None or not begins_like_tls(hello.data, 1):
            return None
        if has_secrets(hello.data[_RANDOM_AT : _RANDOM_AT + 32]):
            return None
        answer = self._head(lanes[1 - caller])
        if answer is None or (answer.data and answer.data[:2] not in {b"\x16\x03", b"\x15\x03"}):
            return None
        sides = [self._side(lanes[caller], hello), self._side(lanes[1 - caller], answer)]
        if caller:
            return Connection(a=sides[0], b=sides[1])
        return Connection(a=sides[1], b=sides[0])

    def _head(self, lane: int) -> Run | None:
        """Return the bytes up to the end of the handshake; ``None``: it is not in what was kept."""
        found, packets = self.outline, self.packets
        begin, count = found.first[lane], found.count[lane]
        run = Run(start=0, data=b"", starts=[], numbers=[], times=[])
        done = 0
        for step in (_FIRST, count):
            rows = found.rows[begin + done : begin + min(step, count)]
            for length, offset, number, ts, several in zip(
                packets.length[rows].tolist(),
                packets.offset[rows].tolist(),
                packets.number[rows].tolist(),
                packets.ts[rows].tolist(),
                packets.several[rows].tolist(),
                strict=True,
            ):
                if several:
                    return None
                done += 1
                room = HANDSHAKE_LIMIT - len(run.data)
                run.starts.append(len(run.data))
                run.numbers.append(number)
                run.times.append(ts)
                run.data += self.read(offset, min(length, room))
                if is_settled(run.data) or length >= room:
                    return run
        return run

    def _side(self, lane: int, run: Run) -> Side:
        found = self.outline
        side = Side(
            runs=[run] if run.data else [],
            missed=found.missed[lane],
            beyond=max(found.extent[lane] - HANDSHAKE_LIMIT, 0),
        )
        closing = found.closing[lane]
        if closing >= 0:
            side.ended = int(self.packets.ts[closing])
            side.reset = bool(self.packets.flags[closing] & _RST)
        return side
