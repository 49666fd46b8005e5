"""Where encoded text may begin inside a run of letters: behind a name and one of base64's signs."""

from __future__ import annotations

import re
from binascii import a2b_base64
from typing import Final

import numpy as np

from audit.identifiers.gates import LONG_RUN, MAGICS, PACKED_FIRST
from audit.identifiers.packs import may_be_packed
from audit.identifiers.text import PRINTABLE, is_text

STANDARD: Final = bytes.maketrans(b"-_", b"+/")
"""Letters of base64url -> those of base64."""
BEGINNINGS: Final = PACKED_FIRST | frozenset(b"\x1f\x28P")
"""First bytes of compressed data, those with a mark (gzip, Zstandard, ZIP) included."""
MARKS: Final = tuple(mark for _, mark in MAGICS)
"""How gzip, Zstandard, ZIP and zlib begin."""
HEAD_LETTERS: Final = 128
"""Letters by which it is judged whether compressed data begins somewhere."""
NEAR: Final = 1024
"""Letters up to which four bytes of text tell of encoded text behind a sign."""
SURE_TEXT: Final = 12
"""Bytes of text that tell of it in longer ones."""
SHORTEST_NAME: Final = 2
"""Letters from which the beginning of a run may be a name, the sign behind it left out."""
_INNER_CAPITAL: Final = re.compile(rb"(?<=[A-Za-z0-9])[A-Z]")
_TAIL: Final = b"\n" * 64


def is_name(text: bytes, end: int) -> bool:
    """Whether a run begins with a name, such as ``user_`` or ``/v1/users/``, and goes on encoded.

    A capital stands inside a word among the first letters of base64, and hardly ever in names.
    """
    return (
        end > SHORTEST_NAME
        and not _INNER_CAPITAL.search(text, 0, end)
        and _INNER_CAPITAL.search(text, end, end + LONG_RUN) is not None
    )


def begins(text: bytes, start: int) -> bool:
    """Whether base64 text that begins here decodes to text, or to compressed data."""
    size = SURE_TEXT if len(text) - start > NEAR else 6
    head = _head(text, start, SURE_TEXT * 4 // 3)
    if not head[:size].translate(None, PRINTABLE) or head[1:6:2] == b"\0\0\0":
        return True
    if any(is_text(head[:length]) for length in (size, size - 1, size - 2)):
        return True
    return head[0] in BEGINNINGS and _opens(text, start)


def _head(text: bytes, start: int, count: int) -> bytes:
    """Return what the first letters decode to."""
    letters = text[start : start + count].translate(STANDARD)
    return a2b_base64(letters[: len(letters) - (len(letters) % 4 == 1)] + b"==")


def _opens(text: bytes, start: int) -> bool:
    """Whether what begins like compressed data is so, as far as its first bytes show."""
    head = _head(text, start, HEAD_LETTERS)
    if head.startswith(MARKS):
        return True
    whole = len(text) - start <= HEAD_LETTERS
    array = np.frombuffer(head + _TAIL, np.uint8)
    return bool(may_be_packed(array, np.array([0]), np.array([len(head)]), whole=whole)[0])
