"""Blocks of a pcapng file that say something about packets: processes, users, names of hosts."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

from audit.readers.endpoint import packed_text
from audit.readers.owners import OWNER_LIMIT, Owners, options_of

NAMES: Final = 4
"""Name Resolution Block (draft-ietf-opsawg-pcapng)."""
PROCESS: Final = 0x80000001
"""Process Information Block, as Apple's tcpdump writes it."""
CUSTOM: Final = (0x00000BAD, 0x40000BAD)
"""Custom Blocks, to be copied or not."""
_PCAPDROID: Final = 62652
"""Private Enterprise Number under which PCAPdroid writes its map of users."""
_USER_MAP: Final = 1
_SIZES: Final = {1: 4, 2: 16}
NAME_LIMIT: Final = 100_000
"""Names of hosts kept of one file."""


@dataclass(slots=True)
class Described:
    """What the blocks of one file say."""

    owners: Owners = field(default_factory=Owners)
    names: dict[str, list[str]] = field(default_factory=dict)
    """Address -> names, as the writer of the file had resolved them."""
    _processes: dict[int, int] = field(default_factory=dict)

    def add(self, kind: int, body: bytes, section: int, order: str) -> None:
        """Take a block; one of another kind, or cut, is passed over."""
        if kind == PROCESS and len(body) >= 4:
            self._process(body, section, order)
        elif kind in CUSTOM and len(body) >= 14:
            self._user_map(body, order)
        elif kind == NAMES:
            self._names(body, order)

    def _process(self, body: bytes, section: int, order: str) -> None:
        place = self._processes.get(section, 0)
        self._processes[section] = place + 1
        for code, value in options_of(body[4:], order):
            if code == 2 and len(self.owners.processes) < OWNER_LIMIT:
                name = value.partition(b"\0")[0].decode("utf-8", "replace")
                self.owners.processes[section, place] = name

    def _user_map(self, body: bytes, order: str) -> None:
        number, version, kind = struct.unpack_from(order + "IHB", body)
        if (number, version, kind) != (_PCAPDROID, 1, _USER_MAP):
            return
        uid, size, _ = struct.unpack_from(order + "iBB", body, 8)
        package = body[14 : 14 + size].decode("utf-8", "replace")
        if package and len(self.owners.packages) < OWNER_LIMIT:
            self.owners.packages[uid] = package

    def _names(self, body: bytes, order: str) -> None:
        at = 0
        while at + 4 <= len(body):
            kind, length = struct.unpack_from(order + "HH", body, at)
            if kind == 0:
                return
            value = body[at + 4 : at + 4 + length]
            at += 4 + ((length + 3) & ~3)
            size = _SIZES.get(kind, 0)
            if not size or len(value) <= size or len(self.names) >= NAME_LIMIT:
                continue
            known = self.names.setdefault(packed_text(value[:size]), [])
            for name in value[size:].split(b"\0"):
                text = name.decode("ascii", "backslashreplace").rstrip(".").lower()
                if text and text not in known and len(known) < 16:
                    known.append(text)
