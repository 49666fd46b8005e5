"""Programs that a capture itself names as senders or receivers of its packets."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

import numpy as np

from audit.readers.recordchunk import Bytes, Ints, RecordChunk, numbers_in, pieces_at

NOBODY: Final = -1
PKTAP_LINKS: Final = (258, 149)
"""LINKTYPE_PKTAP, and DLT_USER2 that Darwin writes for it."""
OWNER_LIMIT: Final = 65_536
"""Owners told apart in one file; packets of others have none."""
_COMMENT, _PROCESS, _EFFECTIVE = 1, 0x8001, 0x8003
_UID_COMMENT: Final = re.compile(rb"u-(-?[0-9]{1,10})\0*\Z")
TRAILER: Final = 32
"""Bytes that PCAPdroid adds behind a frame, which begin with ``TRAILER_MAGIC``."""
TRAILER_MAGIC: Final = 0x01072021
_ETHERNET: Final = 1
_RAW: Final = 101
_V2_FLAG: Final = 0x0008_0000
_DELEGATED: Final = 4
OwnerKey = tuple[str, int, int | str]
"""What a file says of an owner: kind, then numbers or a name."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A program as far as the file names it."""

    name: str | None
    """Package (Android), else the program's own name."""
    uid: int | None
    """User id, which on Android is the app's."""


NO_OWNER: Final = Owner(None, None)


@dataclass(slots=True)
class Owners:
    """Owners by number, and what blocks of the file say about them."""

    processes: dict[tuple[int, int], str] = field(default_factory=dict)
    """Section and place of a process block -> name of the process."""
    packages: dict[int, str] = field(default_factory=dict)
    """User id -> package, by a user map block (the last of each)."""
    _numbers: dict[OwnerKey, int] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _by_options: dict[tuple[int, bytes], int] = field(default_factory=dict)
    has_trailers: bool | None = None
    """Whether the frames have PCAPdroid's trailers; ``None``: no Ethernet frame was seen yet."""

    def __len__(self) -> int:
        return len(self._numbers)

    def all(self) -> tuple[Owner, ...]:
        """Return the owners by number; complete once the whole file was read."""
        return tuple(map(self._owner, self._numbers))

    @property
    def keys(self) -> tuple[OwnerKey, ...]:
        """What the owners are known by, by number."""
        return tuple(self._numbers)

    def take_up(self, keys: tuple[OwnerKey, ...]) -> Ints:
        """Give the owners that another process met numbers here, and return those."""
        return np.asarray([self._number(key) for key in keys], dtype=np.int64)

    def _owner(self, key: OwnerKey) -> Owner:
        kind, first, second = key
        if kind == "process":
            return Owner(self.processes.get((first, int(second))), None)
        if kind == "user":
            return Owner(self.packages.get(first) or str(second) or None, first)
        return Owner(str(second) or None, None)

    def of_options(self, data: Bytes, begin: Ints, end: Ints, section: int, order: str) -> Ints:
        """Return the owner that the options of each enhanced packet block name."""
        owner = np.full(len(begin), NOBODY, dtype=np.int64)
        codes = numbers_in(data, order + "u2")[begin]
        # flags alone (what most writers add) need no look
        index = np.flatnonzero((end - begin >= 8) & ~((codes == 2) & (end - begin <= 12)))
        for at in index.tolist():
            options = data[begin[at] : min(end[at], begin[at] + 256)].tobytes()
            known = self._by_options.get((section, options))
            if known is None:
                known = self._named(options, section, order)
                if len(self._by_options) < OWNER_LIMIT:
                    self._by_options[section, options] = known
            owner[at] = known
        return owner

    def _named(self, options: bytes, section: int, order: str) -> int:
        found: dict[int, int] = {}
        for code, value in options_of(options, order):
            match = _UID_COMMENT.match(value) if code == _COMMENT else None
            if match:
                return self._user(int(match[1]), "")
            if code in {_PROCESS, _EFFECTIVE} and len(value) == 4:
                found[code] = struct.unpack(order + "I", value)[0]
        place = found.get(_EFFECTIVE, found.get(_PROCESS))
        return NOBODY if place is None else self._number(("process", section, place))

    def _user(self, uid: int, name: str) -> int:
        return NOBODY if uid < 0 else self._number(("user", uid, name))

    def _number(self, key: OwnerKey) -> int:
        with self._lock:  # blocks are read ahead in another thread
            if key not in self._numbers and len(self._numbers) >= OWNER_LIMIT:
                return NOBODY
            return self._numbers.setdefault(key, len(self._numbers))

    def of_packets(self, chunk: RecordChunk, links: Ints) -> tuple[Ints, Ints | None]:
        """Return the link type of each packet, and its owner; ``None``: no packet has one.

        PCAPdroid's trailer stands behind Ethernet frames; packets too long for it come without
        Ethernet header too, whatever the file's link type says.
        """
        owner = chunk.owner
        if bool(np.isin(links, PKTAP_LINKS).any()):
            owner = _either(self._of_pktap(chunk, links), owner)
        ends = chunk.start + chunk.length
        if self.has_trailers is not False and bool((links == _ETHERNET).any()):
            magic = numbers_in(chunk.data, ">u4")[np.maximum(ends - TRAILER, 0)]
            trailed = (magic == TRAILER_MAGIC) & (chunk.length >= 14 + 20 + TRAILER)
            trailed &= links == _ETHERNET
            if self.has_trailers is None:
                self.has_trailers = bool(trailed.any())
            if self.has_trailers:
                version = chunk.data[chunk.start] >> 4
                bare = (links == _ETHERNET) & ~trailed & ((version == 4) | (version == 6))
                links = np.where(bare, _RAW, links)
                owner = _either(self._of_trailers(chunk, np.flatnonzero(trailed), ends), owner)
        return links, owner

    def _of_trailers(self, chunk: RecordChunk, index: Ints, ends: Ints) -> Ints:
        owner = np.full(len(ends), NOBODY, dtype=np.int64)
        fields = pieces_at(chunk.data, ends[index] - TRAILER + 4, 24)
        for at, row in zip(index.tolist(), fields, strict=True):
            text = row.tobytes()
            uid = int.from_bytes(text[:4], "big", signed=True)
            owner[at] = self._user(uid, _text(text[4:]))
        return owner

    def _of_pktap(self, chunk: RecordChunk, links: Ints) -> Ints:
        """Owners by PKTAP headers (bsd/net/pktap.h), versions 1 and 2."""
        owner = np.full(len(links), NOBODY, dtype=np.int64)
        for at in np.flatnonzero(np.isin(links, PKTAP_LINKS)).tolist():
            begin = int(chunk.start[at])
            head = chunk.data[begin : begin + min(int(chunk.length[at]), 256)].tobytes()
            name = _pktap_name(head)
            if name:
                owner[at] = self._number(("program", 0, name))
        return owner


def _either(found: Ints, else_: Ints | None) -> Ints:
    return found if else_ is None else np.where(found == NOBODY, else_, found)


def _pktap_name(head: bytes) -> str:
    if len(head) < 40:
        return ""
    flags = int.from_bytes(head[36:40], "little")
    delegated = bool(flags & _DELEGATED)
    if flags & _V2_FLAG:
        offset = head[5] if delegated else head[4]
        return _text(head[offset : offset + 17]) if offset and offset < head[0] else ""
    length = int.from_bytes(head[:4], "little")
    begin = 88 if delegated else 56
    return _text(head[begin : begin + 17]) if begin + 17 <= min(length, len(head)) else ""


def _text(data: bytes) -> str:
    return data.partition(b"\0")[0].decode("utf-8", "replace")


def options_of(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Yield code and value of the options of a pcapng block."""
    position = 0
    while position + 4 <= len(data):
        code, length = struct.unpack_from(order + "HH", data, position)
        if code == 0:
            return
        yield code, data[position + 4 : position + 4 + length]
        position += 4 + ((length + 3) & ~3)
