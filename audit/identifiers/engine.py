"""The engines that find values and gates: same results, other speed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache
from typing import Any, Protocol

from audit.identifiers.gates import GATES, MAGICS, to_pattern

Event = tuple[int, int]
"""(offset, number): one past the end of what was found, and its number."""


class Engine(Protocol):
    """Finds anchors (letters of any case), magics and gates in some bytes."""

    def values(self, data: bytes) -> list[Event]:
        """Return every anchor, and, numbered on from them, every magic; by offset."""

    def gates(self, data: bytes) -> list[Event]:
        """Return every gate, by offset."""


class HyperscanEngine:
    """One hyperscan database for anchors and magics; it lives in memory only."""

    def __init__(self, anchors: Sequence[bytes]) -> None:
        import hyperscan

        caseless = int(hyperscan.HS_FLAG_CASELESS)
        marks = [mark for _, mark in MAGICS]
        self._database = _Database(
            [*map(_escape, anchors), *map(_escape, marks)],
            [caseless] * len(anchors) + [0] * len(marks),
        )

    def values(self, data: bytes) -> list[Event]:
        """Return every anchor and every magic, by offset."""
        return self._database.scan(data)

    def gates(self, data: bytes) -> list[Event]:
        """Return every gate, by offset."""
        return _gates().scan(data)


class _Database:
    """Compiled patterns, with one scratch a thread."""

    def __init__(self, expressions: Sequence[bytes], flags: Sequence[int]) -> None:
        import hyperscan

        self._scratch_of = hyperscan.Scratch
        self._threads = threading.local()
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._database.compile(
            expressions=expressions,
            ids=list(range(len(expressions))),
            elements=len(expressions),
            flags=flags,
        )

    def scan(self, data: bytes) -> list[Event]:
        scratch = getattr(self._threads, "scratch", None)
        if scratch is None:
            scratch = self._threads.scratch = self._scratch_of(self._database)
        events: list[Event] = []
        if data:
            self._database.scan(data, match_event_handler=_collect, context=events, scratch=scratch)
            events.sort()
        return events


def _escape(text: bytes) -> bytes:
    """Return bytes as a pattern; the literal compiler would cut it at NUL."""
    return rb"\x" + text.hex("-").replace("-", "\\x").encode()


def _collect(number: int, _start: int, end: int, _flags: int, events: Any) -> None:
    events.append((end, number))


@cache
def _gates() -> _Database:
    """Return the gates; they are the same for every subject."""
    import hyperscan

    dotall, single = int(hyperscan.HS_FLAG_DOTALL), int(hyperscan.HS_FLAG_SINGLEMATCH)
    return _Database(
        [
            ((f"(?:^|[^{gate.before}])" if gate.before else "") + gate.pattern).encode()
            for gate in GATES
        ],
        [dotall | (single if gate.once else 0) for gate in GATES],
    )


class AhoCorasickEngine:
    """The same without hyperscan, for platforms that have no wheel of it."""

    def __init__(self, anchors: Sequence[bytes]) -> None:
        import ahocorasick_rs

        self._automaton = (
            ahocorasick_rs.BytesAhoCorasick([anchor.lower() for anchor in anchors])
            if anchors
            else None
        )
        self._first = len(anchors)

    def values(self, data: bytes) -> list[Event]:
        """Return every anchor and every magic, by offset."""
        events: list[Event] = []
        if self._automaton is not None:
            found = self._automaton.find_matches_as_indexes(data.lower(), overlapping=True)
            events = [(end, number) for number, _, end in found]
        for number, (_, mark) in enumerate(MAGICS, self._first):
            at = data.find(mark)
            while at >= 0:
                events.append((at + len(mark), number))
                at = data.find(mark, at + 1)
        events.sort()
        return events

    def gates(self, data: bytes) -> list[Event]:
        """Return every gate, by offset."""
        events: list[Event] = []
        for number, gate in enumerate(GATES):
            for match in to_pattern(gate).finditer(data):
                events.append((match.end(), number))
                if gate.once:
                    break
        events.sort()
        return events


def make_engine(anchors: Sequence[bytes]) -> Engine:
    """Return the fastest engine that this platform has."""
    try:
        return HyperscanEngine(anchors)
    except ImportError:
        return AhoCorasickEngine(anchors)
