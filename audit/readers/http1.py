"""HTTP/1.x messages in a byte stream (RFC 9112), each with the offsets of its parts.

Pure functions over bytes: used for plaintext and for decrypted streams.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from audit.readers.http_message import HttpMessage, Side

HEAD_LIMIT: Final = 1 << 20
"""Bytes of first line and headers; a longer head is not read as HTTP."""
HEADER_LIMIT: Final = 10_000
"""Header lines of one message."""
_REQUEST_LINE: Final = re.compile(
    rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256} [^\s]{1,65536} HTTP/1\.[01]\r?\n"
)
_LONG_LINE: Final = re.compile(rb"[A-Z]{3,16} [^\s]{65536}")
"""A request whose target is longer than one that is read."""
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] [1-9][0-9][0-9](?: [^\r\n]{0,4096})?\r?\n")
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_LINE: Final = re.compile(rb"([^\r\n]*(?:\r(?!\n)[^\r\n]*)*)\r?\n")
_CHUNK_SIZE: Final = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]{0,4096})?\r?\n")
_NO_BODY: Final = frozenset({204, 304})


Span = tuple[int, int]


class NotHttp1Error(Exception):
    """The bytes at this place are no HTTP/1 message."""


class TooLargeError(NotHttp1Error):
    """It may be a message, but it is beyond the bounds of what is read."""


class FramingError(NotHttp1Error):
    """It is a message, and where it ends cannot be told (RFC 9112 §6.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Http1Message:
    """One message and where its parts lie in the stream."""

    message: HttpMessage
    start: int
    head_end: int
    """One past the empty line."""
    end: int
    """One past the last byte that belongs to the message."""
    starts: tuple[Span, ...]
    """Offsets of each header's name and value."""
    trailer_starts: tuple[Span, ...] = ()
    """Offsets of each trailer's name and value."""
    framing: tuple[Span, ...] = ()
    """Where chunk extensions lie, and what else stands between the chunks of a body."""
    body_is_contiguous: bool = True
    """Whether ``message.body`` lies in the stream from ``head_end`` on, byte for byte."""
    complete: bool = True
    """Whether the whole message was there."""
    until_close: bool = False
    """Whether the body runs to the end of the connection."""

    @property
    def status(self) -> int:
        """Status code; 0 for a request."""
        line = self.message.first_line
        return int(line[9:12]) if self.message.side == "response" else 0

    @property
    def method(self) -> bytes:
        """Method of a request."""
        return self.message.first_line.partition(b" ")[0]


def is_request(data: bytes) -> bool:
    """Whether the bytes begin like a request (a first line of up to 64 KiB, whole or not)."""
    if _REQUEST_LINE.match(data):
        return True
    line, _, _ = data[:65536].partition(b"\n")
    return bool(
        re.match(rb"(?:GET|POST|PUT|HEAD|DELETE|OPTIONS|PATCH|CONNECT|TRACE) [^\s]+$", line)
    )


def is_response(data: bytes) -> bool:
    """Whether the bytes begin like an answer."""
    return bool(_STATUS_LINE.match(data))


def read_message(
    data: bytes, at: int, side: Side, *, method: bytes = b"", closed: bool = False
) -> Http1Message | None:
    """Read the message at ``at``; ``None`` at the end of the data.

    ``method`` is that of the request an answer belongs to, ``closed`` says that nothing can follow
    the data. Raises :class:`NotHttp1Error` for anything else.
    """
    while data[at : at + 2] == b"\r\n":  # an empty line may stand before a message (RFC 9112 §2.2)
        at += 2
    if at >= len(data):
        return None
    first = (_REQUEST_LINE if side == "request" else _STATUS_LINE).match(data, at)
    if not first:
        if side == "request" and _LONG_LINE.match(data, at):
            raise TooLargeError("a first line of more than 64 KiB")
        raise NotHttp1Error("no first line")
    ending = _HEAD_END.search(data, first.end() - 2, at + HEAD_LIMIT)
    head_end = ending.end() if ending else min(len(data), at + HEAD_LIMIT)
    headers, starts = _fields(data, first.end(), head_end)
    message = HttpMessage(
        side=side, first_line=first.group().rstrip(b"\r\n"), headers=headers, body=None
    )
    if not ending:
        if len(data) > at + HEAD_LIMIT:
            raise TooLargeError(f"a head of more than {HEAD_LIMIT} bytes")
        return _made(message, b"", at, head_end, head_end, starts, complete=False)
    return _with_body(data, message, at, head_end, starts, method=method, closed=closed)


def _fields(
    data: bytes, at: int, end: int
) -> tuple[tuple[tuple[bytes, bytes], ...], tuple[Span, ...]]:
    """Return header lines, offsets of their names and values; folded lines stay in their value.

    Raises :class:`TooLargeError` for more than ``HEADER_LIMIT`` lines.
    """
    headers: list[tuple[bytes, bytes]] = []
    starts: list[Span] = []
    while at < end:
        if len(headers) >= HEADER_LIMIT:
            raise TooLargeError(f"more than {HEADER_LIMIT} header lines")
        line = _LINE.match(data, at, end)
        text, after = (line.group(1), line.end()) if line else (data[at:end], end)
        if not text.strip():
            break
        if text[:1] in {b" ", b"\t"} and headers:
            name, _ = headers[-1]
            headers[-1] = (name, data[starts[-1][1] : at + len(text)].rstrip(b" \t"))
        else:
            name, _, value = text.partition(b":")
            start = at + len(text) - len(value.lstrip(b" \t"))
            headers.append((name.rstrip(b" \t"), value.strip(b" \t")))
            starts.append((at, start))
        at = after
    return tuple(headers), tuple(starts)


def _with_body(
    data: bytes,
    message: HttpMessage,
    at: int,
    head_end: int,
    starts: tuple[Span, ...],
    *,
    method: bytes,
    closed: bool,
) -> Http1Message:
    is_answer = message.side == "response"
    status = int(message.first_line[9:12]) if is_answer else 0
    if is_answer and (
        status < 200
        or status in _NO_BODY
        or method == b"HEAD"
        or (method == b"CONNECT" and status < 300)
    ):
        return _made(message, b"", at, head_end, head_end, starts)
    codings = (message.header(b"transfer-encoding") or "").lower()
    if codings.rpartition(",")[2].strip() == "chunked":
        return _chunked(data, message, at, head_end, starts)
    length = message.header(b"content-length")
    if length is None:
        if not is_answer:
            return _made(message, b"", at, head_end, head_end, starts)
        body = data[head_end:]
        return _made(
            message, body, at, head_end, len(data), starts, complete=closed, until_close=True
        )
    values = {value.strip() for value in length.split(",")}
    value = values.pop()
    if values or not (value.isascii() and value.isdigit()) or len(value) > 18:
        raise FramingError(f"its length is {length[:40]!r}")
    end = head_end + int(value)
    body = data[head_end:end]
    return _made(
        message, body, at, head_end, head_end + len(body), starts, complete=end <= len(data)
    )


def _chunked(
    data: bytes, message: HttpMessage, at: int, head_end: int, starts: tuple[Span, ...]
) -> Http1Message:
    parts: list[bytes] = []
    position, complete = head_end, False
    trailers: tuple[tuple[bytes, bytes], ...] = ()
    trailer_starts: tuple[Span, ...] = ()
    framing: list[Span] = []
    while size := _CHUNK_SIZE.match(data, position):
        length = int(size.group(1), 16)
        if size.end(1) != size.end() - 2:
            framing.append((size.end(1), size.end()))
        if not length:
            ending = _HEAD_END.search(data, size.end() - 2, size.end() + HEAD_LIMIT)
            complete, position = bool(ending), ending.end() if ending else len(data)
            trailers, trailer_starts = _fields(data, size.end(), position)
            break
        parts.append(data[size.end() : size.end() + length])
        position = size.end() + length
        if position + 2 > len(data):
            position = len(data)
            break
        is_ended = data[position : position + 2] == b"\r\n"
        if not is_ended:
            framing.append((position, position + 1))
        position += 2 if is_ended else 1
    body = b"".join(parts)
    made = HttpMessage(
        side=message.side,
        first_line=message.first_line,
        headers=message.headers,
        body=body,
        trailers=trailers,
    )
    return Http1Message(
        message=made,
        start=at,
        head_end=head_end,
        end=position,
        starts=starts,
        trailer_starts=trailer_starts,
        framing=tuple(framing),
        body_is_contiguous=False,
        complete=complete,
    )


def _made(
    message: HttpMessage,
    body: bytes,
    start: int,
    head_end: int,
    end: int,
    starts: tuple[Span, ...],
    *,
    complete: bool = True,
    until_close: bool = False,
) -> Http1Message:
    return Http1Message(
        message=HttpMessage(
            side=message.side, first_line=message.first_line, headers=message.headers, body=body
        ),
        start=start,
        head_end=head_end,
        end=end,
        starts=starts,
        complete=complete,
        until_close=until_close,
    )
