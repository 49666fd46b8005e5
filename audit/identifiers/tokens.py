"""Short runs that hold compressed or escaped data: short as words, so only what looks like it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from audit.identifiers.beginnings import STANDARD
from audit.identifiers.compression import decode_headerless, decode_zlib
from audit.identifiers.gates import LETTERS, PACKED_FIRST
from audit.identifiers.piece import Piece
from audit.identifiers.runs import RUN_DECODERS, SHORT_BASE32, SHORT_HEX, Run, find_runs

_SHORT_RUN: Final = re.compile(rb"([A-Za-z0-9+/_-]{8,15})(={0,6})(?![A-Za-z0-9+/_-])")
_WHOLE_RUN: Final = re.compile(rb"([A-Za-z0-9+/_-]{7,})(={0,6})")
_SHORT_SEGMENT: Final = re.compile(rb"([A-Za-z0-9]{8,15})(={0,6})(?=[+/_-])")
_ESCAPED: Final = re.compile(
    rb"[\x20-\x7e]*(?:%[0-9A-Fa-f]{2}|\\[ux]|&#?[0-9A-Za-z]{2,}|=[0-9A-F]{2})[\x20-\x7e]*"
)
"""Text with escapes in it: no trigger tells of what it stands for."""
_ZLIB: Final = 0x78


def decode_tokens(piece: Piece, starts: Sequence[int]) -> Iterator[Piece]:
    """Decode the short runs that begin at ``starts``, if they hold compressed data."""
    for pattern in (_SHORT_RUN, _SHORT_SEGMENT):
        for run in find_runs(piece, starts, pattern):
            yield from _packed(run)


def _packed(run: Run) -> Iterator[Piece]:
    """Yield what a short run holds as a whole, where that is compressed data."""
    text = run.text
    size = len(text)
    if text[-1:].translate(STANDARD)[0] in _LAST_BASE64[size % 4]:
        yield from _inflated(run, "base64")
    if text[-1:].upper()[0] in _LAST_BASE32[size % 8] and SHORT_BASE32.fullmatch(text):
        yield from _inflated(run, "base32")
    if size % 2 == 0 and SHORT_HEX.fullmatch(text):
        yield from _inflated(run, "hex")


def _inflated(run: Run, name: str) -> Iterator[Piece]:
    for child in RUN_DECODERS[name](run):
        first = child.data[0]
        if first in PACKED_FIRST:
            yield from decode_headerless(child)
            if first == _ZLIB:
                yield from decode_zlib(child, (0,))
        if _ESCAPED.fullmatch(child.data):
            yield child
        elif first in LETTERS:
            inner = _WHOLE_RUN.fullmatch(child.data)
            if inner:
                yield from _packed(Run(child, inner[1], inner[2], (0,)))


def _last_letters(alphabet: bytes, unused: dict[int, int]) -> dict[int, frozenset[int]]:
    """Return, by the rest of a run's length, the letters whose unused low bits are zero."""
    return {
        rest: frozenset(alphabet[:: 1 << unused[rest]]) if rest in unused else frozenset()
        for rest in range(8)
    }


_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BASE32: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_LAST_BASE64: Final = _last_letters(_BASE64, {0: 0, 2: 4, 3: 2})
_LAST_BASE32: Final = _last_letters(_BASE32, {0: 0, 2: 2, 4: 4, 5: 1, 7: 3})
