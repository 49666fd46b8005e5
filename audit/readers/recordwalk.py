"""What the walks over both formats of packet captures have in common.

A walk goes from record to record, a block of the file at a time. It may stop where another process
took over, and take up afterwards what that one met.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from audit.readers.bytesource import ByteSource
from audit.readers.describing import Described
from audit.readers.recordchunk import Bytes, Interface, RecordChunk

RECORD_LIMIT: Final = 64 << 20
"""Longest packet believed; a longer claim is damage."""
WIRE_LIMIT: Final = (1 << 31) - 1
"""Largest length on the wire that is believed, as Wireshark has it."""
BLOCK: Final = 4 << 20
"""Bytes read at a time."""
ASIDE_LIMIT: Final = 64 << 20
"""Bytes of blocks without packets that the walk over a part keeps for that over the whole."""
Aside = tuple[int, bytes]
"""Type and body of a block without packets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place between two records, with all that the records behind it build on."""

    at: int
    """Offset in the file."""
    order: str
    """Byte order."""
    section: int = 0
    """Index of the present section's first interface."""
    sections: int = 0
    """Sections that began."""
    interfaces: tuple[Interface, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What a walk over the later part of a file met, packets aside."""

    end: int
    """Offset where it ended."""
    packets: int
    trouble: str | None
    """Why it ended before the end of the file."""
    aside: tuple[Aside, ...]
    """Its blocks without packets."""


class Walk(ABC):
    """One walk over the records of a file from a place on."""

    def __init__(self, source: ByteSource, place: Place, *, keeps_aside: bool = False) -> None:
        self.source = source
        self.at = place.at
        self.order, self.section, self.sections = place.order, place.section, place.sections
        self.interfaces = list(place.interfaces)
        self.stop: int | None = None
        """Where another process takes over; ``None``: nowhere, or no record begins there."""
        self.packets = 0
        """Packets that were passed."""
        self.secrets: list[bytes] = []
        self.described = Described()
        self.notes: list[str] = []
        """What was left out on the way, a sentence each."""
        self.trouble: str | None = None
        """Why it ended early; ``{number}`` stands for the number of the next packet."""
        self._aside: list[Aside] | None = [] if keeps_aside else None
        self._aside_room = ASIDE_LIMIT

    @property
    def place(self) -> Place:
        """Where the walk stands."""
        return Place(
            at=self.at,
            order=self.order,
            section=self.section,
            sections=self.sections,
            interfaces=tuple(self.interfaces),
        )

    @property
    def dropped(self) -> int:
        """Packets that the kernel dropped, as the file says."""
        return 0

    @property
    def truncated(self) -> list[str]:
        """What could not be read, a sentence each."""
        if self.trouble is None:
            return self.notes
        why = self.trouble.replace("{number}", str(self.packets + 1))
        end = f"{self.source.name}: {why}; {self.packets} packets before it were read"
        return [*self.notes, end]

    def chunks(self) -> Iterator[RecordChunk]:
        """Yield the packets block by block up to ``stop``, else to the end or to damage."""
        size = BLOCK
        spare: list[Bytes | None] = [None, None]
        while self.at < self.source.size and self.at != self.stop and self.trouble is None:
            stop = self.stop if self.stop is not None and self.stop > self.at else None
            room = size if stop is None else min(size, stop - self.at)
            block = self.source.array(self.at, room, spare.pop(0))
            spare.append(block)
            chunk, used, needed, trouble = self.step(block)
            self.at += used
            self.trouble = trouble
            if chunk is not None:
                self.packets += len(chunk.start)
                yield chunk
            if used or trouble:
                size = BLOCK
            elif stop is not None and self.at + needed > stop:
                self.stop = None
            elif self.at + needed > self.source.size:
                self.trouble = self.torn
            else:
                size = max(needed, BLOCK)

    @abstractmethod
    def step(self, block: Bytes) -> tuple[RecordChunk | None, int, int, str | None]:
        """Read whole records; return packets, bytes used, bytes that the next needs, trouble."""

    @property
    @abstractmethod
    def torn(self) -> str:
        """What is said of a file that ends inside a record."""

    @abstractmethod
    def find(self, near: int) -> int | None:
        """Return where a record probably begins behind an offset; ``None``: it cannot be told."""

    def meet(self, kind: int, body: bytes) -> str | None:
        """Take a block without packets; return trouble."""
        raise TypeError(f"this format has no blocks such as {kind} of {len(body)} bytes")

    def note_aside(self, kind: int, body: bytes) -> None:
        """Keep a block for the walk over the whole, where this is one over a part."""
        if self._aside is not None:
            self._aside_room -= len(body) + 64
            self._aside.append((kind, body))
            if self._aside_room < 0:
                self._aside = None

    @property
    def stretch(self) -> Stretch | None:
        """What this walk over a part met; ``None``: more than was kept."""
        if self._aside is None:
            return None
        return Stretch(
            end=self.at, packets=self.packets, trouble=self.trouble, aside=tuple(self._aside)
        )

    def take_up(self, stretch: Stretch) -> None:
        """Go on behind a stretch that begins where this walk stands."""
        for kind, body in stretch.aside:
            self.meet(kind, body)
        self.at = stretch.end
        self.packets += stretch.packets
        self.trouble = stretch.trouble
