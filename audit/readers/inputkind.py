"""What a kind of capture file is: how it is told from others, and who reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from audit.tables.extract import Extract
from audit.tables.vocabulary import Tap


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """What every reader is told."""

    capture: str
    """Id of the capture, for the rows."""
    file: str
    """Name that references give the file."""
    client: tuple[str, ...] = ()
    """Addresses of the audited client; empty: not known."""
    secrets: bytes = b""
    """Key log beside the file (NSS format)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputKind:
    """One kind of capture file."""

    name: str
    """As sentences name it, such as ``HTTP archive (HAR)``."""
    tap: Tap
    """Where in a recording such a file is made."""
    place: str
    """Name of such a file in a bundle."""
    suffixes: tuple[str, ...]
    """Endings that decide where the content does not: an empty or damaged file."""
    knows: Callable[[bytes], bool]
    """Whether the first bytes, unpacked, are of this kind."""
    read: Callable[[Path, ReadOptions], Extract]
    """Reader; raises :class:`audit.errors.CaptureError` alone."""
