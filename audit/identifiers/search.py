"""The search itself: level by level through everything that the decoders make of some payloads.

Pieces of one level are joined and given to the engine at once; only a piece in which something
was found, or that may hold what has no mark, is looked at by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from audit.identifiers.boundaries import counts
from audit.identifiers.decoders import Marks, decode
from audit.identifiers.engine import Engine, Event
from audit.identifiers.frames import binary_frame
from audit.identifiers.gates import GATES
from audit.identifiers.needles import Anchors, Needle
from audit.identifiers.piece import MAX_DEPTH, Piece
from audit.identifiers.place import Place, find_place
from audit.identifiers.runs import is_short_run
from audit.identifiers.text import is_text

GROUP: Final = 4 << 20
"""Bytes of small pieces that are joined for one pass of the engine."""
SURE_TRIGGER: Final = 6
"""Letters from which a trigger counts in long runs too, where few stand by chance."""
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
        self._triggers = anchors.triggers
        self._anchors = len(anchors.texts)
        self._once = frozenset(gate.name for gate in GATES if gate.once)

    def run(self, roots: Sequence[Piece]) -> list[Match]:
        """Return every match in the pieces and in all that comes out of them."""
        found: list[Match] = []
        level: Sequence[Piece] = roots
        while level:
            following: list[Piece] = []
            for group in _groups(level):
                self._search(group, found, following)
            level = following
        return found

    def _search(self, group: list[Piece], found: list[Match], following: list[Piece]) -> None:
        if len(group) == 1:
            events = self._engine.find(group[0].data)
        else:
            events = self._engine.find(_GAP.join([piece.data for piece in group]))
        first = self._anchors
        once = {
            GATES[number - first].name
            for _, number in events
            if number >= first and GATES[number - first].once
        }
        at = low = 0
        total = len(events)
        for piece in group:
            high = low + len(piece.data)
            begin = at
            while at < total and events[at][0] <= high:
                at += 1
            if at > begin or once or (piece.field and not is_text(piece.data)):
                self._visit(piece, low, events[begin:at], once, found, following)
            low = high + 1

    def _visit(
        self,
        piece: Piece,
        low: int,
        events: list[Event],
        once: set[str],
        found: list[Match],
        following: list[Piece],
    ) -> None:
        marks: Marks = {name: [0] for name in once} if b"\0" in piece.data else {}
        candidates: list[Event] = []
        first = self._anchors
        for offset, number in events:
            end = offset - low
            if number >= first:
                gate = GATES[number - first]
                if piece.is_new(end - gate.width - gate.reach, end + gate.reach):
                    marks.setdefault(gate.name, []).append(end - gate.width)
                continue
            if self._needles[number]:
                candidates.append((end, number))
            texts = self._triggers[number]
            size = len(self._texts[number])
            if (
                texts
                and piece.data[end - size : end] in texts
                and (size >= SURE_TRIGGER or is_short_run(piece.data, end - 1))
            ):
                marks.setdefault("trigger", []).append(end - 1)
        if piece.depth < MAX_DEPTH:
            budget = piece.budget
            for child in decode(piece, marks, quiet=not (marks or candidates)):
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
            if not piece.is_new(start - 1, stop + 1):
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
    """Return the field of a binary format that a range lies in, else the near surroundings."""
    frame = binary_frame(piece)
    leaf = frame.at(start, end) if frame else None
    return (leaf.start, leaf.end) if leaf else (0, len(piece.data))


def _is_apart(piece: Piece, needle: Needle, start: int, end: int) -> bool:
    """Whether a match is no stretch of something longer that the piece alone does not show."""
    if piece.ragged and start == 0:
        return False
    if needle.rule != "raw":
        return True
    size, whole = end - start, piece
    while whole.parent is not None and (not whole.step or whole.segments is not None):
        start, end = whole.in_parent(start, end)
        whole = whole.parent
    # The raw bytes of a hexadecimal id, inside a longer hexadecimal text, whatever that reads as.
    alone = size >= LONG_ID or (start, end) == (0, len(whole.data))
    return whole.step != "hex" or (whole.field and alone)


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
