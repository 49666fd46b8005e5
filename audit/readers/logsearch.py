"""The search for the subject's identifiers in logs: every byte, at the speed of logs.

Every form that stands as such is looked for in every block. What only decoders show (containers,
several layers) is looked for in what could hold it, long runs and escapes, each different one once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import numpy as np

from audit.identifiers.detector import Detector
from audit.identifiers.engine import make_engine
from audit.identifiers.needles import make_anchors, make_needles
from audit.readers.logstream import LineBlock
from audit.tables.extract import Payload
from audit.tables.frames import Row
from audit.tables.reference import Reference

MAX_HITS: Final = 1_000
"""Rows of hits of one log; more are counted."""
MAX_LINES: Final = 20_000
"""Lines of one log in which something shows that are looked at closely."""
MAX_TOKENS: Final = 400_000
"""Different texts of one log that are decoded."""
LONG: Final = 24
"""Bytes of a run from which it may hold something encoded: 16 of a value in base64."""
_SEPARATOR: Final = np.ones(256, dtype=bool)
_SEPARATOR[[*b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+_=%"]] = False
_STEP: Final = 256
_WORD: Final = re.compile(rb"[^\s\"]{1,8192}")
_ESCAPED: Final = re.compile(rb"%[0-9A-Fa-f]{2}|\\[xu][0-9A-Fa-f]|&#")


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
                self.rows.append(
                    {
                        "ref": str(payload.ref.at(offset + hit.start, offset + hit.end)),
                        "kind": hit.kind,
                        "form": hit.form,
                        "chain": list(hit.chain),
                        "location": hit.location,
                        "excerpt": hit.excerpt,
                    }
                )

    def _encoded(self, block: LineBlock, ends: object, done: set[int]) -> Iterator[Payload]:
        """Yield what may hold something encoded, each different text once."""
        data = block.data
        for position in _candidates(data):
            found = _WORD.match(data, _word_start(data, position))
            if found is None or found[0] in self._seen:
                continue
            if len(self._seen) >= MAX_TOKENS:
                self.truncated["it holds more different texts than are decoded"] = None
                return
            self._seen.add(found[0])
            index = int(np.searchsorted(ends, position))  # type: ignore[call-overload]
            if index not in done:
                start = 0 if index == 0 else int(ends[index - 1]) + 1  # type: ignore[index]
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


def _ends(data: bytes) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == 10).astype(np.int64)


def _candidates(data: bytes) -> Iterator[int]:
    """Yield where a long run without separators, or an escape, stands."""
    text = np.frombuffer(data, dtype=np.uint8)
    gaps = np.flatnonzero(_SEPARATOR[text])
    before = np.concatenate(([-1], gaps))
    after = np.concatenate((gaps, [len(data)]))
    yield from (before[after - before > LONG] + 1).tolist()
    if b"%" in data or b"\\" in data or b"&#" in data:
        yield from (found.start() for found in _ESCAPED.finditer(data))


def _word_start(data: bytes, position: int) -> int:
    """Return where the word around a position begins, some steps back at most."""
    low = max(position - _STEP, 0)
    before = data[low:position]
    cut = max(before.rfind(sign) for sign in (b" ", b'"', b"\n", b"\t"))
    return low + cut + 1
