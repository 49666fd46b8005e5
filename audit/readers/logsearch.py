"""The search for the subject's identifiers in logs: every byte, at the speed of logs.

Every form that stands as such is looked for in every block. What only decoders show (containers,
several layers) is looked for in what could hold it, long runs and escapes, each different one once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from audit.identifiers.detector import Detector
from audit.identifiers.engine import make_engine
from audit.identifiers.needles import make_anchors, make_needles
from audit.readers.logstream import LineBlock
from audit.tables.extract import Payload
from audit.tables.frames import Row
from audit.tables.reference import Reference

Numbers = NDArray[np.int64]
MAX_HITS: Final = 1_000
"""Rows of hits of one log; more are counted."""
MAX_LINES: Final = 20_000
"""Lines of one log in which something shows that are looked at closely."""
MAX_KNOWN: Final = 1_000_000
"""Runs and escapes that are remembered, so that none is decoded twice."""
MAX_TOKENS: Final = 400_000
"""Different texts of one log that are decoded."""
LONG: Final = 24
"""Bytes of a run from which it may hold something encoded: 16 of a value in base64."""
_SEPARATOR: Final = np.ones(256, dtype=bool)
_SEPARATOR[[*b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+_=%"]] = False
_HEX: Final = np.zeros(256, dtype=bool)
_HEX[[*b"0123456789abcdefABCDEF"]] = True
_AROUND: Final = bytes(32)
_WEIGHTS: Final = np.array(
    [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93,
     0xFF51AFD7ED558CCD], dtype=np.uint64,
)  # fmt: skip
"""Odd numbers that spread bits (Knuth's golden ratio, xxHash, MurmurHash3)."""
_RUN_LETTERS: Final = bytes(np.flatnonzero(~_SEPARATOR).tolist())
_LONG_RUN: Final = re.compile(rb"[A-Za-z0-9+_=%%]{%d,}" % LONG)
_STEP: Final = 256
_LONGEST_WORD: Final = 8_192
"""Bytes of a word that are decoded at once; nginx takes no longer line of a request."""
_WORD: Final = re.compile(rb"[^\s\"]{1,%d}" % _LONGEST_WORD)


class LogSearch:
    """Searches the blocks of one log; rows of hits without capture and source."""

    def __init__(self, detector: Detector, name: str, dataset: str) -> None:
        identifiers = detector.identity.identifiers
        self._detector = detector
        self._name = name
        self._dataset = dataset
        self._anchors = make_anchors(make_needles(identifiers)) if identifiers else None
        self._engine = make_engine(self._anchors.texts) if self._anchors else None
        self._seen: set[bytes] = set()
        self._news = _News()
        self._looked = 0
        self._lost = 0
        self.rows: list[Row] = []
        self.truncated: dict[str, None] = {}

    def read(self, block: LineBlock) -> None:
        """Search a block."""
        if self._engine is None or self._anchors is None:
            return
        data = block.data
        ends = _ends(data)
        known = len(self._anchors.texts)
        lines = {
            int(np.searchsorted(ends, end - 1))
            for end, number in self._engine.values(data)
            if number < known and self._anchors.needles[number]
        }
        payloads = []
        for index in sorted(lines):
            start = 0 if index == 0 else int(ends[index - 1]) + 1
            end = int(ends[index]) if index < len(ends) else len(data)
            if self._looked >= MAX_LINES:
                self.truncated["more lines than are looked at closely may hold a value"] = None
                break
            self._looked += 1
            payloads.append(self._payload(block.first + index, data[start:end], 0))
        payloads += self._encoded(block, ends, lines)
        if payloads:
            self._scan(payloads)

    def finish(self) -> list[Row]:
        """Return the rows of hits; what was too much stands in :attr:`truncated`."""
        if self._lost:
            last = dict(self.rows[-1])
            last["excerpt"] = f"and {self._lost} more places in this log"
            self.rows.append(last)
        return self.rows

    def _scan(self, payloads: list[Payload]) -> None:
        for payload, result in zip(payloads, self._detector.scan_all(payloads), strict=True):
            for text in result.truncated:
                self.truncated[f"{payload.ref}: {text}"] = None
            for hit in result.hits:
                if len(self.rows) >= MAX_HITS:
                    self._lost += 1
                    continue
                offset = payload.ref.start or 0
                place = payload.ref.at(offset + hit.start, offset + hit.end)
                self.rows.append(hit.row() | {"ref": str(place)})

    def _encoded(self, block: LineBlock, ends: Numbers, done: set[int]) -> Iterator[Payload]:
        """Yield what may hold something encoded, each different text once."""
        data = block.data
        for position in self._news.positions(data):
            found = _WORD.match(data, _word_start(data, position))
            if found is None or found[0] in self._seen:
                continue
            if len(self._seen) >= MAX_TOKENS:
                self.truncated["it holds more different texts than are decoded"] = None
                return
            self._seen.add(found[0])
            if len(found[0]) == _LONGEST_WORD:
                self.truncated["a word of more than 8192 bytes is decoded in pieces"] = None
            index = int(np.searchsorted(ends, position))
            if index not in done:
                start = 0 if index == 0 else int(ends[index - 1]) + 1
                yield self._payload(block.first + index, found[0], found.start() - start)

    def _payload(self, number: int, data: bytes, start: int) -> Payload:
        ref = Reference(file=self._name, records=(number,))
        return Payload(
            table="log_lines",
            row=0,
            location="log",
            detail=self._dataset,
            direction="received",
            data=data,
            ref=ref.at(start, start + len(data)),
        )


class _News:
    """Tells where something stands that may be encoded, and has not stood before.

    Two runs are the same by all their bytes, two escapes by those around them: what is encoded
    with escapes has some of its own bytes beside one.
    """

    def __init__(self) -> None:
        self._known: set[int] = set()

    def positions(self, data: bytes) -> list[int]:
        """Return the places in a block that are new, in order."""
        text = np.frombuffer(_AROUND + data + _AROUND, dtype=np.uint8)
        found = [
            (hash(run), place) for place, run in _runs(data, text[len(_AROUND) :][: len(data)])
        ]
        escapes = _escapes(text, len(data))
        if len(escapes):
            places = (escapes - len(_AROUND)).tolist()
            found += zip(_hash_around(text, escapes), places, strict=True)
        known, new = self._known, []
        for value, place in found:
            if value not in known:
                known.add(value)
                new.append(place)
        if len(known) > MAX_KNOWN:
            known.clear()
        new.sort()
        return new


def _ends(data: bytes) -> Numbers:
    return np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == 10).astype(np.int64)


def _runs(data: bytes, text: NDArray[np.uint8]) -> Iterator[tuple[int, bytes]]:
    """Yield the long runs without separators, each with its beginning.

    A run of :data:`LONG` bytes and more covers three places in a row of every eighth place.
    """
    inside = ~_SEPARATOR[text[::8]]
    three = inside[:-2] & inside[1:-1] & inside[2:]
    places = 8 * np.flatnonzero(three)
    if not len(places):
        return
    whole = np.ones(len(places), dtype=bool)
    for away in range(1, 17):  # what lies between the three places
        whole &= ~_SEPARATOR[text[np.minimum(places + away, len(text) - 1)]]
    end = 0
    for place in places[whole].tolist():
        before = data[max(place - 8, end) : place]
        start = place - len(before) + len(before.rstrip(_RUN_LETTERS))
        found = _LONG_RUN.match(data, start) if place >= end else None
        if found is not None:
            end = found.end()
            yield found.start(), found[0]


def _escapes(text: NDArray[np.uint8], size: int) -> Numbers:
    """Return where an escape of URLs, of strings or of HTML stands."""
    low = len(_AROUND)
    body = text[low : low + size]
    found = np.flatnonzero((body == 37) | (body == 92) | (body == 38)) + low
    sign, after = text[found], text[found + 1]
    is_escape = (sign == 37) & _HEX[after] & _HEX[text[found + 2]]
    is_escape |= (sign == 92) & ((after == 120) | (after == 117))
    return np.asarray(found[is_escape | ((sign == 38) & (after == 35))], dtype=np.int64)


def _hash_around(text: NDArray[np.uint8], places: Numbers) -> list[int]:
    eights: NDArray[np.uint64] = np.ndarray(
        (len(text) - 7,), dtype="<u8", buffer=text.data, strides=(1,)
    )
    total = np.zeros(len(places), dtype=np.uint64)
    for away, weight in zip((-16, -8, 0, 8, 16), _WEIGHTS, strict=True):
        piece = eights[places + away]
        total += (piece ^ (piece >> np.uint64(29))) * weight
    found: list[int] = total.tolist()
    return found


def _word_start(data: bytes, position: int) -> int:
    """Return where the word around a position begins, some steps back at most."""
    low = max(position - _STEP, 0)
    before = data[low:position]
    cut = max(before.rfind(b" "), before.rfind(b'"'), before.rfind(b"\n"), before.rfind(b"\t"))
    return low + cut + 1
