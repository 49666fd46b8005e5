"""HTTP/2 (RFC 9113) as messages: frames and header blocks of one connection put together.

Header compression is undone by the hpack library; framing is read here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from audit.readers.bytestream import ByteStream
from audit.readers.http2_rows import H2Message, add_stream
from audit.readers.talk import Talk
from audit.tables.vocabulary import Transport

if TYPE_CHECKING:
    import hpack

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
STREAM_COUNT_LIMIT: Final = 100_000
"""Streams of one connection that are read."""
_DATA, _HEADERS, _RESET, _PUSH, _CONTINUATION = 0, 1, 3, 5, 9
_OF_MESSAGES: Final = frozenset({_RESET, _CONTINUATION, 8})
"""With WINDOW_UPDATE: frames that hold a number or a piece of a header block."""
_END_STREAM, _END_HEADERS, _PADDED, _PRIORITY = 1, 4, 8, 32
_HEADER_LIST_LIMIT: Final = 1 << 20
_TABLE_LIMIT: Final = 1 << 20
DECODED_LIMIT: Final = 64 << 20
"""Bytes that the header blocks of one direction may decode to."""


@dataclass(frozen=True, slots=True)
class _Frame:
    kind: int
    flags: int
    stream: int
    start: int
    """Offset of the payload in the byte stream."""
    end: int


@dataclass(slots=True, kw_only=True)
class _Reader:
    """Reads one direction."""

    wire: ByteStream
    side: Literal["request", "response"]
    decoder: hpack.Decoder
    found: dict[int, H2Message] = field(default_factory=dict)
    problem: str | None = None
    end: int = 0
    decoded: int = 0
    """Bytes of header fields so far."""
    others: list[tuple[int, int]] = field(default_factory=list)
    """Where padding and payloads of frames lie that belong to no message."""

    def read(self, at: int) -> None:
        """Read all frames from ``at`` on."""
        block: list[tuple[int, int]] = []
        opening = None
        for frame in self._frames(at):
            data = self.wire.data
            self._note_others(frame, data)
            if opening is not None and frame.kind != _CONTINUATION:
                self.problem = "a header block is interrupted"
                return
            if frame.kind == _DATA:
                start, end = self._unpadded(frame, data, 0)
                self._message(frame).add_data(start, end)
            elif frame.kind in {_HEADERS, _PUSH}:
                extra = 4 if frame.kind == _PUSH else 5 if frame.flags & _PRIORITY else 0
                block, opening = [self._unpadded(frame, data, extra)], frame
            elif frame.kind == _CONTINUATION and opening is not None:
                block.append((frame.start, frame.end))
            elif frame.kind == _RESET:
                self._message(frame).ended = True
            if opening is not None and frame.flags & _END_HEADERS:
                if not self._take_headers(opening, block, data):
                    return
                opening = None
            if frame.kind in {_DATA, _HEADERS} and frame.flags & _END_STREAM:
                self._message(frame).ended = True

    def _note_others(self, frame: _Frame, data: bytes) -> None:
        span = frame.start, frame.end
        if frame.kind in {_DATA, _HEADERS, _PUSH}:
            span = self._unpadded(frame, data, 0)[1], frame.end
            if not data[slice(*span)].strip(b"\0"):
                return
        elif frame.kind in _OF_MESSAGES:
            return
        if span[0] < span[1]:
            self.others.append(span)

    def _frames(self, at: int) -> Iterator[_Frame]:
        data = self.wire.data
        while at + 9 <= len(data):
            length = int.from_bytes(data[at : at + 3], "big")
            number = int.from_bytes(data[at + 5 : at + 9], "big") & 0x7FFFFFFF
            end = at + 9 + length
            if end > len(data) or len(self.found) > STREAM_COUNT_LIMIT:
                break
            yield _Frame(data[at + 3], data[at + 4], number, at + 9, end)
            self.end = at = end
        if at < len(data):
            self.problem = self.problem or "it ends inside a frame"

    def _message(self, frame: _Frame) -> H2Message:
        return self.found.setdefault(frame.stream, H2Message(side=self.side, stream=frame.stream))

    @staticmethod
    def _unpadded(frame: _Frame, data: bytes, skip: int) -> tuple[int, int]:
        start, end = frame.start, frame.end
        if frame.flags & _PADDED and start < end:
            end = max(end - data[start], start + 1)
            start += 1
        return min(start + skip, end), end

    def _take_headers(self, frame: _Frame, block: list[tuple[int, int]], data: bytes) -> bool:
        import hpack

        joined = b"".join(data[start:end] for start, end in block)
        try:
            headers = self.decoder.decode(joined, raw=True)
        except (hpack.HPACKError, ValueError, IndexError, OverflowError) as error:
            self.problem = f"a header block does not decode ({type(error).__name__})"
            return False
        self.decoded += sum(len(item[0]) + len(item[1]) for item in headers)
        if self.decoded > DECODED_LIMIT:
            self.problem = f"its header blocks decode to more than {DECODED_LIMIT} bytes"
            return False
        if frame.kind == _HEADERS:
            pairs = tuple((bytes(item[0]), bytes(item[1])) for item in headers)
            self._message(frame).add_headers(pairs, block[0][0], block[-1][1])
        return True


def add_http2(talk: Talk, client: ByteStream, server: ByteStream, transport: Transport) -> None:
    """Add the rows of a connection; what does not read as HTTP/2 goes to the search."""
    import hpack

    readers = []
    for stream, side, at in (
        (client, "request", len(PREFACE)),
        (server, "response", 0),
    ):
        decoder = hpack.Decoder(max_header_list_size=_HEADER_LIST_LIMIT)
        decoder.max_allowed_table_size = _TABLE_LIMIT
        reader = _Reader(wire=stream, side=side, decoder=decoder)  # type: ignore[arg-type]
        reader.read(at)
        readers.append(reader)
        for start, end in reader.others:
            talk.raw_payload(stream.direction, stream.data[start:end], stream.at(start, end))
        if reader.problem:
            talk.cut(f"{stream.part} is HTTP/2 up to byte {reader.end}: {reader.problem}")
            talk.raw(stream.after(reader.end), transport)
    requests, responses = readers
    for number in sorted(requests.found.keys() | responses.found.keys()):
        if number or requests.found.get(0):
            pair = requests.found.get(number), responses.found.get(number)
            add_stream(talk, client, server, pair, transport)
