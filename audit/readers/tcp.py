"""TCP reassembly: connections of one 5-tuple, the bytes of each direction, what is missing.

Of bytes that were sent more than once the first copy counts. Offsets count from the byte after
the SYN (without SYN: from the first byte seen), through gaps as through bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from audit.readers.packetstore import Packets
from audit.readers.recordchunk import Ints
from audit.readers.segments import Read, Run, place

_FIN, _SYN, _RST, _ACK = 1, 2, 4, 16
STREAM_LIMIT: Final = 64 << 20
"""Bytes of one direction of a connection that are put together."""
_REORDERED: Final = 1 << 20
"""Bytes of data that may be found before the SYN they followed."""
_WORD: Final = (1 << 32) - 1
_WINDOW: Final = 1 << 30
"""Farthest that a segment may lie from its predecessor (RFC 7323 §2.3 allows no larger window)."""


@dataclass(slots=True, kw_only=True)
class Side:
    """One direction of a connection."""

    runs: list[Run] = field(default_factory=list)
    missed: int = 0
    """Bytes that were sent, by the sequence numbers, but are not in the capture."""
    conflicts: list[Run] = field(default_factory=list)
    """Segments that differ from the bytes taken in their place."""
    beyond: int = 0
    """Bytes after the limit that were not put together."""
    unread: int | None = None
    """Where segments begin that were joined and not read; ``None``: all were."""
    strays: int = 0
    """Segments with sequence numbers that fit nowhere."""
    ended: int | None = None
    """Time of FIN or RST, ns; ``None``: not seen."""
    reset: bool = False
    """Whether it ended by RST."""


@dataclass(slots=True, kw_only=True)
class Connection:
    """One TCP connection; a 5-tuple may carry several, one after the other."""

    a: Side
    """What side a of the conversation sent."""
    b: Side


def reassemble(packets: Packets, read: Read, limit: int = STREAM_LIMIT) -> list[Connection]:
    """Return the connections that the packets of one 5-tuple make, in order of time.

    At most ``limit`` bytes of each direction are put together.
    """
    return [_connection(packets.take(part), read, limit) for part in _connections(packets)]


def _connections(packets: Packets) -> list[slice]:
    """Cut where a SYN with another number than the one before opens a new connection."""
    cuts, last = [0], {True: -1, False: -1}
    for index in np.flatnonzero((packets.flags & (_SYN | _ACK)) == _SYN):
        side, seq = bool(packets.from_a[index]), int(packets.seq[index])
        known = last[side]
        last[side] = seq
        before = packets.take(slice(cuts[-1], int(index)))
        if seq != known and (known >= 0 or _is_other(before, side, seq)):
            cuts.append(int(index))
    return [slice(begin, end) for begin, end in zip(cuts, [*cuts[1:], None], strict=True)]


def _is_other(before: Packets, side: bool, seq: int) -> bool:
    """Whether data stands before a SYN that cannot have followed it (order in time may be off)."""
    own = before.take((before.wire > 0) & (before.from_a == side))
    other = before.take((before.wire > 0) & (before.from_a != side))
    follows = np.concatenate((own.seq, other.ack)).astype(np.int64)
    return bool((((follows - seq - 1) & _WORD) > _REORDERED).any())


def _connection(packets: Packets, read: Read, limit: int) -> Connection:
    a = packets.take(packets.from_a)
    b = packets.take(~packets.from_a)
    return Connection(a=_side(a, b, read, limit), b=_side(b, a, read, limit))


def _side(own: Packets, other: Packets, read: Read, limit: int) -> Side:
    side = Side()
    closing = np.flatnonzero(own.flags & (_FIN | _RST))
    if len(closing):
        side.ended = int(own.ts[closing[0]])
        side.reset = bool(own.flags[closing[0]] & _RST)
    syn = np.flatnonzero(own.flags & _SYN)
    carrying = own.take(own.wire > 0)
    if not len(carrying):
        if len(syn):
            side.missed = _unseen(other, (int(own.seq[syn[0]]) + 1) & 0xFFFFFFFF, 0)
        return side
    first = int(carrying.seq[0])
    seq = carrying.seq.astype(np.int64)
    steps: Ints = seq - np.concatenate((seq[:1], seq[:-1]))
    half = 1 << 31
    at: Ints = np.cumsum((steps + half & _WORD) - half)
    if len(syn):
        origin = (int(own.seq[syn[0]]) + 1) & 0xFFFFFFFF
        at += (first - origin + (1 << 31)) % (1 << 32) - (1 << 31)
        at += (carrying.flags & _SYN) != 0  # data in the SYN itself (RFC 7413) follows its number
    else:
        at -= min(int(np.min(at[np.abs(at) < _WINDOW], initial=0)), 0)
        origin = (first - int(at[0])) & 0xFFFFFFFF
    sent_so_far = np.cumsum(carrying.wire.astype(np.int64))
    strays = (at < -_WINDOW) | (at > sent_so_far + _WINDOW)
    side.strays = int(strays.sum())
    placed = place(carrying.take(~strays), at[~strays], limit, read)
    side.runs, side.unread, side.conflicts = placed.runs, placed.unread, placed.conflicts
    side.missed = placed.missed + _unseen(other, origin, placed.extent)
    side.beyond = max(placed.extent - limit, 0)
    return side


def _unseen(other: Packets, origin: int, end: int) -> int:
    """Return how many bytes after ``end`` the other side acknowledged (a FIN counts as one)."""
    acks = other.ack[(other.flags & (_ACK | _RST)) == _ACK].astype(np.int64)
    if not len(acks):
        return 0
    beyond = (acks - origin - end) % (1 << 32)
    beyond = beyond[beyond < _WINDOW]
    farthest = int(beyond.max(initial=0))
    return farthest if farthest > 1 else 0
