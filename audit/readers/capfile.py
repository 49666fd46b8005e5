"""An opened capture file: packets, interfaces, TLS secrets, drop counters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Self

from audit.errors import CaptureError
from audit.readers.bytesource import ByteSource
from audit.readers.owners import Owners
from audit.readers.pcapfile import HEADER, MAGICS, PcapWalk
from audit.readers.pcapngfile import MAGIC, PcapngWalk
from audit.readers.recordchunk import Interface, RecordChunk
from audit.readers.recordwalk import Place, Stretch, Walk


class CaptureFile:
    """A pcap or pcapng file, gzipped or not.

    Raises :class:`CaptureError` on construction where it is neither. Whatever is wrong further
    on cuts the file there: the packets before it are given, and ``truncated`` says what was lost.
    """

    def __init__(self, path: Path, place: Place | None = None) -> None:
        """Open a file; with a ``place`` to walk over what lies behind it."""
        self._source = ByteSource(path)
        self.read = self._source.read
        """Returns bytes of the (inflated) file by offset and length."""
        head = self._source.read(0, HEADER)
        self._kind: type[PcapngWalk | PcapWalk]
        if head[:4] == MAGIC and len(head) >= 12:
            self._kind = PcapngWalk
        elif head[:4] in MAGICS and len(head) == HEADER:
            self._kind = PcapWalk
        else:
            self._source.close()
            raise CaptureError(
                "this is neither a pcap nor a pcapng file, or it ends inside its first header",
                source=str(path),
                hint="name a file as tcpdump, Wireshark or 'audit record' write it",
            )
        self._walk: Walk = self._kind(self._source, place)

    def rewind(self) -> None:
        """Begin anew: :meth:`chunks` may be asked for once more."""
        self._walk = self._kind(self._source)

    def chunks(self) -> Iterator[RecordChunk]:
        """Yield all packets in file order, once; the properties below are whole afterwards."""
        yield from self._walk.chunks()

    def hand_over(self, near: int) -> Place | None:
        """Let :meth:`chunks` stop behind an offset, where another process takes over.

        Returns the place where that one begins; ``None``: none was found.
        """
        walk = self._walk
        found = walk.find(near)
        if found is None or found <= walk.at:
            return None
        walk.stop = found
        return replace(walk.place, at=found)

    def is_at(self, place: Place) -> bool:
        """Whether the walk has come to exactly this place."""
        return self._walk.place == place

    def take_up(self, stretch: Stretch) -> None:
        """Go on behind a stretch that another process walked over."""
        self._walk.take_up(stretch)

    def go_on(self) -> None:
        """Let :meth:`chunks` go on to the end."""
        self._walk.stop = None

    @property
    def stretch(self) -> Stretch | None:
        """What the walk met behind the place where it began; ``None``: more than was kept."""
        return self._walk.stretch

    @property
    def at(self) -> int:
        """Offset up to which packets were given."""
        return self._walk.at

    @property
    def packets(self) -> int:
        """Packets that were passed."""
        return self._walk.packets

    @property
    def size(self) -> int:
        """Bytes of the (inflated) file."""
        return self._source.size

    @property
    def interfaces(self) -> list[Interface]:
        """Interfaces of all sections, in the order of ``RecordChunk.iface``."""
        return self._walk.interfaces

    @property
    def secrets(self) -> bytes:
        """Text of all TLS key logs in the file, wherever they stand."""
        return b"\n".join(self._walk.secrets)

    @property
    def owners(self) -> Owners:
        """Programs that the file names, by the numbers in ``RecordChunk.owner``."""
        return self._walk.described.owners

    @property
    def names(self) -> dict[str, list[str]]:
        """Address -> names in the file's name resolution blocks."""
        return self._walk.described.names

    @property
    def dropped(self) -> int:
        """Packets that the kernel dropped, as the file says."""
        return self._walk.dropped

    @property
    def truncated(self) -> list[str]:
        """What could not be read, a sentence each."""
        return [*self._source.truncated, *self._walk.truncated]

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
