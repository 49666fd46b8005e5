"""HTTP/1 exchanges of a stream as rows, with every part of a message for the search."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Final

from audit.readers.bytestream import ByteStream
from audit.readers.header_lines import Headers, text
from audit.readers.http1 import Http1Message, Span
from audit.readers.http1_dialogue import Dialogue, Exchange, read_dialogue
from audit.readers.http_message import HttpMessage, add_payloads, host_name, split_target
from audit.readers.talk import Talk
from audit.tables.extract import Payload
from audit.tables.frames import Row
from audit.tables.reference import Reference
from audit.tables.vocabulary import Transport

Owner = tuple[str, int]
"""Table and index of the row that payloads belong to."""
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
    for found in dialogue.interim:
        _add_parts(talk, ("conversations", talk.index), found, responses)
    if dialogue.is_bounded:
        talk.cut("more HTTP exchanges than are read of one connection")
    if dialogue.too_large is not None:
        talk.cut(f"an HTTP message is not read, for {dialogue.too_large}")
    if dialogue.handover is None:
        for stream, end, problem in (
            (requests, dialogue.request_end, dialogue.request_problem),
            (responses, dialogue.response_end, dialogue.response_problem),
        ):
            if problem is not None:
                talk.raw(stream.after(end), transport)
                if end and dialogue.too_large is None and not dialogue.is_bounded:
                    talk.cut(f"{stream.part} is no HTTP from byte {stream.base + end} on")
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
        for found, stream in ((request, requests), (response, responses)):
            if found is not None:
                _add_parts(talk, ("conversations", talk.index), found, stream)
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
    row |= found.message.columns()
    talk.saw(transport, str(row["content"]))
    _add_parts(talk, (_TABLES[side], talk.extract.add(_TABLES[side], row)), found, stream)
    if not found.complete and not (stream.closed and found.until_close):
        size = len(found.message.body or b"")
        what = f"a {side} at {stream.part} {found.start} is cut after {size} bytes of body"
        talk.extract.unread.append((stream.direction, f"{talk.file}: {talk.text}: {what}"))


def _add_parts(talk: Talk, owner: Owner, found: Http1Message, stream: ByteStream) -> None:
    """Hand a message to the search, chunk extensions included."""
    add_parts(talk, owner, found.message, stream, _Places(found, stream).of)
    framing = b"".join(stream.data[start:end] for start, end in found.framing)
    if framing:
        part = f"{stream.part}/framing.{stream.base + found.start}"
        ref = stream.at(found.framing[0][0], found.framing[-1][1])
        talk.extract.payloads.append(
            Payload(
                table=owner[0],
                row=owner[1],
                location="payload",
                detail="chunk extension",
                direction=stream.direction,
                data=framing,
                ref=ref.at(0, len(framing), part=part),
            )
        )


class _Places:
    """Where the parts of a message lie in its stream."""

    def __init__(self, found: Http1Message, stream: ByteStream) -> None:
        self._found = found
        self._stream = stream
        message = found.message
        first = len(message.first_line) + 2
        self._heads = _anchors(first, message.headers, found.starts, found.start)
        self._trailers = _anchors(0, message.trailers, found.trailer_starts, None)

    def of(self, payload: Payload) -> Reference:
        """Return the reference of a payload that counts in the canonical form."""
        found, stream, ref = self._found, self._stream, payload.ref
        kind = (ref.part or "").partition(".")[2]
        start, size = ref.start or 0, len(payload.data)
        if kind == "body":
            if found.body_is_contiguous:
                return stream.at(found.head_end, found.head_end + size)
            part = f"{stream.part}/body.{stream.base + found.start}"
            return stream.at(found.head_end, found.end).at(0, size, part=part)
        kind, unfolded, line = kind.partition("/unfolded.")
        canonical, real = self._trailers if kind == "trailers" else self._heads
        index = bisect_right(canonical, int(line) if unfolded else start) - 1
        if unfolded:
            at = real[index]
            part = f"{stream.part}/unfolded.{stream.base + at}"
            return stream.at(at, at + size).at(0, size, part=part)
        at = real[index] + start - canonical[index]
        return stream.at(at, at + size)


def _anchors(
    at: int, headers: Headers, starts: tuple[Span, ...], first_line: int | None
) -> tuple[list[int], list[int]]:
    """Return where first line, names and values begin: in the canonical form, in the stream."""
    canonical, real = ([], []) if first_line is None else ([0], [first_line])
    for (name, value), span in zip(headers, starts, strict=True):
        canonical += [at, at + len(name) + 2]
        real += span
        at += len(name) + 2 + len(value) + 2
    return canonical, real


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
    add_parts(talk, (table, index), message, stream, place)
    return index


def add_parts(
    talk: Talk,
    owner: Owner,
    message: HttpMessage,
    stream: ByteStream,
    place: Callable[[Payload], Reference],
) -> None:
    """Hand a message that belongs to a row of some table to the search."""
    before = len(talk.extract.payloads)
    add_payloads(talk.extract, *owner, message, Reference(file=stream.file))
    for payload in talk.extract.payloads[before:]:
        payload.ref = place(payload)
        payload.direction = stream.direction
