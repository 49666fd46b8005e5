"""HTTP/1 exchanges of a stream as rows, with every part of a message for the search."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate
from typing import Final

from audit.readers.bytestream import ByteStream
from audit.readers.http1 import Http1Message
from audit.readers.http1_dialogue import Dialogue, Exchange, read_dialogue
from audit.readers.http_message import HttpMessage, add_payloads, host_name, split_target, text
from audit.readers.talk import Talk
from audit.tables.extract import Payload
from audit.tables.frames import Row
from audit.tables.reference import Reference
from audit.tables.vocabulary import Transport

_TABLES: Final = {"request": "http_requests", "response": "http_responses"}


def add_http1(
    talk: Talk, requests: ByteStream, responses: ByteStream, transport: Transport
) -> Dialogue:
    """Add the rows of all exchanges; what follows a handover is left to the caller.

    Bytes behind something that is no HTTP go to the search as they are.
    """
    dialogue = read_dialogue(
        requests.data,
        responses.data,
        requests_closed=requests.closed,
        responses_closed=responses.closed,
        is_early=lambda answer, request: responses.time(answer) < requests.time(request),
    )
    for exchange in dialogue.exchanges:
        _add_exchange(talk, exchange, requests, responses, transport)
    if dialogue.is_bounded:
        talk.cut("more HTTP exchanges than are read of one connection")
    if dialogue.handover is None:
        for stream, end, problem in (
            (requests, dialogue.request_end, dialogue.request_problem),
            (responses, dialogue.response_end, dialogue.response_problem),
        ):
            if problem is not None:
                talk.raw(stream.after(end), transport)
    return dialogue


def _add_exchange(
    talk: Talk,
    exchange: Exchange,
    requests: ByteStream,
    responses: ByteStream,
    transport: Transport,
) -> None:
    request, response = exchange.request, exchange.response
    if request is not None and request.method == b"CONNECT":
        talk.saw(transport, "readable")
        return
    target: Row = {}
    host = None
    if request is not None:
        line = request.message.first_line
        target, host = request_columns(request.message, line.split(b" ")[1])
        talk.name(host)
        row = talk.common(_head(requests, request), requests.time(request.start), transport, host)
        row |= target | {"user_agent": request.message.header(b"user-agent")}
        _add_message(talk, row, request, requests, transport)
    if response is not None:
        row = talk.common(
            _head(responses, response), responses.time(response.start), transport, host
        )
        row |= target | {"status": response.status}
        _add_message(talk, row, response, responses, transport)


def request_columns(
    message: HttpMessage, target: bytes, authority: bytes = b""
) -> tuple[Row, str | None]:
    """Return method, path and query of a request, and the host that it names."""
    path, query = split_target(text(target))
    row: Row = {
        "method": text(message.first_line.partition(b" ")[0]).upper(),
        "path": path,
        "query": query,
    }
    absolute = ""
    if not target.startswith(b"/") and b"://" in target[:12]:
        absolute = text(target.partition(b"://")[2].partition(b"/")[0].partition(b"?")[0])
    return row, host_name(absolute or text(authority) or message.header(b"host"))


def _head(stream: ByteStream, found: Http1Message) -> Reference:
    return stream.at(found.start, found.head_end)


def _add_message(
    talk: Talk, row: Row, found: Http1Message, stream: ByteStream, transport: Transport
) -> None:
    side = found.message.side
    add_message(talk, row, found.message, stream, transport, _Places(found, stream).of)
    if not found.complete and not (stream.closed and found.until_close):
        size = len(found.message.body or b"")
        talk.cut(f"a {side} at {stream.part} {found.start} is cut after {size} bytes of body")


class _Places:
    """Where the parts of a message lie in its stream."""

    def __init__(self, found: Http1Message, stream: ByteStream) -> None:
        self._found = found
        self._stream = stream
        message = found.message
        self._heads = _canonical(len(message.first_line) + 2, message.headers)
        self._trailers = _canonical(0, message.trailers)

    def of(self, payload: Payload) -> Reference:
        """Return the reference of a payload that counts in the canonical form."""
        found, stream, ref = self._found, self._stream, payload.ref
        kind = (ref.part or "").partition(".")[2]
        start, size = ref.start or 0, len(payload.data)
        if kind == "body":
            if found.body_is_contiguous:
                return stream.at(found.head_end, found.head_end + size)
            part = f"{stream.part}/body.{stream.base + found.start}"
            return replace(stream.at(found.head_end, found.end), part=part, start=0, end=size)
        canonical, real = (
            (self._trailers, found.trailer_starts)
            if kind == "trailers"
            else (self._heads, found.value_starts)
        )
        if canonical and start >= canonical[0]:
            index = bisect_right(canonical, start) - 1
            at = real[index] + start - canonical[index]
        else:
            at = found.start + start
        return stream.at(at, at + size)


def _canonical(at: int, headers: tuple[tuple[bytes, bytes], ...]) -> list[int]:
    """Return where each value begins in the canonical form."""
    sizes = [len(name) + 2 + len(value) + 2 for name, value in headers]
    lines = list(accumulate(sizes, initial=at))
    return [line + len(name) + 2 for line, (name, _) in zip(lines[:-1], headers, strict=True)]


def add_message(
    talk: Talk,
    row: Row,
    message: HttpMessage,
    stream: ByteStream,
    transport: Transport,
    place: Callable[[Payload], Reference],
) -> int:
    """Add a message's row and payloads; ``place`` tells where each payload lies in the file."""
    row |= message.columns()
    talk.saw(transport, str(row["content"]))
    table = _TABLES[message.side]
    index = talk.extract.add(table, row)
    before = len(talk.extract.payloads)
    add_payloads(talk.extract, table, index, message, Reference(file=stream.file))
    for payload in talk.extract.payloads[before:]:
        payload.ref = place(payload)
        payload.direction = stream.direction
    return index
