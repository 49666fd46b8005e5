"""Bytes of one TCP direction put in place: first copy first, gaps kept as gaps."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import pairwise
from typing import Final

import numpy as np

from audit.readers.packetstore import Packets
from audit.readers.recordchunk import Ints

Read = Callable[[int, int], bytes]
"""Bytes of the capture file by offset and length."""
_SPAN: Final = 4 << 20
"""Bytes of the file read at a time where a stream's packets lie close together."""
CONFLICT_LIMIT: Final = 1 << 20
_DENSE: Final = 8
"""How many times its own bytes the part of the file may be that holds a stream."""


@dataclass(slots=True, kw_only=True)
class Run:
    """Bytes without a gap."""

    start: int
    """Offset in the stream."""
    data: bytes
    starts: list[int]
    """Where each packet's bytes begin in ``data``."""
    numbers: list[int]
    times: list[int]


@dataclass(slots=True, kw_only=True)
class Placed:
    """The bytes of one direction."""

    runs: list[Run] = field(default_factory=list)
    missed: int = 0
    """Bytes before the last one seen that are not in the capture."""
    extent: int = 0
    """One past the last byte that was sent."""
    conflicts: list[Run] = field(default_factory=list)
    """Segments whose bytes differ from a copy that came first, up to ``CONFLICT_LIMIT`` bytes."""
    unread: int | None = None
    """Where the first packets begin that are counted and not read; ``None``: all are read."""


def place(packets: Packets, at: Ints, limit: int, read: Read) -> Placed:
    """Join the segments of one direction, of which ``at`` are the offsets in the stream.

    Bytes from ``limit`` on are counted, not read. Of bytes that came twice the first copy counts.
    """
    if not len(at):
        return Placed()
    ends = at + packets.length
    order = np.argsort(at, kind="stable")
    begins, reached = at[order], np.maximum.accumulate(ends[order])
    before = np.maximum(np.concatenate(([0], reached[:-1])), 0)
    extent = max(int(np.max(at + packets.wire)), 0)
    gaps = int(np.maximum(begins - before, 0).sum())
    placed = Placed(missed=gaps + max(extent - max(int(reached[-1]), 0), 0), extent=extent)
    if packets.several.any():
        placed.unread = int(np.min(at[packets.several]))
        limit = max(min(limit, placed.unread), 0)
    chosen = at < limit
    at, packets = at[chosen], packets.take(chosen)
    in_order = at[0] == 0 and bool((at[1:] == ends[chosen][:-1]).all()) if len(at) else True
    pieces = _as_they_came(packets, at, limit) if in_order else _sorted_pieces(packets, at, limit)
    placed.runs = _runs(pieces, read)
    if not in_order:
        placed.conflicts = _conflicts(placed.runs, packets, at, read)
    return placed


def _conflicts(runs: list[Run], packets: Packets, at: Ints, read: Read) -> list[Run]:
    """Return segments that say something else than the bytes that were taken in their place.

    One byte is passed over: keep-alive probes carry one of any value (RFC 9293 §3.8.4).
    """
    found: list[Run] = []
    left = CONFLICT_LIMIT
    begins = [run.start for run in runs]
    for start, length, offset, number, ts in _columns(packets, at):
        index = bisect_right(begins, max(start, 0)) - 1
        skip = max(-start, 0)
        if length - skip < 2 or index < 0 or left <= 0:
            continue
        run = runs[index]
        begin = start + skip - run.start
        if begin >= len(run.data):
            continue
        data = read(offset + skip, length - skip)
        if data[: len(run.data) - begin] != run.data[begin : begin + len(data)]:
            left -= len(data)
            found.append(
                Run(start=start + skip, data=data, starts=[0], numbers=[number], times=[ts])
            )
    return found


Piece = tuple[int, int, int, int, int]
"""Offset in the stream, length, offset in the file, packet number, time."""


def _columns(packets: Packets, at: Ints) -> zip[tuple[int, int, int, int, int]]:
    columns = (at, packets.length, packets.offset, packets.number, packets.ts)
    return zip(*(column.tolist() for column in columns), strict=True)


def _as_they_came(packets: Packets, at: Ints, limit: int) -> list[Piece]:
    pieces = [piece for piece in _columns(packets, at) if piece[1]]
    if pieces and pieces[-1][0] + pieces[-1][1] > limit:
        start, _, *rest = pieces[-1]
        pieces[-1] = (start, limit - start, rest[0], rest[1], rest[2])
    return pieces


def _sorted_pieces(packets: Packets, at: Ints, limit: int) -> list[Piece]:
    """Sweep over the stream; wherever copies overlap, the one that came first is taken."""
    arrived = list(_columns(packets, at))
    spans = sorted(
        (max(start, 0), min(start + length, limit), order)
        for order, (start, length, *_) in enumerate(arrived)
        if max(start, 0) < min(start + length, limit)
    )
    pieces: list[Piece] = []
    for begin, end, order in _first_copies(spans):
        start, _, offset, number, ts = arrived[order]
        pieces.append((begin, end - begin, offset + begin - start, number, ts))
    return pieces


def _first_copies(spans: list[tuple[int, int, int]]) -> Iterator[tuple[int, int, int]]:
    """Yield begin, end and order of arrival of the parts that count; ``spans`` ascend."""
    open_spans: list[tuple[int, int]] = []
    index, position = 0, 0
    while index < len(spans) or open_spans:
        if not open_spans:
            position = max(position, spans[index][0])
        while index < len(spans) and spans[index][0] <= position:
            heappush(open_spans, (spans[index][2], spans[index][1]))
            index += 1
        while open_spans and open_spans[0][1] <= position:
            heappop(open_spans)
        if open_spans:
            order, end = open_spans[0]
            if index < len(spans):
                end = min(end, spans[index][0])
            yield position, end, order
            position = end


def _runs(pieces: list[Piece], read: Read) -> list[Run]:
    breaks = [
        index
        for index, (one, two) in enumerate(pairwise(pieces), start=1)
        if one[0] + one[1] != two[0]
    ]
    runs = []
    for begin, end in pairwise([0, *breaks, len(pieces)]):
        part = pieces[begin:end]
        if part:
            start = part[0][0]
            runs.append(
                Run(
                    start=start,
                    data=b"".join(read_all(part, read)),
                    starts=[piece[0] - start for piece in part],
                    numbers=[piece[3] for piece in part],
                    times=[piece[4] for piece in part],
                )
            )
    return runs


def read_all(pieces: list[Piece], read: Read) -> list[bytes]:
    """Return the bytes of each piece, with few reads where the pieces lie close together."""
    total = sum(piece[1] for piece in pieces)
    offsets = [piece[2] for piece in pieces]
    span = max(offsets) - min(offsets)
    if len(pieces) < 3 or span > _DENSE * total + _SPAN // 16:
        return [read(offset, length) for _, length, offset, _, _ in pieces]
    found, base, buffer = [], 0, b""
    for _, length, offset, _, _ in pieces:
        if not base <= offset <= offset + length <= base + len(buffer):
            base = offset
            buffer = read(base, max(length, min(_SPAN, span + length)))
        found.append(buffer[offset - base : offset - base + length])
    return found
