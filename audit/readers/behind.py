"""Bytes that the headers of a packet pass over: behind its end in the frame, in odd TCP options.

An ordinary packet has none, or zeros that fill an Ethernet frame up. What there is belongs to no
datagram and no stream, and is searched by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from audit.readers.frames import TCP, Frames
from audit.readers.owners import TRAILER, TRAILER_MAGIC
from audit.readers.recordchunk import Ints, Mask, RecordChunk, numbers_in, pieces_at
from audit.readers.talk import Talk
from audit.tables.reference import Reference

CHECKSUM: Final = 4
"""Bytes of an Ethernet frame check sequence: that few behind a packet are no text."""
KEPT_LIMIT: Final = 200_000
"""Packets of which such bytes are kept; how many there are beyond is said."""
_OPTIONS: Final = 40
_STAMPS: Final = 0x0101080A
"""Two paddings and a time stamp: the options of nearly every segment (RFC 7323)."""
_KNOWN: Final = (0, 1, 2, 3, 4, 5, 8, 19, 28, 29, 30, 34)
"""Kinds of TCP options that hold numbers (IANA); others may hold anything (RFC 6994)."""
_COLUMNS: Final = 6
"""Conversation, whether side a sent it, packet number, offset in the file, bytes of the frame
before, length."""


class Behind:
    """Grows chunk by chunk; bounded by ``KEPT_LIMIT``."""

    def __init__(self) -> None:
        self._rows: list[Ints] = []
        self._count = 0
        self.lost = 0
        """Packets beyond the bound."""

    def add(self, chunk: RecordChunk, frames: Frames, conversation: Ints, from_a: Mask) -> None:
        """Look at the packets of a chunk, before any were put together."""
        for index, start, size in (_trailing(chunk, frames), _options(chunk, frames)):
            if len(index):
                at = chunk.base + start
                lead = start - chunk.start[index]
                number = chunk.first + index
                columns = (conversation[index], from_a[index], number, at, lead, size)
                self._keep(np.stack(columns, axis=1, dtype=np.int64)[conversation[index] >= 0])

    def join(self, rows: Ints, lost: int, ids: Ints, before: int) -> None:
        """Add what another process found in packets behind these."""
        rows = rows.copy()
        rows[:, 0] = ids[rows[:, 0]]
        rows[:, 2] += before
        self.lost += lost
        self._keep(rows)

    def rows(self) -> Ints:
        """Return what was found, by conversation."""
        every = np.concatenate([np.zeros((0, _COLUMNS), dtype=np.int64), *self._rows])
        return every[np.argsort(every[:, 0], kind="stable")]

    def _keep(self, rows: Ints) -> None:
        room = KEPT_LIMIT - self._count
        self.lost += max(len(rows) - room, 0)
        self._rows.append(rows[:room])
        self._count += len(rows[:room])


def by_conversation(rows: Ints) -> dict[int, list[list[int]]]:
    """Return the rows of each conversation."""
    found: dict[int, list[list[int]]] = {}
    for row in rows.tolist():
        found.setdefault(row[0], []).append(row)
    return found


def add_behind(
    talk: Talk, rows: list[list[int]], read: Callable[[int, int], bytes], *, from_a: bool
) -> None:
    """Hand what lies behind the packets of a conversation to the search; side a began: from_a."""
    for _, is_a, number, offset, lead, size in rows:
        ref = Reference(
            file=talk.file, records=(number,), part="frame", start=lead, end=lead + size
        )
        direction = talk.direction(from_originator=bool(is_a) == from_a)
        talk.raw_payload(direction, read(offset, size), ref)


def _trailing(chunk: RecordChunk, frames: Frames) -> tuple[Ints, Ints, Ints]:
    """Return packets with more than zeros behind their end, where that begins, its length."""
    data = chunk.data
    spare = chunk.start + chunk.length
    spare -= frames.payload
    spare -= frames.payload_wire
    index = np.flatnonzero(spare > CHECKSUM)
    index = index[frames.proto[index] >= 0]
    at = frames.payload[index] + frames.payload_wire[index]
    if not len(index):
        return index, at, at
    end = at + spare[index]
    marks = numbers_in(data, ">u4")[np.maximum(end - TRAILER, 0)]
    end = np.where((marks == TRAILER_MAGIC) & (end - at >= TRAILER), end - TRAILER, end)
    size = end - at - CHECKSUM
    words = numbers_in(data, ">u8")[np.minimum(at, len(data) - 8)]
    shift = (64 - 8 * np.clip(size, 1, 8)).astype(np.uint64)
    filled = (words >> shift != 0) & (size > 0)
    for more in np.flatnonzero(~filled & (size > 8)).tolist():
        filled[more] = data[at[more] : at[more] + size[more]].any()
    return index[filled], at[filled], (end - at)[filled]


def _options(chunk: RecordChunk, frames: Frames) -> tuple[Ints, Ints, Ints]:
    """Return packets with TCP options of unknown kinds, where each one's data lies."""
    data = chunk.data
    longer = frames.header > 20
    # of IPv4 the options' first word lies in what is at hand
    longer &= (frames.head[:, 40:44].view(">u4")[:, 0] != _STAMPS) | (frames.header != 32)
    other = ~frames.plain | frames.ipv6
    other &= frames.header == 32
    index = np.flatnonzero(longer | other)
    index = index[frames.proto[index] == TCP]
    begin = frames.payload[index] - frames.header[index] + 20
    usual = (frames.header[index] == 32) & (numbers_in(data, ">u4")[begin] == _STAMPS)
    index, begin = index[~usual], begin[~usual]
    if not len(index):
        return index, begin, begin
    head = pieces_at(data, np.minimum(begin, len(data) - _OPTIONS), _OPTIONS).astype(np.int64)
    room = np.minimum(frames.payload[index], (chunk.start + chunk.length)[index]) - begin
    row, at = np.arange(len(index)), np.zeros(len(index), dtype=np.int64)
    found: list[tuple[Ints, Ints, Ints]] = [(index[:0], begin[:0], begin[:0])]
    while len(row):
        kind = head[row, at]
        size = np.where(kind <= 1, 1, head[row, np.minimum(at + 1, _OPTIONS - 1)])
        going = (kind != 0) & (size > 0) & (at + size <= room[row])
        row, at, kind, size = row[going], at[going], kind[going], size[going]
        odd = ~np.isin(kind, _KNOWN) & (size > 2 + CHECKSUM)
        found.append((index[row[odd]], (begin[row] + at + 2)[odd], size[odd] - 2))
        at = at + size
        going = at < np.minimum(room[row], _OPTIONS)
        row, at = row[going], at[going]
    indices, starts, sizes = (np.concatenate(column) for column in zip(*found, strict=True))
    return indices, starts, sizes
