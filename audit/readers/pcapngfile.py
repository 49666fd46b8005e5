"""pcapng (draft-ietf-opsawg-pcapng): sections, interfaces, packets, secrets, statistics.

Packets come in enhanced, simple and obsolete packet blocks. Blocks of other types are passed over.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Final

import numpy as np

from audit.readers.bytesource import ByteSource
from audit.readers.owners import NOBODY, options_of
from audit.readers.packetchains import PacketChains
from audit.readers.recordchunk import (
    TAIL,
    UNDATED,
    Bytes,
    Interface,
    Ints,
    Mask,
    RecordChunk,
    nanoseconds,
    words_at,
)
from audit.readers.recordwalk import RECORD_LIMIT, WIRE_LIMIT, Place, Walk

SECTION: Final = 0x0A0D0D0A
MAGIC: Final = b"\x0a\x0d\x0d\x0a"
_INTERFACE, _OBSOLETE, _SIMPLE, _STATISTICS, _ENHANCED, _SECRETS = 1, 2, 3, 5, 6, 10
_TLS_KEY_LOG: Final = 0x544C534B
INTERFACE_LIMIT: Final = 65_536
SECRETS_LIMIT: Final = 64 << 20
"""Bytes of key log kept of one file."""
_SEARCHED: Final = 1 << 20
"""Bytes in which the beginning of a chain of packets is looked for."""
_CHAIN: Final = 8
"""Packets in a row that bear a beginning out."""
_FAR: Final = 9_200_000_000_000_000_000
"""Nanoseconds since 1970 up to which 64 bits are trusted to hold a time."""


class PcapngWalk(Walk):
    """One walk over the blocks of a pcapng file."""

    def __init__(self, source: ByteSource, place: Place | None = None) -> None:
        super().__init__(source, place or Place(at=0, order="<"), keeps_aside=place is not None)
        self._drops: dict[int, int] = {}
        self._secret_bytes = 0

    @property
    def dropped(self) -> int:
        """Packets that the kernel dropped, as the statistics blocks say (the last of each)."""
        return sum(self._drops.values())

    @property
    def torn(self) -> str:
        """What is said of a file that ends inside a block."""
        return f"the file ends inside a block at byte {self.at}"

    def step(self, block: Bytes) -> tuple[RecordChunk | None, int, int, str | None]:
        """Read whole blocks; return packets, bytes used, bytes that the next needs, trouble.

        Stops before a section header that follows packets: a section may change byte order.
        """
        packets: list[Ints] = []
        kinds: list[Ints] = []
        chains, view = PacketChains(block, self.order), block.data
        position, end, needed, trouble = 0, len(block) - TAIL, 12, None
        head = struct.Struct(self.order + "II").unpack_from
        word = struct.Struct(self.order + "I").unpack_from
        while position + 12 <= end:
            run = chains.run_at(position)
            if run is not None:
                packets.append(run)
                kinds.append(np.full(len(run), _ENHANCED, dtype=np.int64))
                position = int(run[-1]) + head(view, int(run[-1]))[1]
                continue
            kind, length = head(view, position)
            if kind == SECTION:
                if packets:
                    break
                trouble = self.meet(kind, block[position + 8 : position + 12].tobytes())
                chains = PacketChains(block, self.order)
                head = struct.Struct(self.order + "II").unpack_from
                word = struct.Struct(self.order + "I").unpack_from
                length = head(view, position)[1]
            needed = (length + 3) & ~3
            if trouble or needed < 12 or needed > RECORD_LIMIT:
                trouble = trouble or f"a block claims {length} bytes"
                break
            if position + needed > end:
                break
            if word(view, position + needed - 4)[0] != length:
                trouble = "the two lengths of a block differ"
                break
            if kind in {_ENHANCED, _SIMPLE, _OBSOLETE}:
                packets.append(np.full(1, position, dtype=np.int64))
                kinds.append(np.full(1, kind, dtype=np.int64))
            elif kind != SECTION:
                self.meet(kind, block[position + 8 : position + needed - 4].tobytes())
            position += needed
            needed = 12
        chunk = None
        if packets:
            chunk = self._chunk(block, np.concatenate(packets), np.concatenate(kinds))
        where = trouble and f"{trouble} at byte {self.at + position}"
        return chunk, position, needed, where

    def find(self, near: int) -> int | None:
        """Return where a chain of packets begins behind an offset; ``None``: none was found."""
        near -= near % 4
        at = PacketChains(self.source.array(near, _SEARCHED), self.order).first(_CHAIN)
        return None if at is None else near + at

    def meet(self, kind: int, body: bytes) -> str | None:
        """Take a block without packets (of a section header its magic); return trouble."""
        self.note_aside(kind, body)
        if kind == SECTION:
            if body not in {b"\x4d\x3c\x2b\x1a", b"\x1a\x2b\x3c\x4d"}:
                return "a section header has no byte-order magic"
            self.order = "<" if body == b"\x4d\x3c\x2b\x1a" else ">"
            self.section = len(self.interfaces)
            self.sections += 1
        elif kind == _INTERFACE and len(body) >= 8 and len(self.interfaces) < INTERFACE_LIMIT:
            self.interfaces.append(self._interface(body))
        elif kind == _SECRETS and len(body) >= 8:
            self._keep_secrets(body)
        elif kind == _STATISTICS and len(body) >= 12:
            number = struct.unpack_from(self.order + "I", body)[0]
            for code, value in options_of(body[12:], self.order):
                if code == 5 and len(value) == 8:
                    dropped = struct.unpack(self.order + "Q", value)[0]
                    self._drops[self.section + number] = dropped
        else:
            self.described.add(kind, body, self.sections, self.order)
        return None

    def _keep_secrets(self, body: bytes) -> None:
        secrets, length = struct.unpack_from(self.order + "II", body)
        self._secret_bytes += length
        if secrets == _TLS_KEY_LOG and self._secret_bytes <= SECRETS_LIMIT:
            self.secrets.append(body[8 : 8 + length])
        elif secrets == _TLS_KEY_LOG:
            self.notes.append(f"{self.source.name}: more than {SECRETS_LIMIT} secret bytes")

    def _interface(self, body: bytes) -> Interface:
        link, snaplen = struct.unpack_from(self.order + "H2xI", body)
        made = Interface(link=link, snaplen=snaplen)
        for code, value in options_of(body[8:], self.order):
            if code == 2:
                made = replace(made, name=value.rstrip(b"\0").decode("utf-8", "replace"))
            elif code == 9 and len(value) == 1:
                exponent = value[0] & 0x7F
                if value[0] & 0x80:
                    made = replace(made, shift=exponent)
                else:
                    made = replace(made, ticks=10 ** min(exponent, 19))
            elif code == 14 and len(value) == 8:
                made = replace(made, offset_s=struct.unpack(self.order + "q", value)[0])
        return made

    def _chunk(self, data: Bytes, at: Ints, kind: Ints) -> RecordChunk:
        words = words_at(data, at, 7, self.order).astype(np.int64)
        simple, obsolete = kind == _SIMPLE, kind == _OBSOLETE
        start, length, wire, number = at + 28, words[:, 5], words[:, 6], words[:, 2]
        room = words[:, 1] - 32
        if simple.any() or obsolete.any():
            # the obsolete block keeps interface and drops as two 16-bit numbers in the first word
            short = words[:, 2] >> (0 if self.order == "<" else 16) & 0xFFFF
            number = np.where(obsolete, short, np.where(simple, 0, number))
            faces = self.interfaces[self.section :]
            snap = (faces[0].snaplen if faces else 0) or RECORD_LIMIT
            wire = np.where(simple, words[:, 2], wire)
            length = np.where(simple, np.minimum(wire, snap), length)
            start, room = np.where(simple, at + 12, start), np.where(simple, room + 16, room)
        number = number + self.section
        number = np.where(number < len(self.interfaces), number, -1)
        length = np.minimum(length, np.maximum(room, 0))
        return RecordChunk(
            first=self.packets + 1,
            base=self.at,
            data=data,
            start=start,
            length=length,
            wire=np.clip(wire, length, WIRE_LIMIT),
            ts=self._times((words[:, 3] << 32) | words[:, 4], number, simple),
            iface=number,
            owner=self._owner(data, at, kind, words),
        )

    def _owner(
        self,
        data: Bytes,
        at: Ints,
        kind: Ints,
        words: np.ndarray[tuple[int, int], np.dtype[np.int64]],
    ) -> Ints | None:
        """Return whom the options of the packets name; ``None``: nobody."""
        begin = at + 28 + ((words[:, 5] + 3) & ~3)
        end = at + words[:, 1] - 4
        has = np.flatnonzero((kind == _ENHANCED) & (end - begin >= 4))
        if not len(has):
            return None
        owners = self.described.owners
        named = owners.of_options(data, begin[has], end[has], self.sections, self.order)
        if not (named != NOBODY).any():
            return None
        owner = np.full(len(at), NOBODY, dtype=np.int64)
        owner[has] = named
        return owner

    def _times(self, ticks: Ints, number: Ints, undated: Mask) -> Ints:
        first = int(number[0])
        if first >= 0 and not undated.any() and bool((number == first).all()):
            return _moments(ticks, self.interfaces[first])
        ts = np.full(len(ticks), UNDATED, dtype=np.int64)
        for index in np.unique(number[~undated & (number >= 0)]):
            chosen = (number == index) & ~undated
            ts[chosen] = _moments(ticks[chosen], self.interfaces[index])
        return ts


def _moments(ticks: Ints, face: Interface) -> Ints:
    """Return ns since 1970 of the (unsigned) time stamps of one interface."""
    usual = {1_000_000_000: 1, 1_000_000: 1_000}.get(face.ticks) if face.shift is None else None
    if usual and not face.offset_s:
        least, most = int(np.min(ticks)), int(np.max(ticks))
        if 0 <= least <= most < _FAR // usual:
            return ticks * usual
    seconds, fraction = _split(ticks.view(np.uint64), face)
    return nanoseconds(seconds + face.offset_s, fraction)


def _split(
    ticks: np.ndarray[tuple[int], np.dtype[np.uint64]], face: Interface
) -> tuple[Ints, Ints]:
    """Return whole seconds and the rest in ns of time stamps of one interface."""
    if face.shift is not None:
        shift = min(face.shift, 63)
        seconds = ticks >> np.uint64(shift)
        rest = ticks & np.uint64((1 << shift) - 1)
        spare = max(shift - 34, 0)  # 34 bits of fraction times 10^9 stay below 2^64
        fraction = (rest >> np.uint64(spare)) * np.uint64(1_000_000_000) >> np.uint64(shift - spare)
        if face.shift > 63:
            seconds = np.zeros_like(ticks)
    else:
        seconds = ticks // np.uint64(face.ticks)
        rest = ticks % np.uint64(face.ticks)
        scale = 1_000_000_000
        fraction = (
            rest * np.uint64(scale // face.ticks)
            if face.ticks <= scale
            else rest // np.uint64(face.ticks // scale)
        )
    return np.minimum(seconds, np.uint64(1 << 62)).astype(np.int64), fraction.astype(np.int64)
