"""The search itself: level by level through everything that the decoders make of some payloads.

Pieces of one level are joined and sifted at once (:mod:`audit.identifiers.sieve`); only a piece in
which something shows, or that may hold what has no mark, is looked at by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from audit.identifiers.beginnings import MARKS
from audit.identifiers.boundaries import counts
from audit.identifiers.decoders import SMALL, Marks, decode
from audit.identifiers.engine import Engine, Event
from audit.identifiers.frames import binary_frame
from audit.identifiers.gates import GATES, stands
from audit.identifiers.needles import Anchors, Needle
from audit.identifiers.piece import DEEPER, MAX_DEPTH, Piece
from audit.identifiers.place import Place, find_place
from audit.identifiers.sieve import Found, Sieve, is_trigger
from audit.identifiers.text import is_text

GROUP: Final = 4 << 20
"""Bytes of small pieces that are joined for one pass of the engine."""
WORTHWHILE: Final = 1 << 14
"""Bytes from which pieces are sifted first."""
LONGEST_NAME: Final = 272
"""Bytes that the name of a host has at most (RFC 1035 §2.3.4), port and all."""
WIDTHS: Final = {gate.name: (gate.width, gate.reach) for gate in GATES}
"""Gate -> bytes of its pattern, and around it, that may be new."""
ONCE: Final = frozenset(gate.name for gate in GATES if gate.once)
"""Gates whose mark tells of the whole piece, not of the place where it stands."""
SHORTEST_UNSURE: Final = 2
"""Bytes from which a value of low entropy is looked at where it is no whole field."""
SURE_FIELD: Final = 16
"""Bytes of a field that hexadecimal text holds by no chance."""
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
    """One search over a list of payloads, as pieces of depth 0.

    ``thorough``: every decoder runs wherever its gate opens, however little may come of it.
    """

    def __init__(self, engine: Engine, anchors: Anchors, *, thorough: bool = False) -> None:
        self._engine = engine
        self._texts = anchors.texts
        self._needles = anchors.needles
        self._triggers = anchors.triggers
        self._anchors = len(anchors.texts)
        self._sieve = None if thorough else Sieve(engine, anchors)

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
        """Search some pieces: the few in which something shows, and what the sieve cannot judge."""
        shown = None
        if self._sieve is not None and sum(len(piece.data) for piece in group) >= WORTHWHILE:
            shown = self._sift(self._sieve, group)
        if shown is None:
            shown = self._open_all(group)
        for piece, here in zip(group, shown, strict=True):
            if here is not None:
                self._visit(piece, here, found, following)

    def _sift(self, sieve: Sieve, group: list[Piece]) -> list[Found | None] | None:
        """Return what shows in each piece; None where there is too much for the sieve."""
        special = [_is_special(piece) for piece in group]
        sifted = sieve.sift(
            [piece.data for piece, alone in zip(group, special, strict=True) if not alone],
            max(piece.depth for piece in group),
        )
        if sifted is None:
            return None
        others = iter(
            self._open_all([piece for piece, alone in zip(group, special, strict=True) if alone])
        )
        rest = iter(sifted)
        shown = []
        for piece, alone in zip(group, special, strict=True):
            here = next(others) if alone else next(rest)
            if not alone and here is not None:
                here.marks = self._new_marks(piece, here)
            elif here is None and piece.field and not is_text(piece.data):
                here = Found()
            shown.append(here)
        return shown

    def _new_marks(self, piece: Piece, shown: Found) -> Marks:
        """Return the marks that tell of anything that the piece's parent did not show as well."""
        marks: Marks = dict(shown.marks)
        if shown.kinds:
            once = b"\0" in piece.data
            for end, number in self._engine.gates(piece.data):
                gate = GATES[number]
                if gate.name in shown.kinds and (once or not gate.once):
                    marks.setdefault(gate.name, []).append(0 if gate.once else end - gate.width)
        found: Marks = {}
        for name, offsets in marks.items():
            width, reach = WIDTHS.get(name, (0, len(piece.data)))
            new = (
                offsets
                if name in ONCE
                else [at for at in offsets if piece.is_new(at - reach, at + width + reach)]
            )
            if new:
                found[name] = new
        return found

    def _open_all(self, group: list[Piece]) -> list[Found | None]:
        """Return what shows in pieces where every gate counts."""
        if not group:
            return []
        data = group[0].data if len(group) == 1 else _GAP.join([piece.data for piece in group])
        values = self._engine.values(data)
        gates = self._engine.gates(data)
        once = {GATES[number].name for _, number in gates if GATES[number].once}
        shown: list[Found | None] = []
        at = other = low = 0
        for piece in group:
            high = low + len(piece.data)
            begin, first = at, other
            while at < len(values) and values[at][0] <= high:
                at += 1
            while other < len(gates) and gates[other][0] <= high:
                other += 1
            here = None
            own = {name for name in once if b"\0" in piece.data and stands(name, piece.data)}
            if at > begin or other > first or own or (piece.field and not is_text(piece.data)):
                here = Found(marks=self._marks(piece, low, gates[first:other], own))
                here.candidates = self._split(piece, low, values[begin:at], here.marks)
            shown.append(here)
            low = high + 1
        return shown

    def _marks(self, piece: Piece, low: int, gates: list[Event], once: set[str]) -> Marks:
        marks: Marks = {name: [0] for name in once}
        for offset, number in gates:
            end = offset - low
            gate = GATES[number]
            if (
                end > 0
                and not gate.once
                and piece.is_new(end - gate.width - gate.reach, end + gate.reach)
            ):
                marks.setdefault(gate.name, []).append(end - gate.width)
        return marks

    def _split(self, piece: Piece, low: int, events: list[Event], marks: Marks) -> list[Event]:
        """Return the anchors of needles; what triggers tell goes to the marks."""
        candidates: list[Event] = []
        for offset, number in events:
            if number >= self._anchors:
                continue
            end = offset - low
            if self._needles[number]:
                candidates.append((end, number))
            if is_trigger(self._triggers[number], len(self._texts[number]), piece.data, end):
                marks.setdefault("trigger", []).append(end - 1)
        return candidates

    def _visit(
        self, piece: Piece, shown: Found, found: list[Match], following: list[Piece]
    ) -> None:
        if piece.depth < MAX_DEPTH:
            budget = piece.budget
            quiet = not (shown.marks or shown.candidates or shown.message)
            for child in decode(piece, shown.marks, quiet=quiet):
                if not budget.spend(len(child.data)):
                    break
                if child.data:
                    following.append(child)
        else:
            _stop(piece, shown)
        if not piece.covered:
            for end, number in shown.candidates:
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


def _stop(piece: Piece, shown: Found) -> None:
    """Note where a decoder could go on from the deepest piece: by chance none gives text there."""
    quiet = not (shown.marks or shown.candidates or shown.message)
    for child in decode(piece, shown.marks, quiet=quiet):
        if not piece.budget.spend(len(child.data)):
            break
        if len(child.data) >= DEEPER and (is_text(child.data) or child.data.startswith(MARKS)):
            piece.budget.cut[f"more than {MAX_DEPTH} encodings lie inside one another"] = None
            break


def _is_special(piece: Piece) -> bool:
    """Whether a piece is small, and may hide what shows only by its place or by its size."""
    data = piece.data
    if piece.hint == "path":
        return True
    if len(data) < SMALL:
        return piece.field and not is_text(data)
    return len(data) <= LONGEST_NAME and data.count(b".") > 1 and b" " not in data


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
    found, whole = piece.data[start:end], piece
    while whole.parent is not None:
        low, high = whole.in_parent(start, end)
        if whole.parent.data[low:high] != found:
            break
        start, end, whole = low, high, whole.parent
    if whole.step != "hex":
        return True
    # The raw bytes of a hexadecimal id, inside a longer hexadecimal text, whatever that reads as.
    if not whole.field:
        return False
    return (start, end) == (0, len(whole.data)) or _is_framed(whole, start, end)


def _is_framed(piece: Piece, start: int, end: int) -> bool:
    """Whether a range is a field of a binary format, so that its bytes are there by no chance."""
    size = end - start
    if size >= SURE_FIELD and piece.data[start - 1 : start] == bytes([size]):
        return True
    frame = binary_frame(piece)
    if frame is None or (start, end) not in frame.ranges:
        return False
    if size >= SURE_FIELD or frame.name == "multipart":
        return True
    return len(frame.leaves) > 1 and frame.ranges[start, end].type != "number"


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
