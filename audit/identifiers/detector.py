"""The detector: finds every value of a subject in captured bytes, in any form it knows."""

from __future__ import annotations

import contextlib
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from audit.bundle.identity import Identity
from audit.identifiers.compression import decode_declared
from audit.identifiers.controls import ControlResult, control_identifiers, make_controls
from audit.identifiers.engine import Engine, make_engine
from audit.identifiers.hit import Blanks, Hit, Way, best_matches, name_form, pseudonym, ways
from audit.identifiers.kinds import is_common
from audit.identifiers.needles import make_anchors, make_needles
from audit.identifiers.piece import Piece
from audit.identifiers.place import named_for, telling
from audit.identifiers.search import Match, Search
from audit.identifiers.spans import Spans, merge_spans
from audit.identifiers.text import is_text
from audit.tables.extract import Payload
from audit.tables.reference import Reference
from audit.tables.vocabulary import Location

NO_KEY: Final = b"audit: no identifiers"
"""Key of pseudonyms where there is no identity (and so nothing to name)."""
BATCH_BYTES: Final = 16 << 20
"""Payload bytes that are searched together."""


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What one payload holds."""

    hits: tuple[Hit, ...] = ()
    """Sure hits, by their place in the payload."""
    truncated: tuple[str, ...] = ()
    """What a bound cut, one sentence each."""
    unsure: tuple[Hit, ...] = ()
    """Values of low entropy at places that give them no meaning."""


class Detector:
    """Searches for everything that one subject is known by.

    The compiled patterns hold the identifiers: they live in memory only. ``thorough``: every
    decoder runs wherever it may, which finds the same and takes very much longer.
    """

    def __init__(
        self,
        identity: Identity,
        *,
        engine: Callable[[Sequence[bytes]], Engine] = make_engine,
        thorough: bool = False,
    ) -> None:
        self.identity = identity
        key = identity.key() or NO_KEY
        self._known = (*identity.identifiers, *control_identifiers(key))
        self._labels = tuple(pseudonym(key, item.kind, item.value) for item in self._known)
        anchors = make_anchors(make_needles(self._known))
        self._search = Search(engine(anchors.texts), anchors, thorough=thorough)
        self._places: dict[str, str] = {}

    def scan(self, payload: Payload) -> ScanResult:
        """Search one payload."""
        return self.scan_all((payload,))[0]

    def scan_all(self, payloads: Sequence[Payload]) -> list[ScanResult]:
        """Search many payloads at once; results in the order given. Small ones cost less so."""
        results: list[ScanResult] = []
        batch: list[Payload] = []
        size = 0
        for payload in payloads:
            batch.append(payload)
            size += len(payload.data)
            if size >= BATCH_BYTES:
                results += self._scan_batch(batch)
                batch, size = [], 0
        if batch:
            results += self._scan_batch(batch)
        return results

    def controls(self) -> tuple[ControlResult, ...]:
        """Plant one control per form, container and identifier in memory and search for each."""
        own = len(self.identity.identifiers)
        planted = make_controls(self._known, own)
        found = self._scan_batch(
            [text_payload(control.data, control.location) for control in planted], all_=True
        )
        return tuple(
            ControlResult(
                name=control.name,
                form=control.form,
                found=any(
                    hit.value_index == control.value
                    and (
                        control.chain is None
                        or (hit.form == control.form and hit.chain == control.chain)
                    )
                    for hit in (*result.hits, *result.unsure)
                ),
            )
            for control, result in zip(planted, found, strict=True)
        )

    def _scan_batch(self, payloads: Sequence[Payload], *, all_: bool = False) -> list[ScanResult]:
        roots: list[Piece] = []
        pieces: list[Piece] = []
        for index, payload in enumerate(payloads):
            root = _root(payload)
            root.owner = index
            roots.append(root)
            pieces.append(root)
            if payload.content_encoding:
                opened = decode_declared(root, payload.content_encoding)
                if opened is not None:
                    pieces.append(opened)
                elif root.data and not is_text(root.data):
                    named = ", ".join(payload.content_encoding)
                    root.budget.cut[f"a body declared as {named} could not be decoded"] = None
        owned: defaultdict[int, list[Match]] = defaultdict(list)
        known = len(self._known) if all_ else len(self.identity.identifiers)
        for match in self._search.run(pieces):
            if match.needle.value < known:
                owned[match.piece.owner].append(match)
        return [
            self._result(payload, root, owned.get(index, []))
            for index, (payload, root) in enumerate(zip(payloads, roots, strict=True))
        ]

    def _result(self, payload: Payload, root: Piece, matches: list[Match]) -> ScanResult:
        if not matches:
            return ScanResult(truncated=tuple(root.budget.cut))
        blanks = Blanks(matches, self._labels)
        found: defaultdict[tuple[int, str], Spans[Hit]] = defaultdict(Spans)
        sure: defaultdict[int, list[tuple[int, int, bool]]] = defaultdict(list)
        header = payload.detail.lower() if payload.location in ("header", "trailer") else ""
        ranked = sorted(
            ((self._is_unsure(payload, match, header), match) for match in best_matches(matches)),
            key=_rank,
        )
        for unsure, match in ranked:
            excerpt = blanks.excerpt(match)
            for way in ways(match):
                hit = self._hit(payload, match, way, excerpt, unsure=unsure)
                added = found[hit.value_index, hit.location].add(hit.start, hit.end, hit)
                if added and not unsure:
                    sure[hit.value_index].append((hit.start, hit.end, True))
        told = {value: merge_spans(ranges) for value, ranges in sure.items()}
        hits = [hit for spans in found.values() for hit in spans.items()]
        ordered = sorted(hits, key=lambda hit: (hit.start, hit.end, hit.value_index))
        return ScanResult(
            hits=tuple(hit for hit in ordered if not hit.unsure),
            truncated=tuple(root.budget.cut),
            unsure=tuple(
                hit
                for hit in ordered
                if hit.unsure
                and not (
                    hit.value_index in told
                    and told[hit.value_index].overlapping(hit.start, hit.end)
                )
            ),
        )

    def _is_unsure(self, payload: Payload, match: Match, header: str) -> bool:
        if match.needle.telling:
            return False
        if not telling(match.piece, match.place, match.start, match.end, header):
            return True
        identifier = self._known[match.needle.value]
        if not is_common(identifier.kind, identifier.value):
            return False
        path = next((way.path[-1] for way in ways(match) if way.path), "")
        return not named_for(identifier.kind, path or payload.detail)

    def _hit(self, payload: Payload, match: Match, way: Way, excerpt: str, *, unsure: bool) -> Hit:
        steps = way.steps
        if payload.location == "query" and steps[:1] == ("form",):
            steps = steps[1:]
        form, chain = name_form(match, steps)
        return Hit(
            kind=self._known[match.needle.value].kind,
            value_index=match.needle.value,
            form=form,
            chain=chain,
            location=self._name_place(payload, way.path),
            start=way.start,
            end=way.end,
            excerpt=excerpt,
            unsure=unsure,
        )

    def _name_place(self, payload: Payload, path: tuple[str, ...]) -> str:
        """Say where a hit stands; values of the subject in names become ``{kind}``."""
        parts = [part for part in (payload.detail, " > ".join(path)) if part]
        if payload.location == "query" and payload.detail and path:
            parts = [payload.detail] if path == (payload.detail,) else parts
        text = " ".join((payload.location, *parts))
        known = self._places.get(text)
        if known is None:
            known = self._places[text] = self._clean(text)
        return known

    def _clean(self, text: str) -> str:
        piece = Piece(text.encode("utf-8", "surrogatepass"))
        spans = Blanks(
            self._search.run((piece,)),
            tuple(f"{{{item.kind}}}" for item in self._known),
        )
        data = piece.data
        for start, end, value in reversed(spans.merged(piece).between(0, len(data))):
            label = "{" + self._known[value].kind + "}"
            data = data[:start] + label.encode() + data[end:]
        return data.decode("utf-8", "replace")


def _rank(item: tuple[bool, Match]) -> tuple[bool, bool, int, bool, int, bool]:
    """Order what tells of the same bytes: the surest, plainest, shortest, widest way first."""
    unsure, match = item
    piece = match.piece
    plain = match.needle.form == "plain"
    width = piece.end - piece.start
    return (unsure, not plain, piece.depth, not piece.field, -width, not match.place.whole)


def _root(payload: Payload) -> Piece:
    hint = (payload.content_type or "").lower()
    if payload.location == "query":
        hint = "value" if payload.detail else "form"
    elif payload.location == "path":
        hint = "path"
    elif "x-www-form-urlencoded" in hint:
        hint = "form"
    piece = Piece(payload.data, field=True)
    piece.hint = hint
    return piece


class _Making(threading.Thread):
    """Makes one detector; the compiler of its patterns works beside other Python code."""

    def __init__(self, identity: Identity) -> None:
        super().__init__()
        self._identity = identity
        self._made: Detector | None = None
        self.start()

    def run(self) -> None:
        with contextlib.suppress(Exception):  # whoever waits makes it himself, and meets the error
            self._made = Detector(self._identity)

    def detector(self) -> Detector:
        """Wait for the detector."""
        self.join()
        if self._made is None:
            self._made = Detector(self._identity)
        return self._made


@lru_cache(maxsize=8)
def _making(identity: Identity) -> _Making:
    return _Making(identity)


def prepare_detectors(identities: Iterable[Identity]) -> None:
    """Begin to make the detectors of some subjects, while the caller does other things."""
    for identity in identities:
        _making(identity)


def detector_of(identity: Identity) -> Detector:
    """Return the detector of a subject, made once: compiling takes longer than most searches."""
    return _making(identity).detector()


def text_payload(data: bytes, location: Location = "body") -> Payload:
    """Return bytes as a payload of no row: for redaction and controls."""
    return Payload(
        table="",
        row=0,
        location=location,
        detail="",
        direction="sent",
        data=data,
        ref=Reference(file=""),
    )
