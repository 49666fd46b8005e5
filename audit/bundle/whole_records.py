"""A file that grows by whole records: what a full disk or a kill leaves can be read."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path
from typing import Final

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
"""Errors that say there is no room left."""


def cannot_write(name: str, error: OSError) -> str:
    """Return why a file of a bundle could not be written on, one sentence."""
    if error.errno in FULL:
        return f"the disk is full, {name} is cut short"
    return f"{name} cannot be written: {error.strerror or error}"


class WholeRecords:
    """Appends records at once, without a buffer of its own."""

    def __init__(self, path: Path) -> None:
        """Create or continue ``path``; raises ``OSError``."""
        self.path = path
        self.count = 0
        """Records written so far."""
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def append(self, record: bytes) -> None:
        """Append one record; where that fails nothing of it stays and ``OSError`` is raised."""
        before = os.fstat(self._descriptor).st_size
        rest = memoryview(record)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, before)
            raise
        self.count += 1

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)
