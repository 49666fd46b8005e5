"""Triggers: how values look inside base64, base32 and hexadecimal text.

Long runs of such text are all decoded, from their beginning. Short ones are as frequent as words,
and encoded text may stand right behind other letters: that is decoded where a trigger stands, the
letters that a value determines at each offset at which it may begin. (Of a long value, which makes
a long run, only the first matters: right behind other letters it is what was encoded.)
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Final

from audit.identifiers.gates import LONG_RUN

LONGEST: Final = LONG_RUN * 6 // 8 - 1
"""Bytes up to which a value, written in base64, makes a run that is not long."""
SHORTEST: Final = 3
"""Bytes under which a value determines too few letters; it is found as a whole field alone."""
WIDTH: Final = 12
"""Letters of a trigger at most."""


def triggers(values: Mapping[bytes, bool]) -> Iterator[bytes]:
    """Yield the triggers of values (value -> whether letters of any case match)."""
    for value, caseless in values.items():
        if len(value) >= SHORTEST and (caseless or len(value) <= LONGEST):
            for source in _sources(value, caseless=caseless):
                yield from _letters(source)


def _sources(value: bytes, *, caseless: bool) -> Iterator[bytes]:
    """Yield a value, in its usual cases, and what it is in further encodings that stay short."""
    level = dict.fromkeys(
        (value, value.lower(), value.upper(), value.swapcase()) if caseless else (value,)
    )
    yield from level
    while level:
        level = dict.fromkeys(
            encoded
            for source in level
            if len(source) < LONGEST
            for encoded in _encodings(source)
            if len(encoded) <= LONGEST
        )
        yield from level


def _encodings(source: bytes) -> Iterator[bytes]:
    percent = "".join(f"%{byte:02X}" for byte in source)
    yield source.hex().encode()
    yield source.hex().upper().encode()
    yield base64.b64encode(source).rstrip(b"=")
    yield base64.urlsafe_b64encode(source).rstrip(b"=")
    yield base64.b32encode(source).rstrip(b"=")
    yield base64.b32encode(source).rstrip(b"=").lower()
    yield percent.encode()
    yield percent.lower().encode()
    yield from _wide(source)


def _wide(source: bytes) -> Iterator[bytes]:
    try:
        text = source.decode("utf-8")
    except UnicodeDecodeError:
        return
    yield text.encode("utf-16-le")
    yield text.encode("utf-16-be")


def _letters(source: bytes) -> Iterator[bytes]:
    size = len(source)
    for offset in range(3 if size <= LONGEST else 1):
        low = -(-offset * 8 // 6)
        high = min((offset + size) * 8 // 6, low + WIDTH)
        text = base64.b64encode(b"\0" * offset + source)[low:high]
        if len(text) >= SHORTEST:
            yield text
            yield text.replace(b"+", b"-").replace(b"/", b"_")
    if size * 2 < LONG_RUN:
        yield source.hex().encode()[:WIDTH]
        yield source.hex().upper().encode()[:WIDTH]
    if size * 8 < LONG_RUN * 5:
        for offset in range(5):
            low = -(-offset * 8 // 5)
            high = min((offset + size) * 8 // 5, low + WIDTH)
            text = base64.b32encode(b"\0" * offset + source)[low:high]
            if len(text) >= SHORTEST:
                yield text
                yield text.lower()
