"""The search itself: level by level through everything that the decoders make of some payloads.

Pieces of one level are joined and given to the engine at once; only a piece in which something
was found, or that a decoder may take, is looked at by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from audit.identifiers.boundaries import counts
from audit.identifiers.decoders import decode
from audit.identifiers.engine import Engine, Event
from audit.identifiers.frames import binary_frame
from audit.identifiers.needles import SHORTEST_RUN, Anchors, Needle
from audit.identifiers.piece import MAX_DEPTH, Piece
from audit.identifiers.place import Place, find_place

GROUP: Final = 4 << 20
"""Bytes of small pieces that are joined for one pass of the engine."""
SHORTEST_UNSURE: Final = 2
"""Bytes from which a value of low entropy is looked at where it is no whole field."""
LONG_ID: Final = 32
"""Bytes from which an id counts inside a longer hexadecimal run of whole bytes."""
_GAP: Final = b"\n"
"""Stands between joined pieces; part of no run."""


@dataclass(frozen=True, slots=True)
class Match:
    """A needle found in a piece, where it counts."""

    piece: Piece
    start: int
    end: int
    needle: Needle
    place: Place


class Search:
    """One search over a list of payloads, as pieces of depth 0."""

    def __init__(self, engine: Engine, anchors: Anchors) -> None:
        self._engine = engine
        self._texts = anchors.texts
        self._needles = anchors.needles
        self._run = len(anchors.texts)

    def run(self, roots: Sequence[Piece]) -> list[Match]:
        """Return every match in the pieces and in all that comes out of them."""
        found: list[Match] = []
        level: Sequence[Piece] = roots
        while level:
            following: list[Piece] = []
            for piece, events in self._events(level):
                self._visit(piece, events, found, following)
            level = following
        return found

    def _events(self, level: Sequence[Piece]) -> Iterator[tuple[Piece, list[Event]]]:
        for group in _groups(level):
            if len(group) == 1:
                yield group[0], self._engine.find(group[0].data)
                continue
            events = self._engine.find(_GAP.join(piece.data for piece in group))
            at = low = 0
            total = len(events)
            for piece in group:
                high = low + len(piece.data)
                own: list[Event] = []
                while at < total and events[at][0] <= high:
                    end, number = events[at]
                    own.append((end - low, number))
                    at += 1
                yield piece, own
                low = high + 1

    def _visit(
        self, piece: Piece, events: list[Event], found: list[Match], following: list[Piece]
    ) -> None:
        starts: list[int] = []
        candidates: list[Event] = []
        run = self._run
        for event in events:
            if event[1] == run:
                starts.append(event[0] - SHORTEST_RUN)
            else:
                candidates.append(event)
        if piece.depth < MAX_DEPTH:
            budget = piece.budget
            for child in decode(piece, starts):
                if not budget.spend(len(child.data)):
                    break
                if child.data:
                    following.append(child)
        if not piece.covered:
            for end, number in candidates:
                self._confirm(piece, end, number, found)

    def _confirm(self, piece: Piece, end: int, number: int, found: list[Match]) -> None:
        start = end - len(self._texts[number])
        if start < 0:
            return
        data = piece.data
        for needle in self._needles[number]:
            stop = start + len(needle.data)
            text = data[start:stop]
            if text != needle.data and not (needle.caseless and text.lower() == needle.folded):
                continue
            low, high = _field_around(piece, start, stop)
            if not counts(needle.rule, data[low:high], start - low, stop - low):
                continue
            if needle.rule != "free" and not _is_apart(piece, needle, start, stop):
                continue
            place = find_place(piece, start, stop)
            if (
                needle.rule == "field"
                and not place.whole
                and not _may_tell(needle, data, start, stop)
            ):
                continue
            piece.budget.matches -= 1
            if piece.budget.matches >= 0:
                found.append(Match(piece, start, stop, needle, place))
            else:
                piece.budget.cut["more places hold identifiers than are listed"] = None


def _field_around(piece: Piece, start: int, end: int) -> tuple[int, int]:
    """Return the field of a binary format that a range lies in, else the whole piece."""
    frame = binary_frame(piece)
    leaf = frame.at(start, end) if frame else None
    return (leaf.start, leaf.end) if leaf else (0, len(piece.data))


def _is_apart(piece: Piece, needle: Needle, start: int, end: int) -> bool:
    """Whether a match is no stretch of something longer that the piece alone does not show."""
    if piece.ragged and start == 0:
        return False
    if needle.rule == "raw" and piece.step == "hex":
        # The raw bytes of a hexadecimal id, inside a longer hexadecimal text.
        return piece.field and (end - start >= LONG_ID or (start, end) == (0, len(piece.data)))
    return True


def _may_tell(needle: Needle, data: bytes, start: int, end: int) -> bool:
    """Whether a short value of low entropy stands by itself, so that its place may tell."""
    return (
        not needle.telling
        and needle.form == "plain"
        and not needle.steps
        and end - start >= SHORTEST_UNSURE
        and counts("word", data, start, end)
    )


def _groups(level: Sequence[Piece]) -> Iterator[list[Piece]]:
    group: list[Piece] = []
    size = 0
    for piece in level:
        length = len(piece.data)
        if length >= GROUP:
            yield [piece]
            continue
        if size + length > GROUP:
            yield group
            group, size = [], 0
        group.append(piece)
        size += length + 1
    if group:
        yield group
