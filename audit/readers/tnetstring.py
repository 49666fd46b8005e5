"""Typed netstrings, the encoding of mitmproxy's flow dumps: ``LEN:payload TYPE``.

Types: ``,`` bytes, ``;`` UTF-8 text, ``#`` integer, ``^`` float, ``!`` true or false, ``~`` null,
``]`` list, ``}`` dictionary (tnetstrings.info, with mitmproxy's text type). Every length is known
before its payload, so values that nobody reads are stepped over without being built.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

MAX_PREFIX: Final = 12
"""Digits of a length, as many as mitmproxy itself takes."""
MAX_RECORD: Final = 256 * 2**20
"""Bytes of one record that are read into memory; larger ones are stepped over."""
MAX_DEPTH: Final = 32
"""Nesting; a flow needs 6."""
_MAX_NUMBER: Final = 64
_COLON: Final = ord(":")


class TnetstringError(ValueError):
    """The bytes are no typed netstring."""


class CutError(TnetstringError):
    """The file ends inside a record."""


class OversizeError(TnetstringError):
    """A record is larger than :data:`MAX_RECORD`; the next one can still be read."""


def decode(data: bytes, skip: frozenset[str] = frozenset()) -> object:
    """Return the value that ``data`` is, whole.

    Values of dictionary keys named in ``skip`` become ``None`` unread. Keys are text; bytes keys,
    of dumps by Python 2, are decoded as ASCII with escapes. Raises :class:`TnetstringError` for
    anything else, also for nesting beyond :data:`MAX_DEPTH`.
    """
    value, end = _value(data, 0, len(data), skip, MAX_DEPTH)
    if end != len(data):
        raise TnetstringError(f"{len(data) - end} bytes follow the value")
    return value


def records(path: Path) -> Iterator[bytes | OversizeError]:
    """Yield the records of a dump one by one, each still encoded.

    A record beyond the bound is yielded as its error, unread. Raises :class:`CutError` where the
    file ends inside a record and :class:`TnetstringError` where something else stands there;
    ``OSError`` passes.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        position = 0
        while position < size:
            length, prefix = _prefix(file, size - position)
            total = len(prefix) + length + 1
            if total > size - position:
                raise CutError(f"the record at byte {position} is cut")
            if length > MAX_RECORD:
                yield OversizeError(f"the record at byte {position} has {length} bytes")
                file.seek(position + total)
            else:
                yield prefix + file.read(length + 1)
            position += total


def _prefix(file: BinaryIO, left: int) -> tuple[int, bytes]:
    head = file.read(min(MAX_PREFIX + 1, left))
    colon = head.find(b":")
    digits = head if colon < 0 else head[:colon]
    if not digits.isdigit() or (colon < 0 and len(head) > MAX_PREFIX):
        raise TnetstringError("no length where a record should start")
    if colon < 0:
        raise CutError("the file ends inside a length")
    file.seek(colon + 1 - len(head), 1)
    return int(digits), head[: colon + 1]


def _value(
    data: bytes, start: int, end: int, skip: frozenset[str], depth: int
) -> tuple[object, int]:
    first, last = _bounds(data, start, end)
    tag = data[last]
    if tag == 0x3B:  # ;
        return _text(data[first:last]), last + 1
    if tag == 0x2C:  # ,
        return data[first:last], last + 1
    if tag == 0x7D:  # }
        return _dictionary(data, first, last, skip, depth - 1), last + 1
    if tag == 0x5D:  # ]
        if depth <= 0:
            raise TnetstringError("nested too deep")
        items: list[object] = []
        while first < last:
            item, first = _value(data, first, last, skip, depth - 1)
            items.append(item)
        return items, last + 1
    return _scalar(tag, data[first:last]), last + 1


def _bounds(data: bytes, start: int, end: int) -> tuple[int, int]:
    colon = data.find(b":", start, start + MAX_PREFIX + 1)
    digits = data[start:colon]
    if colon < 0 or not digits.isdigit():
        raise TnetstringError(f"no length at byte {start}")
    first = colon + 1
    last = first + int(digits)
    if last >= end:
        raise TnetstringError(f"the length at byte {start} leads beyond its surroundings")
    return first, last


def _dictionary(
    data: bytes, position: int, end: int, skip: frozenset[str], depth: int
) -> dict[str, object]:
    if depth <= 0:
        raise TnetstringError("nested too deep")
    found: dict[str, object] = {}
    while position < end:
        first, last = _bounds(data, position, end)
        if data[last] not in {0x3B, 0x2C}:
            raise TnetstringError("a key is no text")
        key = data[first:last].decode("utf-8", "backslashreplace")
        position = last + 1
        if position >= end:
            raise TnetstringError(f"key {key!r} has no value")
        if key in skip:
            position = _bounds(data, position, end)[1] + 1
            found[key] = None
        else:
            found[key], position = _value(data, position, end, skip, depth)
    return found


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise TnetstringError("a text is no UTF-8") from None


def _scalar(tag: int, text: bytes) -> object:
    if tag in {0x23, 0x5E}:  # # ^
        if len(text) > _MAX_NUMBER:
            raise TnetstringError("a number is too long")
        try:
            return int(text) if tag == 0x23 else float(text)
        except ValueError:
            raise TnetstringError(f"not a number: {text!r}") from None
    if tag == 0x21 and text in {b"true", b"false"}:  # !
        return text == b"true"
    if tag == 0x7E and not text:  # ~
        return None
    raise TnetstringError(f"unknown type {chr(tag)!r}")
