"""HTTP/1.1 messages as the stand-ins read and write them (RFC 9112), bounded in every direction."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import Final, Literal

MAX_HEAD_BYTES: Final = 65_536
MAX_BODY_BYTES: Final = 12_000_000
"""A little more than the storage server's own limit of 10 MB."""
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}\Z")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})(?:[ \t]*;[^\r\n]*)?\r?\n\Z")

Headers = tuple[tuple[str, str], ...]
Upgrade = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class BadMessageError(Exception):
    """The bytes are no HTTP message; ``status`` is what to answer, ``seen`` what was read."""

    def __init__(self, reason: str, *, status: int = 400, seen: bytes = b"") -> None:
        super().__init__(reason)
        self.status = status
        self.seen = seen


def find_header(headers: Headers, name: str) -> str:
    """Return the first value of a header (any case), empty where there is none."""
    for key, value in headers:
        if key.lower() == name:
            return value
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request."""

    method: str
    target: str
    """As on the request line: path with query, ``host:port`` for CONNECT, or absolute."""
    version: str
    headers: Headers
    body: bytes
    scheme: Literal["http", "https"] = "http"
    peer: str = ""
    """``address:port`` of the other end."""

    @property
    def path(self) -> str:
        return self.target.split("?", 1)[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    @property
    def keeps_alive(self) -> bool:
        """Whether the connection stays open after the answer (RFC 9112, 9.3)."""
        option = find_header(self.headers, "connection").lower()
        return option != "close" if self.version == "HTTP/1.1" else option == "keep-alive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One answer."""

    status: int
    body: bytes = b""
    headers: Headers = ()
    upgrade: Upgrade | None = field(default=None, compare=False)
    """Takes the connection over once the head is out (WebSocket, CONNECT)."""

    def to_bytes(self, *, head_only: bool = False, close: bool = False) -> bytes:
        """Return the answer as it goes out, with ``Date`` and ``Content-Length``."""
        reason = HTTPStatus(self.status).phrase if self.status in set(HTTPStatus) else "Other"
        lines = [f"HTTP/1.1 {self.status} {reason}", f"Date: {formatdate(usegmt=True)}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.upgrade is None:
            lines.append(f"Content-Length: {len(self.body)}")
            if close:
                lines.append("Connection: close")
        head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
        return head if head_only or self.upgrade is not None else head + self.body


async def read_request(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    *,
    scheme: Literal["http", "https"],
    peer: str,
) -> Request | None:
    """Read one request; ``None`` at the end of the stream.

    Raises :class:`BadMessageError` for anything that is no request or exceeds the bounds.
    """
    head = await _read_head(reader)
    if head is None:
        return None
    line, headers = _parse_head(head)
    parts = line.split(" ")
    if len(parts) != 3 or not _TOKEN.match(parts[0]) or not parts[1]:
        raise BadMessageError("not a request line", seen=head)
    if parts[2] not in {"HTTP/1.1", "HTTP/1.0"}:
        raise BadMessageError("not HTTP/1.x", status=505, seen=head)
    if find_header(headers, "expect").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = await _read_body(reader, headers, until_end=False)
    return Request(
        method=parts[0],
        target=parts[1],
        version=parts[2],
        headers=headers,
        body=body,
        scheme=scheme,
        peer=peer,
    )


async def read_response(reader: asyncio.StreamReader) -> tuple[Response, bool]:
    """Read one answer and whether the connection can be used again.

    Raises :class:`BadMessageError` for anything that is no answer or exceeds the bounds.
    """
    head = await _read_head(reader)
    if head is None:
        raise BadMessageError("the connection ended before an answer")
    line, headers = _parse_head(head)
    parts = line.split(" ", 2)
    if len(parts) < 2 or not parts[0].startswith("HTTP/1.") or not parts[1].isdigit():
        raise BadMessageError("not a status line", seen=head)
    counted = bool(
        find_header(headers, "content-length") or find_header(headers, "transfer-encoding")
    )
    body = await _read_body(reader, headers, until_end=not counted)
    reusable = counted and find_header(headers, "connection").lower() != "close"
    return Response(status=int(parts[1]), body=body, headers=headers), reusable


async def ask(place: tuple[str, int], request: bytes) -> Response:
    """Send a request, which must close its connection, to address and port; return the answer.

    Raises ``OSError`` where nothing listens, :class:`BadMessageError` for what is no answer.
    """
    reader, writer = await asyncio.open_connection(*place)
    try:
        writer.write(request)
        response, _ = await read_response(reader)
    finally:
        writer.close()
    return response


async def _read_head(reader: asyncio.StreamReader) -> bytes | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if not error.partial.strip():
            return None
        raise BadMessageError("the head ends too early", seen=error.partial) from None
    except asyncio.LimitOverrunError as error:
        seen = await reader.read(min(error.consumed, 4096))
        raise BadMessageError("the head is too long", status=431, seen=seen) from None
    if len(head) > MAX_HEAD_BYTES:
        raise BadMessageError("the head is too long", status=431, seen=head[:4096])
    return head


def _parse_head(head: bytes) -> tuple[str, Headers]:
    lines = head.lstrip(b"\r\n").decode("latin-1").split("\r\n")
    headers = []
    for line in lines[1:]:
        if not line:
            continue
        name, colon, value = line.partition(":")
        if not colon or not _TOKEN.match(name):
            raise BadMessageError("not a header line", seen=head)
        headers.append((name, value.strip(" \t")))
    return lines[0], tuple(headers)


async def _read_body(reader: asyncio.StreamReader, headers: Headers, *, until_end: bool) -> bytes:
    try:
        coding = find_header(headers, "transfer-encoding").lower()
        if coding:
            if coding != "chunked":
                raise BadMessageError(f"transfer coding {coding!r} is not known", status=501)
            return await _read_chunks(reader)
        length = find_header(headers, "content-length")
        if not length:
            return await _read_rest(reader) if until_end else b""
        if not (length.isascii() and length.isdigit()):
            raise BadMessageError("Content-Length is not a number")
        if len(length) > 9 or int(length) > MAX_BODY_BYTES:
            raise BadMessageError("the body is too long", status=413)
        return await reader.readexactly(int(length))
    except asyncio.IncompleteReadError as error:
        raise BadMessageError("the body ends too early", seen=error.partial[:4096]) from None
    except asyncio.LimitOverrunError:
        raise BadMessageError("a chunk line is too long") from None


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    parts: list[bytes] = []
    total = 0
    while True:
        match = _CHUNK.match(await reader.readuntil(b"\n"))
        if not match:
            raise BadMessageError("not a chunk line")
        size = int(match[1], 16)
        total += size
        if total > MAX_BODY_BYTES:
            raise BadMessageError("the body is too long", status=413)
        if size == 0:
            break
        parts.append(await reader.readexactly(size))
        if await reader.readuntil(b"\n") != b"\r\n":
            raise BadMessageError("a chunk does not end with its line")
    trailer_bytes = 0
    while (line := await reader.readuntil(b"\n")) not in {b"\r\n", b"\n"}:
        trailer_bytes += len(line)
        if trailer_bytes > MAX_HEAD_BYTES:
            raise BadMessageError("the trailer is too long", status=431)
    return b"".join(parts)


async def _read_rest(reader: asyncio.StreamReader) -> bytes:
    parts: list[bytes] = []
    total = 0
    while block := await reader.read(65_536):
        total += len(block)
        if total > MAX_BODY_BYTES:
            raise BadMessageError("the body is too long", status=413)
        parts.append(block)
    return b"".join(parts)
