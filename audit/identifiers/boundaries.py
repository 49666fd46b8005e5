"""Where a spelling counts: not inside a longer number, word, address or hexadecimal run."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from audit.identifiers.spelling import Rule
from audit.identifiers.text import is_text

_HEX: Final = frozenset(b"0123456789abcdefABCDEF")
_LETTERS: Final = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_ALNUM: Final = bytes(sorted(_LETTERS))
_MAIL: Final = frozenset(b".-+_")
_NEAR: Final = 32
"""Bytes around a match that tell whether it stands in a binary format."""
_SOFT_END: Final = re.compile(rb"=\r?\n[0-9A-Za-z]")
"""A line end of quoted-printable inside a word: that is looked at once it is decoded."""
_WRITTEN_LENGTH: Final = re.compile(rb"([0-9]{1,5}):\"?\Z")
"""A length in digits, as in bencode, netstrings and PHP's serialization."""
_PRODUCT: Final = re.compile(rb"(?:\A|[\s\"'(;,])[A-Z][A-Za-z0-9_.-]{0,40}/v?\Z")
_PAIR_BEFORE: Final = re.compile(rb"(?:\A|[^0-9A-Za-z])[0-9A-Fa-f]{2,4}[-:. _]\Z")
_PAIR_AFTER: Final = re.compile(rb"[-:. _][0-9A-Fa-f]{2,4}(?:[^0-9A-Za-z]|\Z)")


def counts(rule: Rule, data: bytes, start: int, end: int) -> bool:
    """Whether a match at a range counts by its rule (``field`` is decided by its place)."""
    test = _RULES.get(rule)
    if test is None:
        return True
    if _SOFT_END.match(data, end) and data[end - 1] in _LETTERS:
        return False
    if test(data, start, end):
        return True
    return _has_length_before(data, start, end)


def _has_length_before(data: bytes, start: int, end: int) -> bool:
    """Whether the length of the match stands before it, as in many binary formats.

    One byte of length counts after a byte that is no text, or a tag of a length-delimited field
    of protocol buffers (its last three bits are 2). CBOR has the length in a letter (RFC 8949 §3).
    """
    size = end - start
    if size < 24 and start and data[start - 1] == 0x60 | size:
        return not is_text(data[max(0, start - _NEAR) : end + _NEAR])
    if start and data[start - 1] == size:
        tag = data[start - 2] if start > 1 else 0
        return size < 0x20 or tag < 0x20 or tag > 0x7E or tag & 7 == 2
    if start >= 4 and data[start - 4 : start] == size.to_bytes(4, "little"):
        return True
    written = _WRITTEN_LENGTH.search(data, max(0, start - 8), start)
    return written is not None and int(written[1]) == size


def _word(data: bytes, start: int, end: int) -> bool:
    return not (
        (start and data[start - 1] in _LETTERS and data[start] in _LETTERS)
        or (end < len(data) and data[end] in _LETTERS and data[end - 1] in _LETTERS)
    )


def _digits(data: bytes, start: int, end: int) -> bool:
    if not _word(data, start, end):
        return False
    return not (_joined(data, start, -1, b".") or _joined(data, end, 1, b"."))


def _joined(data: bytes, at: int, way: int, separator: bytes) -> bool:
    """Whether the number goes on behind a separator, as in ``1.2``, ``10.0.0.1`` or ``7, 8``."""
    near = data[at : at + 3] if way > 0 else data[max(0, at - 3) : at][::-1]
    if near[:1] == b" ":
        near = near[1:]
        if near[:1] != separator:
            return separator == b" " and near[:1].isdigit()
    return bool(separator) and near[:1] == separator and near[1:].lstrip(b" ")[:1].isdigit()


def _hex(data: bytes, start: int, end: int) -> bool:
    before = data[start - 1] if start else 0x20
    after = data[end] if end < len(data) else 0x20
    if before not in _LETTERS and after not in _LETTERS:
        return True
    return before in b"xX" and data[start - 2 : start - 1] == b"0" and after not in _LETTERS


def _mac(data: bytes, start: int, end: int) -> bool:
    return (
        _word(data, start, end)
        and not _PAIR_BEFORE.search(data, max(0, start - 6), start)
        and not _PAIR_AFTER.match(data, end, end + 6)
    )


def _address4(data: bytes, start: int, end: int) -> bool:
    if not _word(data, start, end):
        return False
    separators = data[start:end].translate(None, _ALNUM)[:1]
    if any(
        _joined(data, start, -1, join) or _joined(data, end, 1, join) for join in {b".", separators}
    ):
        return False
    before = data[max(0, start - 48) : start]
    return not (before.endswith((b"/", b"/v")) and _PRODUCT.search(before))


def _address6(data: bytes, start: int, end: int) -> bool:
    if not _word(data, start, end):
        return False
    before = data[start - 1] if start else 0x20
    after = data[end] if end < len(data) else 0x20
    if before == 0x3A and data[max(0, start - 2) : start - 1] not in (b"", b'"', b"'", b" "):
        # 'ip:2001:db8::1' is a label; '1:2001:db8::1' a longer address.
        label = re.search(rb"([0-9A-Za-z:]+):\Z", data[max(0, start - 12) : start])
        if label and not label[1].translate(None, b"0123456789abcdefABCDEF:"):
            return False
    return not (
        after == 0x3A and end + 1 < len(data) and (data[end + 1] in _HEX or data[end + 1] == 0x3A)
    )


def _email(data: bytes, start: int, end: int) -> bool:
    if not _word(data, start, end):
        return False
    if start > 1 and data[start - 1] in _MAIL and data[start - 2] in _LETTERS:
        return False
    return not (end + 1 < len(data) and data[end] in b".-" and data[end + 1] in _LETTERS)


_RULES: Final[Mapping[Rule, Callable[[bytes, int, int], bool]]] = {
    "word": _word,
    "digits": _digits,
    "hex": _hex,
    "mac": _mac,
    "address4": _address4,
    "address6": _address6,
    "email": _email,
}
