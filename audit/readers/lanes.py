"""TCP connections that came whole and in order, read without putting segments in place.

A lane is one direction of a conversation. Of connections that stay sealed only the handshakes are
read; of all others everything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import numpy as np

from audit.readers.outline import outline
from audit.readers.packetstore import Sorted
from audit.readers.recordchunk import Ints
from audit.readers.sealed import HANDSHAKE_LIMIT, Settling
from audit.readers.segments import Piece, Read, Run, read_all
from audit.readers.tcp import Connection, Side
from audit.readers.tlshello import begins_like_tls

_FIRST: Final = 3
"""Segments read at first: most handshakes of one side lie in them."""
_MORE: Final = 8
_NEAR: Final = 1 << 15
"""Bytes of the file that are read at once where the first segments lie in them."""
_RANDOM_AT: Final = 11
"""Offset of the client's random: record and message header, version."""
_Segment = tuple[int, int, int, int, int]
"""Offset in the file, length, packet number, time, 1 where it stands for several."""
_RST: Final = 4
_FAR: Final = np.iinfo(np.int64).max


@dataclass(slots=True)
class SealedTalk:
    """A TLS connection that stays sealed, with as much of its bytes as tells its handshake."""

    hello: Run
    answer: Run
    is_from_a: bool
    """Whether side a called."""
    _calling: Side
    _answering: Side

    @property
    def connection(self) -> Connection:
        """The connection as those are that were put together."""
        if self.is_from_a:
            return Connection(a=self._calling, b=self._answering)
        return Connection(a=self._answering, b=self._calling)

    @property
    def missed(self) -> int:
        """Bytes that were sent and are not in the capture."""
        return self._calling.missed + self._answering.missed

    @property
    def is_closed(self) -> bool:
        """Whether nothing can follow the caller's bytes."""
        own = self._calling
        is_ended = own.ended is not None or self._answering.reset
        return is_ended and not own.missed and not own.beyond


class LaneReader:
    """Reads the connections among the packets of some conversations."""

    def __init__(self, found: Sorted, read: Read) -> None:
        self._packets, self._read = found.packets, read
        self._outline = outline(found)
        rows, packets = self._outline.rows, found.packets
        columns = (packets.offset, packets.length, packets.number, packets.ts, packets.several)
        self._segments = np.stack([column[rows] for column in columns], axis=1, dtype=np.int64)
        first, count = (np.asarray(x) for x in (self._outline.first, self._outline.count))
        self._heads, self._near = _heads(self._segments, first, count)

    def sealed(
        self, group: int, has_secrets: Callable[[bytes], object], *, syn_from_a: bool | None
    ) -> SealedTalk | None:
        """Return the connection if it is one.

        ``None`` where it is not as simple: no TLS from its first byte on, odd bytes between its
        records, gaps, secrets are known, or the handshake goes on in what was left out.
        ``syn_from_a``: who opened it.
        """
        found = self._outline
        if not found.in_order[group]:
            return None
        b, a = 2 * group, 2 * group + 1
        if not found.count[a]:
            caller, answerer = b, a
        elif not found.count[b] or found.first_row[a] < found.first_row[b]:
            caller, answerer = a, b
        else:
            caller, answerer = b, a
        if not found.count[caller] or syn_from_a not in {None, caller == a}:
            return None
        begin, end = self._near[group]
        near = (begin, self._read(begin, end - begin) if end - begin <= _NEAR else b"")
        hello = self._head(caller, near)
        if hello is None or not begins_like_tls(hello.data, 1):
            return None
        if has_secrets(hello.data[_RANDOM_AT : _RANDOM_AT + 32]):
            return None
        answer = self._head(answerer, near)
        if answer is None or (answer.data and answer.data[:2] not in {b"\x16\x03", b"\x15\x03"}):
            return None
        calling = self._side(caller, hello, HANDSHAKE_LIMIT)
        answering = self._side(answerer, answer, HANDSHAKE_LIMIT)
        return SealedTalk(hello, answer, caller == a, calling, answering)

    def whole(self, group: int, limit: int) -> Connection | None:
        """Return the connection with all its bytes; ``None``: it must be put together."""
        found = self._outline
        lanes = 2 * group + 1, 2 * group
        if not found.in_order[group] or any(found.extent[lane] > limit for lane in lanes):
            return None
        sides = []
        for lane in lanes:
            begin = found.first[lane]
            segments = self._segments[begin : begin + found.count[lane]]
            if segments[:, 4].any():
                return None
            at = 0
            pieces: list[Piece] = []
            for offset, length, number, ts, _ in segments.tolist():
                pieces.append((at, length, offset, number, ts))
                at += length
            run = Run(
                start=0,
                data=b"".join(read_all(pieces, self._read)) if pieces else b"",
                starts=[piece[0] for piece in pieces],
                numbers=[piece[3] for piece in pieces],
                times=[piece[4] for piece in pieces],
            )
            sides.append(self._side(lane, run, limit))
        return Connection(a=sides[0], b=sides[1])

    def _head(self, lane: int, near: tuple[int, bytes]) -> Run | None:
        """Return the bytes up to the end of the handshake; ``None``: it is not in what was kept."""
        base, buffer = near
        count, begin = self._outline.count[lane], self._outline.first[lane]
        segments: list[_Segment] = self._heads[lane][:count]
        data, settling, used = b"", Settling(), 0
        while used < len(segments):
            offset, length, _, _, several = segments[used]
            if several:
                return None
            used += 1
            at = offset - base
            if 0 <= at <= at + length <= len(buffer):
                data += buffer[at : at + length]
            else:
                data += self._read(offset, length)
            if len(data) >= HANDSHAKE_LIMIT:
                data = data[:HANDSHAKE_LIMIT]
                break
            if settling.is_done(data):
                break
            if used == len(segments):
                part = self._segments[begin + used : begin + min(used + _MORE, count)]
                segments += map(tuple, part.tolist())
        if settling.is_odd:
            return None
        del segments[used:]
        return Run(
            start=0,
            data=data,
            starts=list(accumulate([segment[1] for segment in segments[:-1]], initial=0))
            if segments
            else [],
            numbers=[segment[2] for segment in segments],
            times=[segment[3] for segment in segments],
        )

    def _side(self, lane: int, run: Run, limit: int) -> Side:
        found = self._outline
        closing = found.closing[lane]
        is_closed = closing >= 0
        return Side(
            runs=[run] if run.data else [],
            missed=found.missed[lane],
            beyond=max(found.extent[lane] - limit, 0),
            ended=int(self._packets.ts[closing]) if is_closed else None,
            reset=is_closed and bool(self._packets.flags[closing] & _RST),
        )


def _heads(
    segments: Ints, first: Ints, count: Ints
) -> tuple[list[list[_Segment]], list[tuple[int, int]]]:
    """Return the first segments of each lane, and where in the file those of each group lie."""
    if not len(segments):
        return [[] for _ in first], [(0, 0) for _ in first[::2]]
    step = np.arange(_FIRST)
    at = np.minimum(first[:, None] + step, len(segments) - 1)
    has = step < count[:, None]
    found = segments[at]
    begin = np.where(has, found[:, :, 0], _FAR).min(axis=1)
    end = np.where(has, found[:, :, 0] + found[:, :, 1], 0).max(axis=1)
    near = np.minimum(begin[::2], begin[1::2]), np.maximum(end[::2], end[1::2])
    return found.tolist(), list(zip(*(side.tolist() for side in near), strict=True))
