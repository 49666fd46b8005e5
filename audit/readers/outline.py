"""What the sequence numbers of all TCP conversations tell, at once.

Most connections are captured whole and in order: one SYN, then segments that follow one another.
For those nothing has to be put together; for all others :mod:`audit.readers.tcp` does it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from audit.readers.packetstore import Sorted
from audit.readers.recordchunk import Ints, Mask, order_by

_FIN, _SYN, _RST, _ACK = 1, 2, 4, 16
_WORD: Final = (1 << 32) - 1
_WINDOW: Final = 1 << 30


@dataclass(slots=True, kw_only=True)
class Outline:
    """Lists by lane: twice the number of the conversation's group, plus 1 for side a."""

    in_order: list[bool]
    """By group: both directions came whole and in order, as one connection."""
    rows: Ints
    """Rows of the segments with payload, lane by lane."""
    first: list[int]
    """Index in ``rows`` of the lane's first segment."""
    first_row: list[int]
    """Row of the lane's first segment; beyond all rows: it has none."""
    count: list[int]
    """Segments of the lane."""
    extent: list[int]
    """Bytes that were sent."""
    missed: list[int]
    """Bytes that were acknowledged and never seen."""
    closing: list[int]
    """Row of the first FIN or RST; -1: none."""


def outline(found: Sorted) -> Outline:
    """Return what the packets of each conversation tell; those of UDP do no harm."""
    packets, groups = found.packets, len(found.begins)
    lanes = 2 * groups
    group = np.repeat(np.arange(groups), found.ends - found.begins)
    lane = 2 * group + packets.from_a
    order = order_by(lane)
    rows = order[(packets.wire > 0)[order]]
    on = lane[rows]
    seq, wire = packets.seq[rows].astype(np.int64), packets.wire[rows].astype(np.int64)
    bad = (packets.length[rows] != wire) | (packets.fragment[rows] >= 0)
    bad |= (packets.flags[rows] & _SYN) != 0
    follows = on[1:] == on[:-1]
    bad[1:] |= follows & (((seq[:-1] + wire[:-1] - seq[1:]) & _WORD) != 0)
    count = np.bincount(on, minlength=lanes)
    first = np.cumsum(count) - count
    extent = np.bincount(on, wire, lanes).astype(np.int64)
    broken = np.bincount(on, bad, lanes) > 0
    begin = np.zeros(lanes, dtype=np.int64)
    begin[count > 0] = seq[first[count > 0]]
    first_row = np.full(lanes, len(lane), dtype=np.int64)
    first_row[count > 0] = rows[first[count > 0]]
    broken |= _syn(found, lane, group, begin, first_row, count)
    closing = np.full(lanes, -1, dtype=np.int64)
    ends = np.flatnonzero(packets.flags & (_FIN | _RST))[::-1]
    closing[lane[ends]] = ends
    acking = np.flatnonzero((packets.flags & (_ACK | _RST)) == _ACK)
    to = lane[acking] ^ 1
    beyond = (packets.ack[acking].astype(np.int64) - begin[to] - extent[to]) & _WORD
    beyond[(beyond >= _WINDOW) | (begin[to] < 0)] = 0
    missed = np.zeros(lanes, dtype=np.int64)
    np.maximum.at(missed, to, beyond)
    return Outline(
        in_order=(~(broken[0::2] | broken[1::2])).tolist(),
        rows=rows,
        first=first.tolist(),
        first_row=first_row.tolist(),
        count=count.tolist(),
        extent=extent.tolist(),
        missed=np.where(missed > 1, missed, 0).tolist(),
        closing=closing.tolist(),
    )


def _syn(found: Sorted, lane: Ints, group: Ints, begin: Ints, first_row: Ints, count: Ints) -> Mask:
    """Set where each lane begins (-1: nobody knows); return which lanes began twice or oddly."""
    flags, seq = found.packets.flags, found.packets.seq
    opening = np.flatnonzero(flags & _SYN)
    on = lane[opening]
    origin = (seq[opening].astype(np.int64) + 1) & _WORD
    empty = count[on] == 0
    odd = (opening > first_row[on]) | (~empty & (begin[on] != origin))
    called = (flags[opening] & _ACK) == 0
    odd |= called & (opening != found.begins[group[opening]])
    begin[count == 0] = -1
    begin[on] = origin
    broken: Mask = np.bincount(on, minlength=len(count)) > 1
    return broken | (np.bincount(on, odd, len(count)) > 0)
