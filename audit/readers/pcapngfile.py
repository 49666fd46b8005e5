"""pcapng (draft-ietf-opsawg-pcapng): sections, interfaces, packets, secrets, statistics.

Packets come in enhanced, simple and obsolete packet blocks. Blocks of other types are passed over.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from audit.readers.bytesource import ByteSource
from audit.readers.describing import Described
from audit.readers.owners import NOBODY, options_of
from audit.readers.packetchains import PacketChains
from audit.readers.pcapfile import BLOCK, RECORD_LIMIT, WIRE_LIMIT
from audit.readers.recordchunk import (
    TAIL,
    UNDATED,
    Bytes,
    Interface,
    Ints,
    RecordChunk,
    nanoseconds,
    words_at,
)

SECTION: Final = 0x0A0D0D0A
MAGIC: Final = b"\x0a\x0d\x0d\x0a"
_INTERFACE, _OBSOLETE, _SIMPLE, _STATISTICS, _ENHANCED, _SECRETS = 1, 2, 3, 5, 6, 10
_TLS_KEY_LOG: Final = 0x544C534B
INTERFACE_LIMIT: Final = 65_536
SECRETS_LIMIT: Final = 64 << 20
"""Bytes of key log kept of one file."""


class PcapngWalk:
    """One walk over the blocks of a pcapng file."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._order = "<"
        self._section = 0
        """Index of the present section's first interface."""
        self._packets = 0
        self._drops: dict[int, int] = {}
        self._secret_bytes = 0
        self._sections = 0
        self.described = Described()
        self.interfaces: list[Interface] = []
        self.secrets: list[bytes] = []
        self.truncated: list[str] = []

    @property
    def dropped(self) -> int:
        """Packets that the kernel dropped, as the statistics blocks say (the last of each)."""
        return sum(self._drops.values())

    def chunks(self) -> Iterator[RecordChunk]:
        """Yield the packets block by block; what cannot be read is noted in ``truncated``."""
        offset, size = 0, BLOCK
        spare: list[Bytes | None] = [None, None]
        while offset < self._source.size:
            block = self._source.array(offset, size, spare.pop(0))
            spare.append(block)
            used, packets, trouble, needed = self._walk(block)
            if packets:
                at, kind = (np.concatenate(column) for column in zip(*packets, strict=True))
                yield self._chunk(block, at, kind, offset)
            offset += used
            if trouble:
                self._cut(offset, trouble)
                return
            if used:
                size = BLOCK
            elif offset + needed > self._source.size:
                self._cut(offset, "the file ends inside a block")
                return
            else:
                size = max(needed, BLOCK)

    def _walk(self, block: Bytes) -> tuple[int, list[tuple[Ints, Ints]], str, int]:
        """Read whole blocks; return bytes used, packets (offsets, types), trouble, bytes needed.

        Stops before a section header that follows packets: a section may change byte order.
        """
        packets: list[tuple[Ints, Ints]] = []
        chains, view = PacketChains(block, self._order), block.data
        position, end, needed, trouble = 0, len(block) - TAIL, 12, ""
        head = struct.Struct(self._order + "II").unpack_from
        word = struct.Struct(self._order + "I").unpack_from
        while position + 12 <= end:
            run = chains.run_at(position)
            if run is not None:
                packets.append((run, np.full(len(run), _ENHANCED, dtype=np.int64)))
                position = int(run[-1]) + head(view, int(run[-1]))[1]
                continue
            kind, length = head(view, position)
            if kind == SECTION:
                if packets:
                    break
                trouble = self._begin_section(block, position)
                chains = PacketChains(block, self._order)
                head = struct.Struct(self._order + "II").unpack_from
                word = struct.Struct(self._order + "I").unpack_from
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
                packets.append((np.asarray([position]), np.asarray([kind])))
            elif kind != SECTION:
                self._other(kind, block[position + 8 : position + needed - 4].tobytes())
            position += needed
            needed = 12
        return position, packets, trouble, needed

    def _begin_section(self, block: Bytes, position: int) -> str:
        magic = block[position + 8 : position + 12].tobytes()
        if magic not in {b"\x4d\x3c\x2b\x1a", b"\x1a\x2b\x3c\x4d"}:
            return "a section header has no byte-order magic"
        self._order = "<" if magic == b"\x4d\x3c\x2b\x1a" else ">"
        self._section = len(self.interfaces)
        self._sections += 1
        return ""

    def _other(self, kind: int, body: bytes) -> None:
        if kind == _INTERFACE and len(body) >= 8 and len(self.interfaces) < INTERFACE_LIMIT:
            self.interfaces.append(self._interface(body))
        elif kind == _SECRETS and len(body) >= 8:
            secrets, length = struct.unpack_from(self._order + "II", body)
            self._secret_bytes += length
            if secrets == _TLS_KEY_LOG and self._secret_bytes <= SECRETS_LIMIT:
                self.secrets.append(body[8 : 8 + length])
            elif secrets == _TLS_KEY_LOG:
                self.truncated.append(
                    f"{self._source.name}: more than {SECRETS_LIMIT} secret bytes"
                )
        elif kind == _STATISTICS and len(body) >= 12:
            number = struct.unpack_from(self._order + "I", body)[0]
            for code, value in options_of(body[12:], self._order):
                if code == 5 and len(value) == 8:
                    dropped = struct.unpack(self._order + "Q", value)[0]
                    self._drops[self._section + number] = dropped
        else:
            self.described.add(kind, body, self._sections, self._order)

    def _interface(self, body: bytes) -> Interface:
        link, snaplen = struct.unpack_from(self._order + "H2xI", body)
        made = Interface(link=link, snaplen=snaplen)
        for code, value in options_of(body[8:], self._order):
            if code == 2:
                made = replace(made, name=value.rstrip(b"\0").decode("utf-8", "replace"))
            elif code == 9 and len(value) == 1:
                exponent = value[0] & 0x7F
                if value[0] & 0x80:
                    made = replace(made, shift=exponent)
                else:
                    made = replace(made, ticks=10 ** min(exponent, 19))
            elif code == 14 and len(value) == 8:
                made = replace(made, offset_s=struct.unpack(self._order + "q", value)[0])
        return made

    def _chunk(self, data: Bytes, at: Ints, kind: Ints, offset: int) -> RecordChunk:
        words = words_at(data, at, 7, self._order).astype(np.int64)
        body = words[:, 1] - 12
        simple, obsolete = kind == _SIMPLE, kind == _OBSOLETE
        # the obsolete block keeps interface and drops as two 16-bit numbers in the first word
        number = np.where(obsolete, words[:, 2] >> (0 if self._order == "<" else 16), words[:, 2])
        number = np.where(obsolete, number & 0xFFFF, np.where(simple, 0, number)) + self._section
        number = np.where(number < len(self.interfaces), number, -1)
        snap = np.asarray(
            [face.snaplen or RECORD_LIMIT for face in self.interfaces] + [RECORD_LIMIT]
        )
        wire = np.where(simple, words[:, 2], words[:, 6])
        length = np.where(simple, np.minimum(wire, snap[number]), words[:, 5])
        room = np.maximum(body - np.where(simple, 4, 20), 0)
        ticks = np.where(simple, UNDATED, (words[:, 3] << 32) | words[:, 4])
        chunk = RecordChunk(
            first=self._packets + 1,
            base=offset,
            data=data,
            start=at + np.where(simple, 12, 28),
            length=np.minimum(length, room),
            wire=np.clip(wire, np.minimum(length, room), WIRE_LIMIT),
            ts=self._times(ticks.view(np.uint64), number, simple),
            iface=number,
            owner=self._owner(data, at, kind, words),
        )
        self._packets += len(at)
        return chunk

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
        named = owners.of_options(data, begin[has], end[has], self._sections, self._order)
        if not (named != NOBODY).any():
            return None
        owner = np.full(len(at), NOBODY, dtype=np.int64)
        owner[has] = named
        return owner

    def _times(
        self,
        ticks: np.ndarray[tuple[int], np.dtype[np.uint64]],
        number: Ints,
        undated: np.ndarray[tuple[int], np.dtype[np.bool_]],
    ) -> Ints:
        ts = np.full(len(ticks), UNDATED, dtype=np.int64)
        for index in np.unique(number[~undated & (number >= 0)]):
            face = self.interfaces[index]
            chosen = (number == index) & ~undated
            seconds, fraction = _split(ticks[chosen], face)
            ts[chosen] = nanoseconds(seconds + face.offset_s, fraction)
        return ts

    def _cut(self, offset: int, why: str) -> None:
        self.truncated.append(
            f"{self._source.name}: {why} at byte {offset};"
            f" {self._packets} packets before it were read"
        )


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
