"""A run of bytes that packets carried one way, with the packets behind every byte."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field, replace

from audit.readers.recordchunk import UNDATED
from audit.tables.reference import Reference
from audit.tables.vocabulary import Direction


@dataclass(slots=True, kw_only=True)
class ByteStream:
    """Contiguous bytes of one direction of a conversation, on the wire or decrypted.

    ``starts``, ``records`` and ``times`` run in parallel: from byte ``starts[i]`` on, the bytes
    came in the packets ``records[i]``, the last of them at ``times[i]`` (ns since 1970).
    """

    file: str
    """Name of the capture file in references."""
    part: str
    """What offsets count in: ``tcp.sent``, ``tls.received``, ..."""
    direction: Direction
    """Seen from the client."""
    data: bytes = b""
    base: int = 0
    """Offset of ``data[0]`` in the part."""
    starts: list[int] = field(default_factory=list)
    """Offsets in ``data``, ascending."""
    records: list[tuple[int, ...]] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    closed: bool = False
    """Whether the sender ended it here (FIN, close_notify): nothing can follow."""

    def numbers(self, start: int, end: int) -> tuple[int, ...]:
        """Return the numbers of the packets that carried ``data[start:end]``, ascending."""
        first = bisect_right(self.starts, start) - 1
        first = max(first, 0)
        last = bisect_left(self.starts, end, first)
        groups = self.records[first : last if last > first else first + 1]
        if len(groups) == 1 and len(groups[0]) == 1:
            return groups[0]
        return tuple(sorted({number for group in groups for number in group}))

    def at(self, start: int, end: int) -> Reference:
        """Return the reference of ``data[start:end]``."""
        return Reference(
            file=self.file,
            records=self.numbers(start, end),
            part=self.part,
            start=self.base + start,
            end=self.base + end,
        )

    def time(self, offset: int) -> int:
        """Return when the byte came, ns since 1970 or ``UNDATED``."""
        if not self.times:
            return UNDATED
        return self.times[max(bisect_right(self.starts, offset) - 1, 0)]

    def after(self, offset: int) -> ByteStream:
        """Return the stream from ``offset`` on; references still count in the same part."""
        first = max(bisect_right(self.starts, offset) - 1, 0)
        return ByteStream(
            file=self.file,
            part=self.part,
            direction=self.direction,
            data=self.data[offset:],
            base=self.base + offset,
            starts=[max(start - offset, 0) for start in self.starts[first:]],
            records=self.records[first:],
            times=self.times[first:],
            closed=self.closed,
        )

    def until(self, offset: int) -> ByteStream:
        """Return the stream up to ``offset``."""
        return replace(self, data=self.data[:offset], closed=False)

    def append(self, data: bytes, records: tuple[int, ...], time: int, into: bytearray) -> None:
        """Note that ``data`` follows; the bytes gather in ``into`` until :meth:`seal`."""
        if data:
            self.starts.append(len(into))
            self.records.append(records)
            self.times.append(time)
            into += data

    def seal(self, gathered: bytearray) -> None:
        """Take over what was appended."""
        self.data = bytes(gathered)
