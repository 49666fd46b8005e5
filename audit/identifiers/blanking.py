"""Blanking in place: every value of the subject overwritten, no byte more and no byte fewer.

Unlike :mod:`audit.identifiers.redaction`, which puts a pseudonym in a text's place, this keeps
lengths, so that packets, frames and length fields around it still fit. What is written says
nothing of what stood there: not its letters, not where it had a dot.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from audit.bundle.identity import Identity
from audit.identifiers.detector import Detector, detector_of, text_payload
from audit.tables.extract import Payload

MAX_PASSES: Final = 8
"""Times that one run of bytes is searched again; what is left then is blanked whole."""


def filler(data: bytes) -> bytes:
    """Return as many bytes that say nothing: ones for digits, zero bytes for binary, else letters.

    A number of JSON must not begin with a zero (RFC 8259 §6).
    """
    if data.isdigit():
        return b"1" * len(data)
    if any(byte < 32 and byte not in b"\t\r\n" for byte in data) or not data.isascii():
        return bytes(len(data))
    return b"x" * len(data)


def overwritten(data: bytes, spans: Iterable[tuple[int, int]]) -> bytes:
    """Return data with filler in some ranges."""
    out = bytearray(data)
    for start, end in spans:
        out[start:end] = filler(data[start:end])
    return bytes(out)


class Blanker:
    """Overwrites what one subject is known by, in every form that the detector knows."""

    def __init__(self, identity: Identity) -> None:
        self._detector: Detector = detector_of(identity)

    def data(self, data: bytes) -> bytes:
        """Return bytes of the same length without any value of the subject."""
        if not data:
            return data
        for _ in range(MAX_PASSES):
            spans = self.spans(text_payload(data))
            if not spans:
                return data
            data = overwritten(data, spans)
        return overwritten(data, [(0, len(data))])

    def text(self, text: str) -> str:
        """Return text without any value; its length stays in bytes of UTF-8."""
        data = text.encode("utf-8", "surrogateescape")
        blanked = self.data(data)
        return text if blanked == data else blanked.decode("utf-8", "replace")

    def spans(self, payload: Payload) -> list[tuple[int, int]]:
        """Return where values stand in a payload, the sure and the unsure ones."""
        return self.spans_of([payload])[0]

    def spans_of(self, payloads: Sequence[Payload]) -> list[list[tuple[int, int]]]:
        """Return where values stand in each of many payloads."""
        return [
            [(hit.start, hit.end) for hit in (*result.hits, *result.unsure)]
            for result in self._detector.scan_all(payloads)
        ]

    def sure(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Return the payloads in which a value is surely found."""
        results = self._detector.scan_all(payloads)
        return [one for one, result in zip(payloads, results, strict=True) if result.hits]
