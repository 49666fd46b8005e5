"""An HTTP request or answer as a proxy or archive keeps it: as columns, and as bytes to search.

The *canonical head* is the text that ranges in the parts ``request.head`` and ``response.head``
count in: first line, then ``Name: value`` lines in the order sent, CRLF, and an empty line.
``request.trailers`` is written likewise, without a first line.
"""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate
from typing import Final, Literal

from audit.identifiers.content import classify_content
from audit.readers.bodies import canonical_json, decode_body
from audit.readers.http_names import METHODS, NAMES, PHRASES, VERSIONS
from audit.tables.extract import Extract, Payload
from audit.tables.frames import Row
from audit.tables.reference import Reference
from audit.tables.vocabulary import Location

Headers = tuple[tuple[bytes, bytes], ...]
Side = Literal["request", "response"]
_MAX_PARTS: Final = 1000
"""Cookies of one header that are searched apart; the rest as one run."""
_SECRET_HEADERS = frozenset({b"proxy-authorization"})
"""Credentials for a proxy, maybe the recorder's own: searched, and in no column."""
_FOLD: Final = re.compile(rb"[ \t]*\r?\n[ \t]+")
"""Where a header's value goes on in the next line (RFC 9112 §5.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
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

    @property
    def head(self) -> bytes:
        """The canonical head."""
        return b"".join([self.first_line, b"\r\n", *map(_line, self.headers), b"\r\n"])

    def header(self, name: bytes) -> str | None:
        """Return the values of a header, joined by ``', '``; ``None`` where it was not sent."""
        values = [text(value) for key, value in self.headers if key.lower() == name]
        return ", ".join(values) if values else None

    @property
    def encodings(self) -> tuple[str, ...]:
        """Content codings that the body still has, in the order they were applied."""
        if self.is_decoded:
            return ()
        declared = (self.header(b"content-encoding") or "").lower().split(",")
        return tuple(word for part in declared if (word := part.strip()) not in {"", "identity"})

    def columns(self) -> Row:
        """Return ``headers``, ``json``, ``body_len`` and ``content``."""
        body = self.body or b""
        encodings = self.encodings
        decoded = decode_body(body, encodings) if body else None
        kind = self.header(b"content-type")
        return {
            "headers": header_object(self.headers),
            "json": canonical_json(decoded) if decoded else None,
            "body_len": None if self.body is None else len(body),
            "content": str(classify_content(body, content_encoding=encodings, content_type=kind)),
        }


def _line(header: tuple[bytes, bytes]) -> bytes:
    return header[0] + b": " + header[1] + b"\r\n"


def text(value: bytes) -> str:
    """Return bytes of a head as text: UTF-8 where it is, else one character a byte."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def header_object(headers: Headers) -> str:
    """Return headers as the JSON text of the ``headers`` column."""
    joined: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        if key in _SECRET_HEADERS or key.startswith(b":"):
            continue
        word = text(key)
        between = "; " if key == b"cookie" else ", "
        joined[word] = joined[word] + between + text(value) if word in joined else text(value)
    return json.dumps(joined, sort_keys=True, separators=(",", ":"))


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
    parts = _Parts(extract=extract, table=table, row=row, side=message.side, record=record)
    head = replace(record, part=f"{message.side}.head")
    if message.side == "request":
        _add_target(parts, message.first_line, head)
    else:
        _add_status(parts, message.first_line, head)
    _add_fields(parts, "header", message.headers, len(message.first_line) + 2, head)
    if message.body:
        parts.add_body(message)
    trailers = replace(record, part=f"{message.side}.trailers")
    _add_fields(parts, "trailer", message.trailers, 0, trailers)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """Where the payloads of one message go, and what they have in common."""

    extract: Extract
    table: str
    row: int
    side: Side
    record: Reference

    def add(self, location: Location, detail: str, data: bytes, ref: Reference) -> None:
        if data:
            self.extract.payloads.append(
                Payload(
                    table=self.table,
                    row=self.row,
                    location=location,
                    detail=detail,
                    direction="sent" if self.side == "request" else "received",
                    data=data,
                    ref=ref,
                )
            )

    def add_run(
        self, location: Location, detail: str, line: bytes, span: tuple[int, int], ref: Reference
    ) -> None:
        """Add ``line[start:end]``; ``ref`` is the part that the line begins."""
        self.add(location, detail, line[slice(*span)], ref.at(*span))

    def add_body(self, message: HttpMessage) -> None:
        self.add(
            "body" if self.side == "request" else "response",
            "",
            message.body or b"",
            replace(self.record, part=f"{self.side}.body"),
        )
        self.extract.payloads[-1].content_encoding = message.encodings
        self.extract.payloads[-1].content_type = message.header(b"content-type")


def _add_target(parts: _Parts, line: bytes, head: Reference) -> None:
    start = line.find(b" ") + 1
    end = max(line.rfind(b" "), start)
    path, mark, _ = line[start:end].partition(b"?")
    if line[: start - 1] not in METHODS:
        parts.add_run("path", "method", line, (0, max(start - 1, 0)), head)
    parts.add_run("path", "", line, (start, start + len(path)), head)
    parts.add_run("query", "", line, (start + len(path) + len(mark), end), head)
    if line[end + 1 :] not in VERSIONS:
        parts.add_run("path", "version", line, (end + 1, len(line)), head)


def _add_status(parts: _Parts, line: bytes, head: Reference) -> None:
    """Add the reason phrase of an answer, if it is none of the known ones."""
    version = line.find(b" ") + 1
    start = line.find(b" ", version) + 1
    if version and start and line[start:].strip().lower() not in PHRASES:
        parts.add_run("response", "reason", line, (start, len(line)), head)


def _add_fields(
    parts: _Parts, location: Location, fields: Headers, position: int, ref: Reference
) -> None:
    """Add names and values of headers or trailers, written from ``position`` on."""
    for name, value in fields:
        at, start = position, position + len(name) + 2
        position = start + len(value) + 2
        key = name.lower()
        if key not in NAMES:
            parts.add(location, text(key), name, ref.at(at, at + len(name)))
        if key == b"cookie" and location == "header":
            _add_cookies(parts, value, start, ref)
            continue
        place, detail = location, text(key)
        if key == b"set-cookie":
            place, detail = "cookie", text(value.partition(b"=")[0].strip())
        parts.add(place, detail, value, ref.at(start, start + len(value)))
        if b"\n" in value:
            _add_unfolded(parts, (place, detail), value, start, ref)


def _add_unfolded(
    parts: _Parts, place: tuple[Location, str], value: bytes, start: int, ref: Reference
) -> None:
    """Add a value of several lines once more as one: what lies across a line's end counts."""
    lines = _FOLD.split(value)
    joined = b"".join(lines)
    part = replace(ref, part=f"{ref.part}/unfolded.{start}").at(0, len(joined))
    parts.add(*place, joined, part)
    if joined:
        ends = accumulate(map(len, lines[:-1]))
        parts.extract.payloads[-1].seams = tuple(ends)


def _add_cookies(parts: _Parts, value: bytes, start: int, head: Reference) -> None:
    for pair in value.split(b";", _MAX_PARTS):
        name, equals, content = pair.partition(b"=")
        at = start + len(name) + len(equals)
        if equals:
            parts.add("cookie", text(name.strip()), name, head.at(start, start + len(name)))
            parts.add("cookie", text(name.strip()), content, head.at(at, at + len(content)))
        else:
            parts.add("cookie", "", name, head.at(start, start + len(name)))
        start += len(pair) + 1
