"""The messages of one HTTP/2 stream as rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from audit.readers.bytestream import ByteStream
from audit.readers.header_lines import text
from audit.readers.http_message import HttpMessage
from audit.readers.http_rows import Owner, add_message, add_parts, request_columns
from audit.readers.talk import Talk
from audit.tables.extract import Payload
from audit.tables.frames import Row
from audit.tables.reference import Reference
from audit.tables.vocabulary import Transport

_SAID: Final = frozenset({b":method", b":path", b":status"})
"""Pseudo-header fields that stand in the canonical first line."""
_SCHEMES: Final = frozenset({b"http", b"https"})
_KNOWN: Final = frozenset({b":authority", b":scheme", b":protocol"})
Pairs = tuple[tuple[bytes, bytes], ...]


@dataclass(slots=True, kw_only=True)
class H2Message:
    """One side of an HTTP/2 stream; offsets count in the connection's byte stream."""

    side: Literal["request", "response"]
    stream: int
    headers: Pairs = ()
    trailers: Pairs = ()
    """Trailers, and the headers of interim answers."""
    head: tuple[int, int] = (0, 0)
    """Where the header block lies."""
    data: list[tuple[int, int]] = field(default_factory=list)
    """Where the pieces of the body lie."""
    ended: bool = False

    def add_data(self, start: int, end: int) -> None:
        """Note a piece of the body."""
        if start < end:
            self.data.append((start, end))

    def add_headers(self, pairs: Pairs, start: int, end: int) -> None:
        """Note a header block: interim answer, head or trailers."""
        interim = dict(pairs).get(b":status", b"").startswith(b"1")
        if interim and self.side == "response":
            self.trailers += tuple(pair for pair in pairs if not pair[0].startswith(b":"))
            if not self.headers:
                self.head = (start, end)
        elif self.headers:
            self.trailers += pairs
        else:
            self.headers, self.head = pairs, (start, end)

    def pseudo(self, name: bytes) -> bytes:
        """Return a pseudo-header field, empty where it was not sent."""
        return dict(self.headers).get(name, b"")

    def message(self, stream: ByteStream) -> HttpMessage:
        """Return the message in its canonical form."""
        if self.side == "request":
            first = b" ".join([self.pseudo(b":method"), self.pseudo(b":path"), b"HTTP/2.0"])
        else:
            first = b"HTTP/2.0 " + self.pseudo(b":status")
        return HttpMessage(
            side=self.side,
            first_line=first,
            headers=tuple(pair for pair in self.headers if not pair[0].startswith(b":")),
            body=b"".join(stream.data[start:end] for start, end in self.data),
            trailers=self.trailers,
        )


def add_stream(
    talk: Talk,
    client: ByteStream,
    server: ByteStream,
    pair: tuple[H2Message | None, H2Message | None],
    transport: Transport,
) -> None:
    """Add the request and the answer of one stream; a CONNECT's data goes to the search."""
    request, response = pair
    if request is not None and request.pseudo(b":method") == b"CONNECT":
        for found, stream in ((request, client), (response, server)):
            if found is not None:
                owner = ("conversations", talk.index)
                add_parts(talk, owner, found.message(stream), stream, _placing(found, stream))
                _add_pseudo(talk, owner, found, stream)
        talk.saw(transport, "mixed")
        return
    target: Row = {}
    host = None
    if request is not None and request.headers:
        message = request.message(client)
        target, host = request_columns(
            message, request.pseudo(b":path"), request.pseudo(b":authority")
        )
        talk.name(host)
        row = target | {"user_agent": message.header(b"user-agent")}
        index = _add(talk, row, host, request, client, transport)
        _add_pseudo(talk, ("http_requests", index), request, client)
    elif request is not None and request.data:
        data = request.message(client).body or b""
        talk.raw_payload(client.direction, data, _place(request, client, "body", 0, len(data)))
    if response is not None and response.headers:
        status = response.pseudo(b":status")
        row = target | {"status": int(status) if status.isdigit() and len(status) < 6 else None}
        _add(talk, row, host, response, server, transport)
    elif response is not None and response.trailers:
        owner = ("conversations", talk.index)
        add_parts(talk, owner, response.message(server), server, _placing(response, server))


def _add(
    talk: Talk,
    columns: Row,
    host: str | None,
    found: H2Message,
    stream: ByteStream,
    transport: Transport,
) -> int:
    row = talk.common(stream.at(*found.head), stream.time(found.head[0]), transport, host)

    place = _placing(found, stream)
    index = add_message(talk, row | columns, found.message(stream), stream, transport, place)
    if not found.ended:
        size = sum(end - start for start, end in found.data)
        what = f"a {found.side} on HTTP/2 stream {found.stream} is cut after {size} bytes of body"
        talk.extract.unread.append((stream.direction, f"{talk.file}: {talk.text}: {what}"))
    return index


def _placing(found: H2Message, stream: ByteStream) -> Callable[[Payload], Reference]:
    def place(payload: Payload) -> Reference:
        kind = (payload.ref.part or "").partition(".")[2]
        start = payload.ref.start or 0
        return _place(found, stream, kind, start, start + len(payload.data))

    return place


def _place(found: H2Message, stream: ByteStream, kind: str, start: int, end: int) -> Reference:
    """Return a reference that counts in the canonical form: the wire is compressed."""
    pieces = found.data if kind == "body" and found.data else [found.head]
    numbers = {number for piece in pieces for number in stream.numbers(*piece)}
    return Reference(
        file=stream.file,
        records=tuple(sorted(numbers)),
        part=f"{stream.part}/h2.{found.stream}.{found.side}.{kind}",
        start=start,
        end=end,
    )


def _add_pseudo(talk: Talk, owner: Owner, found: H2Message, stream: ByteStream) -> None:
    """Add the pseudo-header fields that the canonical form lacks, each a part of its own."""
    for name, value in found.headers:
        if not name.startswith(b":") or name in _SAID:
            continue
        if name == b":scheme" and value in _SCHEMES:
            continue
        data = value if name in _KNOWN else name + b": " + value
        word = text(name)
        kind = f"head/{word}"
        talk.extract.payloads.append(
            Payload(
                table=owner[0],
                row=owner[1],
                location="header",
                detail=word,
                direction=stream.direction,
                data=data,
                ref=_place(found, stream, kind, 0, len(data)),
            )
        )
