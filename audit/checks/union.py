"""Several captures as one body of evidence: their rows together, their states apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from audit.checks.encoding import EncodedTable, encode_frames
from audit.tables.evidence import CaptureEvidence
from audit.tables.frames import make_frame

_T = TypeVar("_T")


class Union:
    """Captures that are judged together, in an order that does not depend on the call."""

    def __init__(self, captures: Sequence[CaptureEvidence]) -> None:
        self.captures: tuple[CaptureEvidence, ...] = tuple(
            sorted(captures, key=lambda item: (item.capture, item.digest))
        )
        self._tables: dict[str, EncodedTable] = {}
        self._remembered: dict[str, Any] = {}

    def remember(self, name: str, make: Callable[[], _T]) -> _T:
        """Return what ``make`` gives, made once: the captures do not change."""
        if name not in self._remembered:
            self._remembered[name] = make()
        found: _T = self._remembered[name]
        return found

    def table(self, name: str) -> EncodedTable:
        """Return the rows of a table of all captures; ``origin`` is the capture's index."""
        if name not in self._tables:
            frames = [
                capture.tables[name] if name in capture.tables else make_frame(name, [])
                for capture in self.captures
            ]
            self._tables[name] = encode_frames(name, frames)
        return self._tables[name]

    def without_table(self, name: str) -> tuple[CaptureEvidence, ...]:
        """Return the captures that lack a table (not those in which it is empty)."""
        return tuple(capture for capture in self.captures if name not in capture.tables)
