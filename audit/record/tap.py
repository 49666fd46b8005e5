"""The packet tap: ``python -m audit.record.tap OUT KEYS...``, packet socket at descriptor 3.

Writes every frame of the client's network namespace to ``OUT`` (pcapng), with the kernel's time of
each, and new lines of the TLS key logs ``KEYS`` as they appear. On SIGTERM it takes what the
socket still holds, adds the counters and the secrets and ends. Prints two JSON lines:
``{"ready": true}``, and at the end ``{"packets", "received", "dropped", "interfaces",
"unknown_links"}``.
"""

from __future__ import annotations

import json
import os
import platform
import select
import signal
import socket
import struct
import sys
import time
from pathlib import Path
from typing import Final

import audit
from audit.bundle import pcapng
from audit.bundle.whole_records import cannot_write
from audit.record.key_log import KeyLogs

_SOCKET: Final = 3
_SOL_PACKET: Final = 263
_PACKET_STATISTICS: Final = 6
_SCM_TIMESTAMPNS: Final = 35
_OUTGOING: Final = 4
_LOOPBACK: Final = 772
_LINK_TYPES: Final = {
    1: pcapng.ETHERNET, _LOOPBACK: pcapng.ETHERNET,
    65534: pcapng.RAW_IP, 768: pcapng.RAW_IP, 769: pcapng.RAW_IP, 776: pcapng.RAW_IP,
    778: pcapng.RAW_IP, 823: pcapng.RAW_IP,
}  # fmt: skip
"""ARPHRD numbers of ``<linux/if_arp.h>`` (ether, loopback, none, tunnels) -> pcapng link types."""
_BATCH: Final = 512
_LOOK_AT_KEYS_S: Final = 0.2


class Tap:
    """Copies frames from a packet socket into a file."""

    def __init__(self, source: socket.socket, path: Path, keys: KeyLogs) -> None:
        source.setblocking(False)
        self._socket = source
        self._path = path
        self._keys = keys
        self._buffer = bytearray(pcapng.SNAP_BYTES)
        self._interfaces: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._unknown: set[str] = set()
        self._writer = pcapng.PcapngWriter(
            path,
            application=f"audit {audit.__version__}",
            system=f"{platform.system()} {platform.release()}",
        )

    def run(self, stop: int) -> None:
        """Copy until ``stop`` becomes readable; raises ``OSError`` for a full disk."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        poll.register(stop, select.POLLIN)
        looked = 0.0
        while stop not in {number for number, _ in poll.poll(_LOOK_AT_KEYS_S * 1000)}:
            self._take_batch()
            if time.monotonic() - looked >= _LOOK_AT_KEYS_S:
                looked = time.monotonic()
                if lines := self._keys.new_lines():
                    self._writer.add_secrets(lines)
            self._writer.flush()
        while self._take_batch():
            self._writer.flush()

    def _take_batch(self) -> int:
        for number in range(_BATCH):
            try:
                length, ancillary, _, sender = self._socket.recvmsg_into([self._buffer], 64, _TRUNC)
            except BlockingIOError:
                return number
            except OSError:  # a link went down: the socket says so once and goes on
                continue
            self._take(length, ancillary, sender)
        return _BATCH

    def _take(
        self, length: int, ancillary: list[tuple[int, int, bytes]], sender: tuple[object, ...]
    ) -> None:
        name, _, kind, hardware = sender[:4]
        if hardware == _LOOPBACK and kind == _OUTGOING:
            return  # each frame on lo passes twice
        name = str(name)
        interface = self._interfaces.get(name)
        if interface is None:
            interface = self._meet(name, int(str(hardware)))
        self._counts[name] += 1
        data = bytes(memoryview(self._buffer)[: min(length, pcapng.SNAP_BYTES)])
        self._writer.add_packet(
            interface, _time_of(ancillary), data, length, outbound=kind == _OUTGOING
        )

    def _meet(self, name: str, hardware: int) -> int:
        link_type = _LINK_TYPES.get(hardware)
        if link_type is None:
            self._unknown.add(name)
            link_type = pcapng.UNKNOWN_LINK
        self._counts[name] = 0
        self._interfaces[name] = self._writer.add_interface(name, link_type)
        return self._interfaces[name]

    def finish(self) -> dict[str, object]:
        """Add counters and secrets, close the file and return what was counted."""
        received, dropped = struct.unpack(
            "=II", self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8)
        )
        ended = time.time_ns()
        for name, interface in self._interfaces.items():
            first = interface == 0
            self._writer.add_statistics(
                interface,
                ended,
                received=self._counts[name],
                dropped=dropped if first else 0,
                comment="dropped: of all interfaces together" if first else "",
            )
        self._writer.close()
        if secrets := self._keys.all_lines():
            pcapng.move_secrets_first(self._path, secrets)
        return {
            "packets": sum(self._counts.values()),
            "received": received,
            "dropped": dropped,
            "interfaces": list(self._interfaces),
            "unknown_links": sorted(self._unknown),
        }


_TRUNC: Final = socket.MSG_TRUNC if sys.platform == "linux" else 0
"""Have the kernel tell a frame's true length even where the buffer cut it."""


def _time_of(ancillary: list[tuple[int, int, bytes]]) -> int:
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == _SCM_TIMESTAMPNS:
            seconds, nanoseconds = struct.unpack("=qq", content[:16])
            return int(seconds * 1_000_000_000 + nanoseconds)
    return time.time_ns()


def main(arguments: list[str]) -> int:
    """Run until SIGTERM; exit code 1 with a sentence on standard error where writing fails."""
    out, *keys = map(Path, arguments)
    stop, stopper = os.pipe()
    os.set_blocking(stopper, False)
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.set_wakeup_fd(stopper, warn_on_full_buffer=False)
    try:
        tap = Tap(socket.socket(fileno=_SOCKET), out, KeyLogs(keys))
        _say({"ready": True})
        tap.run(stop)
        counted = tap.finish()
    except OSError as error:
        sys.stderr.write(f"{cannot_write('packets.pcapng', error)}\n")
        return 1
    _say(counted)
    return 0


def _say(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
