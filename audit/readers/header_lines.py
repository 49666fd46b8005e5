"""What one line of a head says, worked out once: clients and servers repeat most of their lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii
from typing import Final

from audit.readers.http_names import NAMES
from audit.tables.vocabulary import Location

Header = tuple[bytes, bytes]
"""Name and value, as sent."""
Headers = tuple[Header, ...]
_SECRET: Final = frozenset({b"proxy-authorization"})
"""Credentials for a proxy, maybe the recorder's own: searched, and in no column."""
FOLD: Final = re.compile(rb"[ \t]*\r?\n[ \t]+")
"""Where a header's value goes on in the next line (RFC 9112 §5.2)."""
_MOST: Final = 8192
"""Lines that are remembered."""
_LONGEST: Final = 512
"""Bytes of a line that is remembered."""


@dataclass(slots=True)
class HeaderName:
    """The name of a field."""

    key: bytes
    """Lower case."""
    word: str
    """The same as text."""
    is_named: bool
    """Whether it is one of those in common use, which say nothing of anybody."""
    is_cookie: bool
    location: Location | None
    """Where its values belong if they are no plain header's or trailer's."""
    member: str | None
    """What its values begin with in the column ``headers``; ``None``: they are not shown."""


@dataclass(slots=True)
class HeaderLine:
    """One header or trailer field."""

    header: Header
    """As it was sent."""
    name: HeaderName
    value: str
    """As text."""
    is_folded: bool
    """Whether the value has several lines."""
    detail: str
    """Name of the header, or of the cookie that it sets."""
    column: str | None
    """Its member of the object in the column ``headers``; ``None``: it is not shown."""
    size: int
    """Bytes of the line ``Name: value`` with its end."""


_names: dict[bytes, HeaderName] = {}
_lines: dict[Header, HeaderLine] = {}


def text(value: bytes) -> str:
    """Return bytes of a head as text: UTF-8 where it is, else one character a byte."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


class HeaderPairs(tuple[Header, ...]):  # noqa: SLOT001 - a tuple cannot have slots
    """Headers of which it is known already what each says."""

    lines: list[HeaderLine]


def lines_of(headers: Headers) -> list[HeaderLine]:
    """Return what each header line says, in the order sent."""
    if type(headers) is HeaderPairs:
        return headers.lines
    return [_lines.get(header) or _remember(header) for header in headers]


def _remember(header: Header) -> HeaderLine:
    line = line_of(header)
    if line.size <= _LONGEST:
        if len(_lines) >= _MOST:
            _lines.clear()
        _lines[header] = line
    return line


def line_of(header: Header) -> HeaderLine:
    """Return what one header line says."""
    written, value = header
    name = _names.get(written) or _name(written)
    try:
        shown = value.decode()
    except UnicodeDecodeError:
        shown = value.decode("latin-1")
    detail = name.word
    if name.location is not None:
        detail = text(value.partition(b"=")[0].strip())
    column = None if name.member is None else name.member + encode_basestring_ascii(shown)
    size = len(written) + len(value) + 4
    return HeaderLine(header, name, shown, b"\n" in value, detail, column, size)


def _name(written: bytes) -> HeaderName:
    key = written.lower()
    word = text(key)
    is_hidden = key in _SECRET or key.startswith(b":")
    name = HeaderName(
        key=key,
        word=word,
        is_named=key in NAMES,
        is_cookie=key == b"cookie",
        location="cookie" if key == b"set-cookie" else None,
        member=None if is_hidden else encode_basestring_ascii(word) + ":",
    )
    if len(written) <= _LONGEST:
        if len(_names) >= _MOST:
            _names.clear()
        _names[written] = name
    return name


def value_of(lines: Iterable[HeaderLine], key: bytes) -> str | None:
    """Return the values of a header, joined by ``', '``; ``None`` where it was not sent."""
    values = [line.value for line in lines if line.name.key == key]
    return ", ".join(values) if values else None


def header_object(lines: list[HeaderLine]) -> str:
    """Return headers as the JSON text of the ``headers`` column, values of one name joined."""
    members = {line.name.word: line.column for line in lines if line.column is not None}
    if len(members) < len(lines):
        return _joined(lines)
    return "{" + ",".join([member for _, member in sorted(members.items())]) + "}"


def _joined(lines: Iterable[HeaderLine]) -> str:
    values: dict[str, list[str]] = {}
    for line in lines:
        if line.name.member is not None:
            values.setdefault(line.name.word, []).append(line.value)
    joined = {word: ("; " if word == "cookie" else ", ").join(values[word]) for word in values}
    return json.dumps(joined, sort_keys=True, separators=(",", ":"))
