"""TLS key logs (``SSLKEYLOGFILE``) that are being written by others.

Format: draft-ietf-tls-keylogfile, lines ``LABEL CLIENT_RANDOM SECRET`` in hex.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Final

_LINE: Final = re.compile(rb"[A-Z][A-Z0-9_]{2,40} [0-9a-fA-F]{64} [0-9a-fA-F]{2,256}\Z")
_READ_BYTES: Final = 1 << 20
_MOST_BYTES: Final = 64 << 20
"""Far more secrets than a recording can have; bounds what a client may make us read."""


class KeyLogs:
    """Follows key logs and gives each well-formed line once."""

    def __init__(self, paths: list[Path]) -> None:
        self._offsets = dict.fromkeys(paths, 0)
        self._seen: dict[bytes, None] = {}

    def new_lines(self) -> bytes:
        """Return the whole lines that were added since the last call; other lines are left out."""
        fresh: list[bytes] = []
        for path, offset in self._offsets.items():
            whole = _whole_lines(path, offset)
            self._offsets[path] += len(whole)
            for line in whole.splitlines():
                if _LINE.match(line) and line not in self._seen:
                    self._seen[line] = None
                    fresh.append(line)
        return b"".join(line + b"\n" for line in fresh)

    def all_lines(self) -> bytes:
        """Return every line so far, in the order in which they came."""
        before = None
        while before != self._offsets:
            before = dict(self._offsets)
            self.new_lines()
        return b"".join(line + b"\n" for line in self._seen)


def _whole_lines(path: Path, offset: int) -> bytes:
    """Read on from ``offset`` up to the last line end; nothing where there is no plain file.

    The client may put anything in the place of its key log: a pipe must not stop the tap.
    """
    if offset >= _MOST_BYTES:
        return b""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return b""
        data = os.pread(descriptor, _READ_BYTES, offset)
    except OSError:
        return b""
    finally:
        os.close(descriptor)
    return data[: data.rfind(b"\n") + 1]
