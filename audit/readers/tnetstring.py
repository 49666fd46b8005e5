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
_BUFFER: Final = 1 << 20
_LIST: Final = 0x5D
_DICTIONARY: Final = 0x7D
_TEXT: Final = 0x3B
_BYTES: Final = 0x2C


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
    first, last = _bounds(data, 0, len(data))
    if last + 1 != len(data):
        raise TnetstringError(f"{len(data) - last - 1} bytes follow the value")
    return decode_at(data, first, last, skip)


def decode_at(
    data: bytes, first: int, last: int, skip: frozenset[str] = frozenset(), depth: int = MAX_DEPTH
) -> object:
    """Return the value whose payload is ``data[first:last]``, and whose type stands at ``last``.

    As :func:`decode` otherwise.
    """
    tag = data[last]
    if tag == _BYTES:
        return data[first:last]
    if tag == _TEXT:
        return _text(data[first:last])
    if tag == _DICTIONARY:
        return _dictionary(data, first, last, skip, depth - 1)
    if tag == _LIST:
        return _list(data, first, last, skip, depth - 1)
    return _scalar(tag, data[first:last])


def records(path: Path) -> Iterator[bytes | OversizeError]:
    """Yield the records of a dump one by one, each still encoded.

    A record beyond the bound is yielded as its error, unread. Raises :class:`CutError` where the
    file ends inside a record and :class:`TnetstringError` where something else stands there;
    ``OSError`` passes.
    """
    size = path.stat().st_size
    with path.open("rb", buffering=_BUFFER) as file:
        position = 0
        while position < size:
            head = file.read(min(MAX_PREFIX + 1, size - position))
            colon = _length_end(head)
            length = int(head[:colon])
            total = colon + length + 2
            if total > size - position:
                raise CutError(f"the record at byte {position} is cut")
            if length > MAX_RECORD:
                yield OversizeError(f"the record at byte {position} has {length} bytes")
                file.seek(position + total)
            else:
                yield _whole(file, head, total)
            position += total


def _whole(file: BinaryIO, head: bytes, total: int) -> bytes:
    if total < len(head):
        file.seek(total - len(head), 1)
        return head[:total]
    record = head + file.read(total - len(head))
    if len(record) < total:
        raise CutError("the file became shorter while it was read")
    return record


def _length_end(head: bytes) -> int:
    colon = head.find(b":")
    digits = head if colon < 0 else head[:colon]
    if not digits.isdigit() or (colon < 0 and len(head) > MAX_PREFIX):
        raise TnetstringError("no length where a record should start")
    if colon < 0:
        raise CutError("the file ends inside a length")
    return colon


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


def _list(data: bytes, at: int, end: int, skip: frozenset[str], depth: int) -> list[object]:
    if depth < 0:
        raise TnetstringError("nested too deep")
    items: list[object] = []
    while at < end:
        first, last = _bounds(data, at, end)
        if data[last] == _BYTES:
            items.append(data[first:last])
        else:
            items.append(decode_at(data, first, last, skip, depth))
        at = last + 1
    return items


def _dictionary(
    data: bytes, at: int, end: int, skip: frozenset[str], depth: int
) -> dict[str, object]:
    if depth < 0:
        raise TnetstringError("nested too deep")
    found: dict[str, object] = {}
    while at < end:
        first, last = _bounds(data, at, end)
        if data[last] not in {_TEXT, _BYTES}:
            raise TnetstringError("a key is no text")
        key = data[first:last].decode("utf-8", "backslashreplace")
        at = last + 1
        if at >= end:
            raise TnetstringError(f"key {key!r} has no value")
        first, last = _bounds(data, at, end)
        found[key] = None if key in skip else decode_at(data, first, last, skip, depth)
        at = last + 1
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
