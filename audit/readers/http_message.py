"""An HTTP request or answer as a proxy or archive keeps it: as columns, and as bytes to search.

The *canonical head* is the text that ranges in the parts ``request.head`` and ``response.head``
count in: first line, then ``Name: value`` lines in the order sent, CRLF, and an empty line.
``request.trailers`` is written likewise, without a first line.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from typing import Final, Literal

from audit.readers.bodies import Judged, judge_body
from audit.readers.header_lines import (
    FOLD,
    Header,
    HeaderLine,
    Headers,
    header_object,
    lines_of,
    text,
    value_of,
)
from audit.readers.http_names import METHODS, PHRASES, VERSIONS
from audit.tables.extract import Extract, Payload
from audit.tables.frames import Row
from audit.tables.reference import Reference
from audit.tables.vocabulary import Direction, Location

Side = Literal["request", "response"]
_NOTHING: Final = Judged(None, "empty")
_MAX_PARTS: Final = 1000
"""Cookies of one header that are searched apart; the rest as one run."""


@dataclass(slots=True, kw_only=True)
class HttpMessage:
    """One request or answer."""

    side: Side
    first_line: bytes
    """Such as ``POST /path?query HTTP/1.1`` or ``HTTP/1.1 200 OK``."""
    headers: Headers
    body: bytes | None
    """As sent, content coding kept, chunking removed; ``None``: not kept by the tap."""
    trailers: Headers = ()
    is_decoded: bool = False
    """Whether content codings were undone already, as archives of browsers have it."""
    lines: list[HeaderLine] = field(init=False, repr=False, compare=False)
    """What each header says."""

    def __post_init__(self) -> None:
        self.lines = lines_of(self.headers)

    @property
    def head(self) -> bytes:
        """The canonical head."""
        return b"".join([self.first_line, b"\r\n", *map(_line, self.headers), b"\r\n"])

    @property
    def size(self) -> int:
        """Bytes of the canonical head and the body."""
        fields = sum([line.size for line in self.lines])
        return len(self.first_line) + fields + len(self.body or b"") + 4

    def header(self, name: bytes) -> str | None:
        """Return the values of a header, joined by ``', '``; ``None`` where it was not sent."""
        return value_of(self.lines, name)

    @property
    def encodings(self) -> tuple[str, ...]:
        """Content codings that the body still has, in the order they were applied."""
        declared = None if self.is_decoded else self.header(b"content-encoding")
        if declared is None:
            return ()
        words = [part.strip() for part in declared.lower().split(",")]
        return tuple(word for word in words if word not in {"", "identity"})

    def columns(self) -> Row:
        """Return ``headers``, ``json``, ``body_len`` and ``content``."""
        body = self.body
        judged = (
            judge_body(body, self.encodings, self.header(b"content-type")) if body else _NOTHING
        )
        return {
            "headers": header_object(self.lines),
            "json": judged.json,
            "body_len": None if body is None else len(body),
            "content": judged.content,
        }


def _line(header: Header) -> bytes:
    return header[0] + b": " + header[1] + b"\r\n"


@lru_cache(maxsize=4096)
def host_name(authority: str | None) -> str | None:
    """Return the DNS name in ``host`` or ``host:port``, lower case; ``None`` for an address."""
    if not authority:
        return None
    host = authority.strip().rpartition("@")[2]
    if host.startswith("["):
        return None
    if host.count(":") == 1:
        host = host.partition(":")[0]
    host = host.rstrip(".").lower()
    if not host:
        return None
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host
    return None


def split_target(target: str) -> tuple[str, str]:
    """Split a request target into path and query; an absolute form loses scheme and authority."""
    if not target.startswith("/") and "://" in target[:12]:
        _, _, rest = target.partition("://")
        _, slash, path = rest.partition("/")
        target = slash + path if slash else "/"
    path, _, query = target.partition("?")
    return path, query


def add_payloads(
    extract: Extract, table: str, row: int, message: HttpMessage, record: Reference
) -> None:
    """Hand every part of a message to the search: first line, headers, cookies, body, trailers.

    Names of headers, methods, versions and phrases that a standard has are left out: they say
    nothing of anybody.
    """
    is_request = message.side == "request"
    parts = _Parts(extract.payloads, table, row, "sent" if is_request else "received")
    head = record.of("request.head" if is_request else "response.head")
    if is_request:
        _add_target(parts, message.first_line, head)
    else:
        _add_status(parts, message.first_line, head)
    _add_fields(
        parts, "header", (message.headers, message.lines), len(message.first_line) + 2, head
    )
    if message.body:
        ref = record.of("request.body" if is_request else "response.body")
        body = parts.add("body" if is_request else "response", "", message.body, ref, 0)
        body.ref = ref
        body.content_encoding = message.encodings
        body.content_type = message.header(b"content-type")
    if message.trailers:
        trailers = (message.trailers, lines_of(message.trailers))
        _add_fields(parts, "trailer", trailers, 0, record.of(f"{message.side}.trailers"))


class PartPayload(Payload):
    """Bytes inside one part of a message; where they lie is worked out when somebody asks.

    Most payloads hold nothing that is looked for, and there are some twenty to a message.
    """

    __slots__ = ("_at", "_ref", "_whole")

    def __init__(
        self,
        table: str,
        row: int,
        location: Location,
        detail: str,
        direction: Direction,
        data: bytes,
        whole: Reference,
        at: int,
    ) -> None:
        self.table = table
        self.row = row
        self.location = location
        self.detail = detail
        self.direction = direction
        self.data = data
        self.content_encoding = ()
        self.content_type = None
        self.seams = ()
        self.also = None
        self._whole = whole
        self._at = at
        self._ref: Reference | None = None

    @property
    def ref(self) -> Reference:
        """Points at the bytes, inside their part."""
        if self._ref is None:
            self._ref = self._whole.at(self._at, self._at + len(self.data))
        return self._ref

    @ref.setter
    def ref(self, ref: Reference) -> None:
        self._ref = ref


@dataclass(slots=True)
class _Parts:
    """Where the payloads of one message go, and what they have in common."""

    payloads: list[Payload]
    table: str
    row: int
    direction: Direction

    def add(
        self, location: Location, detail: str, data: bytes, whole: Reference, at: int
    ) -> Payload:
        """Add ``data``, which begins at byte ``at`` of the part ``whole``."""
        payload = PartPayload(
            self.table, self.row, location, detail, self.direction, data, whole, at
        )
        self.payloads.append(payload)
        return payload

    def add_run(
        self, location: Location, detail: str, line: bytes, span: tuple[int, int], ref: Reference
    ) -> None:
        """Add ``line[start:end]``, if it has bytes; ``ref`` is the part that the line begins."""
        start, end = span
        if start < end:
            self.add(location, detail, line[start:end], ref, start)


def _add_target(parts: _Parts, line: bytes, head: Reference) -> None:
    start = line.find(b" ") + 1
    end = max(line.rfind(b" "), start)
    mark = line.find(b"?", start, end)
    if line[: start - 1] not in METHODS:
        parts.add_run("path", "method", line, (0, max(start - 1, 0)), head)
    parts.add_run("path", "", line, (start, end if mark < 0 else mark), head)
    if mark >= 0:
        parts.add_run("query", "", line, (mark + 1, end), head)
    if line[end + 1 :] not in VERSIONS:
        parts.add_run("path", "version", line, (end + 1, len(line)), head)


def _add_status(parts: _Parts, line: bytes, head: Reference) -> None:
    """Add the reason phrase of an answer, if it is none of the known ones."""
    version = line.find(b" ") + 1
    start = line.find(b" ", version) + 1
    if version and start and line[start:].strip().lower() not in PHRASES:
        parts.add_run("response", "reason", line, (start, len(line)), head)


def _add_fields(
    parts: _Parts,
    location: Location,
    fields: tuple[Headers, list[HeaderLine]],
    position: int,
    ref: Reference,
) -> None:
    """Add names and values of headers or trailers, written from ``position`` on."""
    table, row, direction, add = parts.table, parts.row, parts.direction, parts.payloads.append
    for (written, value), line in zip(*fields, strict=True):
        name = line.name
        start = position + len(written) + 2
        if not name.is_named and written:
            add(PartPayload(table, row, location, name.word, direction, written, ref, position))
        position += line.size
        if name.is_cookie and location == "header":
            _add_cookies(parts, value, start, ref)
        elif value:
            place = name.location or location
            add(PartPayload(table, row, place, line.detail, direction, value, ref, start))
            if line.is_folded:
                _add_unfolded(parts, (place, line.detail), value, start, ref)


def _add_unfolded(
    parts: _Parts, place: tuple[Location, str], value: bytes, start: int, ref: Reference
) -> None:
    """Add a value of several lines once more as one: what lies across a line's end counts."""
    lines = FOLD.split(value)
    joined = b"".join(lines)
    if joined:
        part = ref.of(f"{ref.part}/unfolded.{start}")
        parts.add(*place, joined, part, 0).seams = tuple(accumulate(map(len, lines[:-1])))


def _add_cookies(parts: _Parts, value: bytes, start: int, head: Reference) -> None:
    for pair in value.split(b";", _MAX_PARTS):
        name, equals, content = pair.partition(b"=")
        at = start + len(name) + len(equals)
        detail = text(name.strip()) if equals else ""
        for data, where in ((name, start), (content, at)):
            if data:
                parts.add("cookie", detail, data, head, where)
        start += len(pair) + 1
