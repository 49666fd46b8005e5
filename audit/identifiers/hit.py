"""From matches to hits: the chain, the place in words, the captured bytes and a safe excerpt."""

from __future__ import annotations

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, get_args

from audit.identifiers.compression import INFLATERS
from audit.identifiers.piece import Piece
from audit.identifiers.place import Place, find_place
from audit.identifiers.search import Match
from audit.identifiers.spans import Spans, merge_spans
from audit.identifiers.text import is_text
from audit.tables.frames import Row
from audit.tables.vocabulary import Form

FORM_STEPS: Final = frozenset(get_args(Form))
"""Decoders whose name is also a form: the last one before a plain value names the hit's form."""
MAX_WAYS: Final = 10_000
"""Places at which one match is told when equal encoded bytes stand at several."""
CONTEXT: Final = 24
"""Bytes before and after a hit that its excerpt shows."""
_SHOWN: Final = {9: " ", 10: " ", 13: " "}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One place where a value of the subject was found."""

    kind: str
    value_index: int
    """Index in ``Identity.identifiers``."""
    form: Form
    """How the value is written there."""
    chain: tuple[str, ...]
    """Decoders and containers on the way, outermost first."""
    location: str
    """Where, such as ``header x-id`` or ``body $.params.id``; holds no value of the subject."""
    start: int
    """First byte, in ``Payload.data``, of the outermost encoded span."""
    end: int
    """One past its last byte."""
    excerpt: str
    """Surroundings, every value of the subject replaced by its pseudonym."""
    unsure: bool = False
    """Whether the value is of low entropy and its place gives it no meaning."""

    def row(self) -> Row:
        """Return what a row of ``identifier_hits`` tells of the hit itself, wherever it stands."""
        return {
            "kind": self.kind,
            "form": self.form,
            "chain": self.chain,
            "location": self.location,
            "excerpt": self.excerpt,
        }


@dataclass(frozen=True, slots=True)
class Way:
    """One way from the payload to a match."""

    steps: tuple[str, ...]
    path: tuple[str, ...]
    start: int
    end: int


def pseudonym(key: bytes, kind: str, value: str) -> str:
    """Return ``[kind:hhhhhh]``, the same for a value in whatever form it was found."""
    digest = hmac.new(key, value.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return f"[{kind}:{digest.hexdigest()[:6]}]"


def best_matches(matches: Sequence[Match]) -> list[Match]:
    """Drop what tells again of bytes that a better match covers.

    That is a shorter spelling inside a longer one, or plain bytes seen once more through a
    decoder that left them alone.
    """
    by_place: defaultdict[tuple[int, int], Spans[Match]] = defaultdict(Spans)
    for match in sorted(matches, key=lambda match: (match.start - match.end, match.needle.form)):
        by_place[id(match.piece), match.needle.value].add(match.start, match.end, match)
    packed = _compressed(matches)
    return [
        match
        for kept in by_place.values()
        for match in kept.items()
        if not _is_packed(match, packed) and not _seen_before(match, by_place)
    ]


_ByPlace = dict[tuple[int, int], "Spans[Match]"]
"""Piece (its id) and value -> matches."""


def _seen_before(match: Match, by_place: _ByPlace) -> bool:
    piece, start, end = match.piece, match.start, match.end
    while piece.parent is not None and piece.segments is not None:
        start, end = piece.in_parent(start, end)
        piece = piece.parent
        known = by_place.get((id(piece), match.needle.value))
        for _, _, other in known.between(start, end) if known else ():
            if _tells_enough(other, match):
                return True
    return False


def _tells_enough(outer: Match, inner: Match) -> bool:
    if outer.needle.form != "plain" and inner.needle.form == "plain":
        return False
    return outer.needle.telling or outer.place.whole or not inner.place.whole


def _compressed(matches: Sequence[Match]) -> dict[tuple[int, int], Spans[bool]]:
    """Return, by piece and value, the compressed stretches in which the value was found."""
    spans: defaultdict[tuple[int, int], set[tuple[int, int, bool]]] = defaultdict(set)
    for match in matches:
        piece = match.piece
        while piece.parent is not None:
            if piece.step in INFLATERS:
                spans[id(piece.parent), match.needle.value].add((piece.start, piece.end, True))
            piece = piece.parent
    return {key: merge_spans(ranges) for key, ranges in spans.items()}


def _is_packed(match: Match, packed: dict[tuple[int, int], Spans[bool]]) -> bool:
    """Whether a match lies in compressed bytes that the decompressed ones tell again."""
    known = packed.get((id(match.piece), match.needle.value))
    return known is not None and known.overlapping(match.start, match.end) is not None


def ways(match: Match) -> list[Way]:
    """Return every way to a match, the first place of repeated encoded bytes first."""
    found: list[Way] = []
    for way in _ways(match.piece, match.start, match.end, match.place):
        found.append(way)
        if len(found) >= MAX_WAYS:
            match.piece.budget.cut["more places hold one encoded value than are listed"] = None
            break
    return found


def _ways(piece: Piece, start: int, end: int, place: Place | None) -> Iterator[Way]:
    here = place or find_place(piece, start, end)
    step = tuple(piece.step.split("+")) if piece.step else ()
    if piece.parent is None:
        yield Way(here.steps, tuple(filter(None, (piece.name, here.path))), start, end)
        return
    low, high = piece.in_parent(start, end)
    known = here.steps and piece.segments is not None and _inside(piece, low, high) == here.steps
    steps = step if known else (*step, *here.steps)
    path = tuple(filter(None, (piece.name, "" if known else here.path)))
    for place_ in ((low, high), *piece.others):
        for outer in _ways(piece.parent, *place_, None):
            yield Way((*outer.steps, *steps), (*outer.path, *path), outer.start, outer.end)


def _inside(piece: Piece, start: int, end: int) -> tuple[str, ...]:
    """Return the structures between the stretch that was decoded and a range in it.

    Where they are those of the decoded bytes too, these only show through.
    """
    if piece.parent is None:
        return ()
    outer = find_place(piece.parent, piece.start, piece.end).steps
    return find_place(piece.parent, start, end).steps[len(outer) :]


def name_form(match: Match, steps: tuple[str, ...]) -> tuple[Form, tuple[str, ...]]:
    """Return the form of a match and the chain before it."""
    needle = match.needle
    full = (*steps, *needle.steps)
    form = needle.form
    if form == "plain" and match.piece.data[match.start : match.end] not in needle.spelled:
        form = "case"
    if form == "packed-address" and match.place.number:
        form = "integer-address"
    if form in ("plain", "case") and full and full[-1] in FORM_STEPS:
        return full[-1], full[:-1]  # type: ignore[return-value]
    return form, full


class Blanks:
    """Ranges of every piece that hold a value, by piece: what excerpts must not show."""

    def __init__(self, matches: Sequence[Match], labels: Sequence[str]) -> None:
        self._labels = labels
        self._merged: dict[int, Spans[int]] = {}
        self._ranges: defaultdict[int, set[tuple[int, int, int]]] = defaultdict(set)
        for match in matches:
            spans = [(match.start, match.end)]
            piece: Piece | None = match.piece
            while piece is not None:
                for start, end in spans:
                    self._ranges[id(piece)].add((start, end, match.needle.value))
                spans = [piece.in_parent(*spans[0]), *piece.others][:MAX_WAYS]
                piece = piece.parent

    def merged(self, piece: Piece) -> Spans[int]:
        """Return the ranges of a piece, joined where they overlap, with the first's value."""
        known = self._merged.get(id(piece))
        if known is None:
            known = self._merged[id(piece)] = merge_spans(self._ranges.get(id(piece), ()))
        return known

    def excerpt(self, match: Match) -> str:
        """Return the surroundings of a match in the innermost text that has any."""
        piece, start, end = match.piece, match.start, match.end
        while piece.parent is not None and (
            (start <= 1 and end >= len(piece.data) - 1) or not is_text(piece.data)
        ):
            start, end = piece.in_parent(start, end)
            piece = piece.parent
        low, high = max(0, start - CONTEXT), min(len(piece.data), end + CONTEXT)
        out: list[str] = []
        at = low
        for begin, stop, value in self.merged(piece).between(low, high):
            out.append(_readable(piece.data[at : max(at, begin)]))
            out.append(self._labels[value])
            at = max(at, stop)
        out.append(_readable(piece.data[at : max(at, high)]))
        return ("…" if low else "") + "".join(out) + ("…" if high < len(piece.data) else "")


def _readable(data: bytes) -> str:
    text = data.decode("utf-8", "replace")
    return "".join(char if char.isprintable() else _SHOWN.get(ord(char), "·") for char in text)
