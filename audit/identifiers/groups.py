"""Hexadecimal text with separators between its pairs or groups, such as ``de:ad:be:ef``."""

from __future__ import annotations

import re
from binascii import a2b_hex
from collections.abc import Iterator, Sequence
from typing import Final

from audit.identifiers.frames import binary_frame
from audit.identifiers.piece import Piece

_HEX_GROUPS: Final = re.compile(
    rb"(?<![0-9A-Fa-f])[0-9A-Fa-f]{2}([-:. ,+])[0-9A-Fa-f]{2}(?:\1[0-9A-Fa-f]{2}){2,}"
    rb"(?!\1?[0-9A-Fa-f])"
    rb"|(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{4}){1,2}([-:. ])(?:[0-9A-Fa-f]{4}){1,3}"
    rb"(?:\2(?:[0-9A-Fa-f]{4}){1,3})+(?!\2?[0-9A-Fa-f])"
)
_GROUPS_WIDTH: Final = 32
"""Bytes that the gate of grouped digits takes at most."""
MAX_GROUPS: Final = 1 << 20
"""Bytes of one run of grouped digits that are decoded together."""
_GROUP_BEFORE: Final = re.compile(rb"[0-9A-Fa-f][-:. ,+]\Z")
_SEPARATOR: Final = re.compile(rb"[0-9A-Fa-f]+([-:. ,+])")
_HEX_PREFIXED: Final = re.compile(rb"0[xX][0-9A-Fa-f]{2}(?:[\s,;]{1,2}0[xX][0-9A-Fa-f]{2}){3,}")
_NOT_HEX: Final = bytes(set(range(256)) - set(b"0123456789abcdefABCDEF"))


def digits_of(text: bytes) -> bytes:
    """Return the digits of grouped hexadecimal text."""
    return text.lower().replace(b"0x", b"").translate(None, _NOT_HEX)


def groups_at(data: bytes, low: int, seen: int) -> re.Match[bytes] | None:
    """Return the grouped digits that begin between two offsets, as far as they go."""
    for pattern in (_HEX_GROUPS, _HEX_PREFIXED):
        near = pattern.search(data, low, seen + 1)
        if near:
            return pattern.match(data, near.start(), near.start() + MAX_GROUPS)
    return None


def _goes_on_before(data: bytes, start: int) -> bool:
    """Whether digits stand before the first group, behind the sign that stands between groups."""
    separator = _SEPARATOR.match(data, start, start + _GROUPS_WIDTH)
    near = data[max(0, start - 2) : start]
    return bool(separator and separator[1] == near[-1:] and _GROUP_BEFORE.search(near))


def decode_hex_groups(piece: Piece, ends: Sequence[int]) -> Iterator[Piece]:
    """Decode hexadecimal text with separators, such as ``de:ad:be:ef`` or ``0xde, 0xad``."""
    data = piece.data
    frame = binary_frame(piece)
    done = 0
    for seen in ends:
        if seen <= done:
            continue
        at = max(done, seen - _GROUPS_WIDTH)
        match = groups_at(data, at, seen)
        if not match:
            continue
        start, end = match.span()
        done = end
        digits = digits_of(match[0])
        if len(digits) % 2 == 0 and (frame is None or frame.at(start, end)):
            child = Piece(a2b_hex(digits), piece, start, end, "hex", field=True)
            if _goes_on_before(data, start):
                child.ragged, child.field = True, False
            yield child
