"""Writes ``packets.pcapng`` (draft-ietf-opsawg-pcapng-03), block by whole block.

Little-endian, nanoseconds since 1970 UTC. A writer killed at any moment leaves whole blocks and at
most one cut one; one that runs into a full disk leaves whole blocks only.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from audit.errors import CaptureError

_SECTION: Final = 0x0A0D0D0A
_INTERFACE: Final = 1
_STATISTICS: Final = 5
_PACKET: Final = 6
_SECRETS: Final = 10
_MAGIC: Final = 0x1A2B3C4D
_TLS_KEY_LOG: Final = 0x544C534B
_NANOSECONDS: Final = 9
ETHERNET: Final = 1
"""LINKTYPE_ETHERNET; frames on ``lo`` carry an Ethernet header of zeros and are of it too."""
RAW_IP: Final = 101
"""LINKTYPE_RAW: frames that begin with the IP header (tunnels)."""
UNKNOWN_LINK: Final = 147
"""LINKTYPE_USER0, for links of a kind we know no number for."""
SNAP_BYTES: Final = 262144
"""Longest frame that is kept whole, Wireshark's own limit."""
_INBOUND: Final = 1
_OUTBOUND: Final = 2
_NEW_SECTION: Final = b"\n\r\r\n"
_BLOCK_LIMIT: Final = 64 << 20
"""Bytes of one block that are read."""
_HEADER_LIMIT: Final = 1 << 20
"""Bytes of a section header that somebody could have meant."""


def _options(*options: tuple[int, bytes]) -> bytes:
    parts = [
        struct.pack("<HH", code, len(value)) + value + b"\0" * (-len(value) % 4)
        for code, value in options
    ]
    return b"".join(parts) + struct.pack("<HH", 0, 0) if parts else b""


def _block(kind: int, body: bytes, order: str = "<") -> bytes:
    length = 12 + len(body)
    return struct.pack(order + "II", kind, length) + body + struct.pack(order + "I", length)


def section_block(order: str = "<", options: bytes = b"") -> bytes:
    """Return a section header; ``order``: byte order of the section, as :mod:`struct` writes it."""
    return _block(_SECTION, struct.pack(order + "IHHq", _MAGIC, 1, 0, -1) + options, order)


def secrets_block(key_log: bytes, order: str = "<") -> bytes:
    """Return a Decryption Secrets Block of lines in the NSS key log format.

    ``order``: byte order of the section, as :mod:`struct` writes it.
    """
    body = struct.pack(order + "II", _TLS_KEY_LOG, len(key_log)) + key_log
    return _block(_SECRETS, body + b"\0" * (-len(key_log) % 4), order)


class PcapngWriter:
    """Collects blocks and writes them out whole with :meth:`flush`."""

    def __init__(self, path: Path, *, application: str, system: str) -> None:
        """Create ``path`` with a section header; raises ``OSError``."""
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        self._pending: list[bytes] = []
        self._written = 0
        self._interfaces = 0
        options = _options((3, system.encode()), (4, application.encode()))
        self._pending.append(section_block(options=options))
        self.flush()

    def add_interface(self, name: str, link_type: int) -> int:
        """Describe an interface and return its number."""
        options = _options((2, name.encode()), (9, bytes([_NANOSECONDS])))
        body = struct.pack("<HHI", link_type, 0, SNAP_BYTES) + options
        self._pending.append(_block(_INTERFACE, body))
        self._interfaces += 1
        return self._interfaces - 1

    def add_packet(
        self,
        interface: int,
        ts_ns: int,
        data: bytes,
        original_bytes: int,
        *,
        outbound: bool | None,
    ) -> None:
        """Add a frame, seen at ``ts_ns`` by the kernel's clock, sent (or received) by the host.

        ``outbound`` is ``None`` where the direction is not known.
        """
        head = struct.pack(
            "<IIIII", interface, ts_ns >> 32, ts_ns & 0xFFFFFFFF, len(data), original_bytes
        )
        way = _OUTBOUND if outbound else _INBOUND
        flags = b"" if outbound is None else struct.pack("<HHII", 2, 4, way, 0)
        self._pending.append(_block(_PACKET, head + data + b"\0" * (-len(data) % 4) + flags))

    def add_secrets(self, key_log: bytes) -> None:
        """Add TLS secrets as they become known."""
        self._pending.append(secrets_block(key_log))

    def add_statistics(
        self, interface: int, ts_ns: int, *, received: int, dropped: int, comment: str = ""
    ) -> None:
        """Add the final counters of an interface."""
        options = [(4, struct.pack("<Q", received)), (7, struct.pack("<Q", dropped))]
        if comment:
            options.insert(0, (1, comment.encode()))
        head = struct.pack("<III", interface, ts_ns >> 32, ts_ns & 0xFFFFFFFF)
        self._pending.append(_block(_STATISTICS, head + _options(*options)))

    def flush(self) -> None:
        """Write what is pending.

        Raises ``OSError`` (a full disk, for one); the file then ends after a whole block.
        """
        data = memoryview(b"".join(self._pending))
        ends = _block_ends(self._written, self._pending)
        self._pending.clear()
        position = self._written
        try:
            while data:
                written = os.write(self._descriptor, data)
                position += written
                data = data[written:]
        except OSError:
            whole = max((end for end in ends if end <= position), default=self._written)
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, whole)
            raise
        self._written = position

    def close(self) -> None:
        """Flush and close; raises ``OSError`` as :meth:`flush`."""
        try:
            self.flush()
        finally:
            os.close(self._descriptor)


def _block_ends(start: int, blocks: list[bytes]) -> list[int]:
    ends = []
    for block in blocks:
        start += len(block)
        ends.append(start)
    return ends


def move_secrets_first(path: Path, key_log: bytes) -> None:
    """Rewrite one of our files so that all its TLS secrets stand before the first packet.

    Readers that go over a file once (Wireshark among them) decrypt nothing that comes before its
    secrets. ``key_log`` takes the place of all secrets blocks; the file is replaced atomically.
    Raises :class:`CaptureError` for a file that is not whole and ``OSError`` for a full disk.
    """
    with _rewritten(path) as (source, target):
        target.write(_read_block(source, path) or b"")
        if key_log:
            target.write(secrets_block(key_log))
        while block := _read_block(source, path):
            if block[:4] != struct.pack("<I", _SECRETS):
                target.write(block)


def add_secrets_first(path: Path, key_log: bytes) -> None:
    """Put a secrets block behind the first section header of anybody's pcapng file.

    The block has the byte order of that section, whose length becomes "not given"; everything else,
    a damaged end too, stays byte for byte. Raises :class:`CaptureError` for a file that does not
    begin with a whole section header.
    """
    with _rewritten(path) as (source, target):
        header, order = _section_header(source, path)
        target.write(header + secrets_block(key_log, order))
        shutil.copyfileobj(source, target)


def read_blocks(path: Path) -> Iterator[tuple[int, str, bytes]]:
    """Yield type, byte order of its section (as :mod:`struct` writes it) and bytes of each block.

    Raises :class:`CaptureError` for a file that is no pcapng or does not end with a whole block.
    """
    with path.open("rb") as source:
        order = ""
        while head := source.read(12):
            if head[:4] == _NEW_SECTION:
                order = "<" if head[8:12] == struct.pack("<I", _MAGIC) else ">"
            kind, length = struct.unpack_from((order or "<") + "II", head.ljust(8, b"\0"))
            if not order or length < 12 or length % 4 or length > _BLOCK_LIMIT:
                raise CaptureError("the packets are damaged or no pcapng", source=path.name)
            block = head + source.read(length - 12)
            if len(block) != length:
                raise CaptureError("the packets end in the middle of a block", source=path.name)
            yield kind, order, block


@contextlib.contextmanager
def _rewritten(path: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Give a file to read, and one to write that takes its place whole or not at all."""
    temporary = path.with_name(path.name + ".part")
    try:
        with path.open("rb") as source, temporary.open("wb") as target:
            yield source, target
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _section_header(source: BinaryIO, path: Path) -> tuple[bytes, str]:
    """Return the section header block, of no given section length, and its byte order."""
    header = bytearray(source.read(12))
    order = "<" if header[8:12] == struct.pack("<I", _MAGIC) else ">"
    length = struct.unpack(order + "I", header[4:8])[0] if len(header) == 12 else 0
    header += source.read(length - 12) if 28 <= length <= _HEADER_LIMIT else b""
    if len(header) != length or length % 4:
        raise CaptureError("the file has no whole section header", source=path.name)
    header[16:24] = b"\xff" * 8
    return bytes(header), order


def _read_block(source: BinaryIO, path: Path) -> bytes | None:
    head = source.read(8)
    if not head:
        return None
    length = struct.unpack("<II", head)[1] if len(head) == 8 else 0
    if length < 12 or length % 4:
        raise CaptureError("the packets end in the middle of a block", source=str(path))
    rest = source.read(length - 8)
    if len(rest) != length - 8:
        raise CaptureError("the packets end in the middle of a block", source=str(path))
    return head + rest
