"""Redaction: whatever the detector can find is blanked, over the whole encoded span."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from audit.bundle.identity import Identity
from audit.identifiers.detector import NO_KEY, Detector, detector_of, text_payload
from audit.identifiers.hit import pseudonym

MAX_PASSES: Final = 8
"""Times that one text is searched again after blanking; what is left then is blanked whole."""
_NUMBER: Final = re.compile(rb"-?[0-9]+")
_NUMBER_BEFORE: Final = re.compile(rb"[\[:,]\s*\Z")
_NUMBER_AFTER: Final = re.compile(rb"\s*[\],}]")


class Redactor:
    """Replaces every value of one or several subjects by its pseudonym ``[kind:hhhhhh]``.

    The pseudonym is keyed by ``Identity.key()`` and names the value, not the form it was found
    in. ``tokens`` are further secrets, shown as ``[token:hhhhhh]``; ``key`` is used for them where
    there is no identity (the capture's digest, design §3).
    """

    def __init__(
        self, identity: Identity, tokens: Iterable[str] = (), *, key: bytes | None = None
    ) -> None:
        secret = identity.key() or key or NO_KEY
        names: dict[str, str] = {}
        for item in identity.identifiers:
            names.setdefault(item.value, pseudonym(secret, item.kind, item.value))
        self._detectors: tuple[tuple[Detector, tuple[str, ...]], ...] = ()
        if identity.identifiers:
            labels = tuple(names[item.value] for item in identity.identifiers)
            self._detectors = ((detector_of(identity), labels),)
        self._tokens = tuple(
            (token.encode("utf-8", "surrogatepass"), pseudonym(secret, "token", token).encode())
            for token in sorted(set(tokens), key=lambda token: (-len(token), token))
            if token
        )
        self._cached = lru_cache(maxsize=4096)(self._text)

    def text(self, text: str) -> str:
        """Return a text without any value of the subject."""
        return self._cached(text)

    def data(self, data: bytes) -> bytes:
        """Return bytes without any value of the subject; encoded spans go as a whole."""
        for token, label in self._tokens:
            data = data.replace(token, label)
        for _ in range(MAX_PASSES):
            spans = self._spans(data)
            if not spans:
                return data
            data = _blank(data, spans)
        return _blank(data, [(0, len(data), "[redacted]")]) if self._spans(data) else data

    def _text(self, text: str) -> str:
        return self.data(text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")

    def _spans(self, data: bytes) -> list[tuple[int, int, str]]:
        found: list[tuple[int, int, str]] = []
        payload = text_payload(data)
        for detector, labels in self._detectors:
            result = detector.scan(payload)
            found += [
                (hit.start, hit.end, labels[hit.value_index])
                for hit in (*result.hits, *result.unsure)
            ]
        return found


def merge(redactors: Sequence[Redactor]) -> Redactor:
    """Return one redactor for several captures; a value keeps the pseudonym of the first."""
    merged = Redactor(Identity())
    seen: dict[bytes | None, tuple[Detector, tuple[str, ...]]] = {}
    tokens: dict[bytes, bytes] = {}
    for redactor in redactors:
        for detector, labels in redactor._detectors:  # noqa: SLF001 - of this very class
            seen.setdefault(detector.identity.key(), (detector, labels))
        for token, label in redactor._tokens:  # noqa: SLF001
            tokens.setdefault(token, label)
    merged._detectors = tuple(seen.values())  # noqa: SLF001
    merged._tokens = tuple(sorted(tokens.items(), key=lambda item: (-len(item[0]), item)))  # noqa: SLF001
    return merged


def _blank(data: bytes, spans: Iterable[tuple[int, int, str]]) -> bytes:
    """Replace ranges by their labels; of overlapping ones the first, over their union."""
    out: list[bytes] = []
    at = 0
    is_json = data.lstrip()[:1] in (b"{", b"[")
    union: list[tuple[int, int, str]] = []
    for start, end, label in sorted(spans, key=lambda span: (span[0], -span[1])):
        if union and start < union[-1][1]:
            low, high, first = union[-1]
            union[-1] = (low, max(high, end), first)
        else:
            union.append((start, end, label))
    for start, end, label in union:
        out.append(data[at:start])
        text = label.encode()
        if is_json and _is_number(data, start, end):
            text = b'"' + text + b'"'  # a number of a JSON text becomes a string
        out.append(text)
        at = end
    out.append(data[at:])
    return b"".join(out)


def _is_number(data: bytes, start: int, end: int) -> bool:
    return (
        _NUMBER.fullmatch(data, start, end) is not None
        and _NUMBER_BEFORE.search(data, max(0, start - 8), start) is not None
        and _NUMBER_AFTER.match(data, end) is not None
    )
