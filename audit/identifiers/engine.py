"""The two engines that find anchors and gates in one pass: same results, other speed."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from typing import Any, Protocol

from audit.identifiers.gates import GATES

Event = tuple[int, int]
"""(offset, number): one past an anchor's end with the anchor's number; or one past a gate's end,
numbered on from the anchors."""


class Engine(Protocol):
    """Finds every anchor (letters of any case) and every gate in some bytes."""

    def find(self, data: bytes) -> list[Event]:
        """Return all events, by offset."""


class HyperscanEngine:
    """One hyperscan database for anchors and gates together; it lives in memory only."""

    def __init__(self, anchors: Sequence[bytes]) -> None:
        import hyperscan

        self._scratch_of = hyperscan.Scratch
        self._threads = threading.local()
        # Every byte is hex-escaped: the literal compiler would cut a pattern at NUL.
        expressions = [rb"\x" + anchor.hex("-").replace("-", "\\x").encode() for anchor in anchors]
        flags = [int(hyperscan.HS_FLAG_CASELESS)] * len(expressions)
        for gate in GATES:
            lead = f"(?:^|[^{gate.before}])" if gate.before else ""
            expressions.append((lead + gate.pattern).encode())
            once = int(hyperscan.HS_FLAG_SINGLEMATCH) if gate.once else 0
            flags.append(int(hyperscan.HS_FLAG_DOTALL) | once)
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._database.compile(
            expressions=expressions,
            ids=list(range(len(expressions))),
            elements=len(expressions),
            flags=flags,
        )

    def find(self, data: bytes) -> list[Event]:
        """Return all events, by offset."""
        scratch = getattr(self._threads, "scratch", None)
        if scratch is None:
            scratch = self._threads.scratch = self._scratch_of(self._database)
        events: list[Event] = []
        if data:
            self._database.scan(data, match_event_handler=_collect, context=events, scratch=scratch)
            events.sort()
        return events


def _collect(number: int, _start: int, end: int, _flags: int, events: Any) -> None:
    events.append((end, number))


class AhoCorasickEngine:
    """The same without hyperscan, for platforms that have no wheel of it."""

    def __init__(self, anchors: Sequence[bytes]) -> None:
        import ahocorasick_rs

        self._automaton = (
            ahocorasick_rs.BytesAhoCorasick([anchor.lower() for anchor in anchors])
            if anchors
            else None
        )
        self._gates = [
            (
                number,
                gate.once,
                re.compile(
                    ((f"(?<![{gate.before}])" if gate.before else "") + gate.pattern).encode()
                ),
            )
            for number, gate in enumerate(GATES, len(anchors))
        ]

    def find(self, data: bytes) -> list[Event]:
        """Return all events, by offset."""
        events: list[Event] = []
        if self._automaton is not None:
            folded = data.lower()
            events = [
                (end, number)
                for number, _, end in self._automaton.find_matches_as_indexes(
                    folded, overlapping=True
                )
            ]
        for number, once, pattern in self._gates:
            for match in pattern.finditer(data):
                events.append((match.end(), number))
                if once:
                    break
        events.sort()
        return events


def make_engine(anchors: Sequence[bytes]) -> Engine:
    """Return the fastest engine that this platform has."""
    try:
        return HyperscanEngine(anchors)
    except ImportError:
        return AhoCorasickEngine(anchors)
