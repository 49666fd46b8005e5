"""The messages of one HTTP/2 stream as rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from audit.readers.bytestream import ByteStream
from audit.readers.http_message import HttpMessage
from audit.readers.http_rows import add_message, request_columns
from audit.readers.talk import Talk
from audit.tables.extract import Payload
from audit.tables.frames import Row
from audit.tables.reference import Reference
from audit.tables.vocabulary import Transport

Pairs = tuple[tuple[bytes, bytes], ...]


@dataclass(slots=True, kw_only=True)
class H2Message:
    """One side of an HTTP/2 stream; offsets count in the connection's byte stream."""

    side: Literal["request", "response"]
    stream: int
    headers: Pairs = ()
    trailers: Pairs = ()
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
        if dict(pairs).get(b":status", b"").startswith(b"1"):
            return
        if self.headers:
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
            if found is not None and found.data:
                data = found.message(stream).body or b""
                ref = _place(found, stream, "body", 0, len(data))
                talk.raw_payload(stream.direction, data, ref)
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
        _add_authority(talk, index, request, client)
    if response is not None and response.headers:
        status = response.pseudo(b":status")
        row = target | {"status": int(status) if status.isdigit() and len(status) < 6 else None}
        _add(talk, row, host, response, server, transport)


def _add(
    talk: Talk,
    columns: Row,
    host: str | None,
    found: H2Message,
    stream: ByteStream,
    transport: Transport,
) -> int:
    row = talk.common(stream.at(*found.head), stream.time(found.head[0]), transport, host)

    def place(payload: Payload) -> Reference:
        kind = (payload.ref.part or "").partition(".")[2]
        start = payload.ref.start or 0
        return _place(found, stream, kind, start, start + len(payload.data))

    index = add_message(talk, row | columns, found.message(stream), stream, transport, place)
    if not found.ended:
        size = sum(end - start for start, end in found.data)
        talk.cut(
            f"a {found.side} on HTTP/2 stream {found.stream} is cut after {size} bytes of body"
        )
    return index


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


def _add_authority(talk: Talk, index: int, request: H2Message, stream: ByteStream) -> None:
    value = request.pseudo(b":authority")
    if value:
        ref = replace(_place(request, stream, "head", 0, 0), start=None, end=None)
        talk.extract.payloads.append(
            Payload(
                table="http_requests",
                row=index,
                location="header",
                detail=":authority",
                direction=stream.direction,
                data=value,
                ref=ref,
            )
        )
