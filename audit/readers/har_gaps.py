"""What an HTTP archive lacks: which entry, and why, in as many sentences as a reader bears."""

from __future__ import annotations

from collections import Counter
from typing import Final

from audit.tables.extract import Extract
from audit.tables.vocabulary import Direction

MAX_TOLD: Final = 20
"""Entries that are named for one reason; more are counted."""


class Gaps:
    """Collects the gaps of one archive in its extract.

    A body that was not kept whole touches what reads bodies (``unread``); an entry or a message
    that is not there at all touches everything (``truncated``).
    """

    def __init__(self, file: str, extract: Extract) -> None:
        self._file = file
        self._extract = extract
        self._bodies: Counter[tuple[Direction, str]] = Counter()
        self._missing: Counter[str] = Counter()
        self._remarks: Counter[str] = Counter()

    def body(self, entry: int, direction: Direction, why: str, detail: str = "") -> None:
        """Note that the body of an entry's request (``sent``) or answer was not kept whole."""
        key = (direction, why)
        self._bodies[key] += 1
        if self._bodies[key] <= MAX_TOLD:
            self._extract.unread.append((direction, self._told(entry, why, detail)))

    def missing(self, entry: int, why: str, detail: str = "") -> None:
        """Note that an entry, or messages of it, are not there."""
        self._missing[why] += 1
        if self._missing[why] <= MAX_TOLD:
            self._extract.truncated.append(self._told(entry, why, detail))

    def remark(self, what: str) -> None:
        """Count something that reports print, and that lacks nothing."""
        self._remarks[what] += 1

    def finish(self) -> None:
        """Tell how many more there are of what was named."""
        for (direction, why), count in self._bodies.items():
            if count > MAX_TOLD:
                self._extract.unread.append((direction, self._rest(why, count)))
        for why, count in self._missing.items():
            if count > MAX_TOLD:
                self._extract.truncated.append(self._rest(why, count))
        for what, count in sorted(self._remarks.items()):
            self._extract.limits.append(f"{self._file}: {count} {what}")

    def _told(self, entry: int, why: str, detail: str) -> str:
        return f"{self._file}#{entry}: {why}{f' ({detail})' if detail else ''}"

    def _rest(self, why: str, count: int) -> str:
        return f"{self._file}: {count - MAX_TOLD} more entries: {why}"
