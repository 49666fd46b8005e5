"""WebSocket frames (RFC 6455) and permessage-deflate (RFC 7692) as messages and rows."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from audit.readers.bodies import MAX_DECODED
from audit.readers.bytestream import ByteStream
from audit.readers.http1_dialogue import Exchange
from audit.readers.talk import Talk
from audit.readers.websocket_rows import add_websocket_message
from audit.tables.extract import Payload
from audit.tables.vocabulary import Transport

MESSAGE_LIMIT: Final = 64 << 20
"""Bytes of one message, fragments joined."""
COUNT_LIMIT: Final = 100_000
"""Frames of one direction that become messages; what is beyond goes to the search as it is."""
INFLATED_LIMIT: Final = 256 << 20
"""Bytes that the messages of one direction may inflate to."""
_RESERVED: Final = "has reserved bits set"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame; offsets count in the stream."""

    fin: bool
    compressed: bool
    """RSV1: the message that begins here is deflated."""
    opcode: int
    start: int
    end: int
    data: bytes
    """Unmasked."""
    masked: bool
    is_reserved: bool = False
    """Whether RSV2 or RSV3 is set, whose meaning no known extension tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message, fragments joined, inflated."""

    opcode: int
    start: int
    end: int
    data: bytes
    readable: bool = True
    """Whether a deflated message could be inflated."""
    fault: str = ""
    """What in its frames no rule allows for: the bytes may mean something else."""


class NotWebSocketError(Exception):
    """The bytes at ``at`` are no frame, or none that is whole."""

    def __init__(self, at: int, *begun: Frame) -> None:
        super().__init__(f"no frame at {at}")
        self.at = at
        self.begun = begun
        """What there is of the frames of a message that does not end."""


def frames_of(data: bytes) -> Iterator[Frame]:
    """Yield whole frames; raises :class:`NotWebSocketError` at what is none or is cut."""
    at = 0
    while at < len(data):
        head = data[at : at + 14]
        size, used = (head[1] & 0x7F, 2) if len(head) >= 2 else (0, 15)
        if size > 125:
            used = 4 if size == 126 else 10
            size = int.from_bytes(head[2:used], "big")
        mask = head[used : used + 4] if len(head) > 1 and head[1] & 0x80 else b""
        used += len(mask)
        if len(head) < used:
            raise NotWebSocketError(at)
        body = data[at + used : at + used + size]
        frame = Frame(
            fin=bool(head[0] & 0x80),
            compressed=bool(head[0] & 0x40),
            opcode=head[0] & 0x0F,
            start=at,
            end=at + used + len(body),
            data=_unmasked(body, mask) if mask else body,
            masked=bool(mask),
            is_reserved=bool(head[0] & 0x30),
        )
        if len(body) < size:
            raise NotWebSocketError(at, frame)
        yield frame
        at += used + size


def _unmasked(data: bytes, mask: bytes) -> bytes:
    size = len(data)
    key = int.from_bytes((mask * (size // 4 + 1))[:size], "little")
    return (int.from_bytes(data, "little") ^ key).to_bytes(size, "little")


class Inflater:
    """Undoes permessage-deflate of one direction, with or without context takeover."""

    def __init__(self, *, keeps_context: bool) -> None:
        self._keeps_context = keeps_context
        self._decoder = zlib.decompressobj(-15)
        self._left = INFLATED_LIMIT

    def inflate(self, data: bytes) -> bytes | None:
        """Return a message inflated; ``None`` if damaged or beyond the bounds."""
        if self._left <= 0:
            return None
        try:
            text = self._decoder.decompress(data + b"\x00\x00\xff\xff", MAX_DECODED)
        except zlib.error:
            return None
        self._left -= len(text)
        whole = not self._decoder.unconsumed_tail
        if not self._keeps_context:
            self._decoder = zlib.decompressobj(-15)
        return text if whole else None

    def inflate_begun(self, data: bytes) -> bytes:
        """Return what can be had of a message that does not end; nothing may follow."""
        try:
            return self._decoder.decompress(data, min(MAX_DECODED, max(self._left, 1)))
        except zlib.error:
            return b""


def messages_of(data: bytes, inflater: Inflater | None) -> Iterator[Message]:
    """Yield messages; control frames may stand between fragments.

    Raises :class:`NotWebSocketError` where the stream stops being WebSocket, is cut, or holds more
    than ``COUNT_LIMIT`` frames.
    """
    parts: list[Frame] = []
    size = 0
    frames = enumerate(frames_of(data))
    while True:
        try:
            number, frame = next(frames, (0, None))
        except NotWebSocketError as error:
            at = parts[0].start if parts else error.at
            raise NotWebSocketError(at, *parts, *error.begun) from None
        if frame is None:
            break
        if number >= COUNT_LIMIT:
            raise NotWebSocketError(frame.start)
        if frame.opcode >= 8:
            yield _control(frame)
            continue
        if parts and frame.opcode:
            yield replace(_joined(parts, inflater), fault="has no end")
            parts, size = [], 0
        parts.append(frame)
        size += len(frame.data)
        if size > MESSAGE_LIMIT:
            raise NotWebSocketError(parts[0].start)
        if frame.fin:
            yield _joined(parts, inflater)
            parts, size = [], 0
    if parts:
        raise NotWebSocketError(parts[0].start, *parts)


def _control(frame: Frame) -> Message:
    fault = _RESERVED if frame.is_reserved or frame.compressed else ""
    return Message(
        opcode=frame.opcode, start=frame.start, end=frame.end, data=frame.data, fault=fault
    )


def _joined(parts: list[Frame], inflater: Inflater | None) -> Message:
    data = b"".join(frame.data for frame in parts)
    fault = "" if parts[0].opcode else "has no beginning"
    if any(frame.is_reserved for frame in parts) or any(frame.compressed for frame in parts[1:]):
        fault = _RESERVED
    made = Message(
        opcode=parts[0].opcode, start=parts[0].start, end=parts[-1].end, data=data, fault=fault
    )
    if parts[0].compressed:
        text = inflater.inflate(data) if inflater else None
        return replace(made, data=data if text is None else text, readable=text is not None)
    return made


def add_websocket(
    talk: Talk, client: ByteStream, server: ByteStream, transport: Transport, opened: Exchange
) -> None:
    """Add the messages of both directions after the upgrade that ``opened`` is."""
    response = opened.response
    agreed = response.message.header(b"sec-websocket-extensions") if response else None
    host = None
    for stream, side in ((client, "client"), (server, "server")):
        inflater = None
        if agreed and "permessage-deflate" in agreed:
            inflater = Inflater(keeps_context=f"{side}_no_context_takeover" not in agreed)
        number, is_faulty = 0, False
        try:
            for number, message in enumerate(messages_of(stream.data, inflater), start=1):
                if message.fault and not is_faulty:
                    is_faulty = True
                    _note_fault(talk, stream, message, transport)
                _add(talk, stream, number, message, transport, host)
        except NotWebSocketError as error:
            talk.raw(stream.after(error.at), transport)
            if error.begun:
                _add_unfinished(talk, stream, number + 1, error.begun, inflater)
            else:
                talk.cut(f"{stream.part} is no WebSocket, or cut, from byte {error.at} on")


def _note_fault(talk: Talk, stream: ByteStream, message: Message, transport: Transport) -> None:
    """Say that frames follow no rule, and hand all bytes from there on to the search as they are.

    What they hold is read as if they did: where it is coded otherwise, it is not understood.
    """
    talk.cut(f"a WebSocket message at {stream.part} {message.start} {message.fault}")
    talk.raw(stream.after(message.start), transport)


def _add_unfinished(
    talk: Talk,
    stream: ByteStream,
    number: int,
    frames: tuple[Frame, ...],
    inflater: Inflater | None,
) -> None:
    """Hand what there is of a message that does not end to the search; it is no row.

    Its bytes as they came are searched already: here they are unmasked, joined and inflated.
    """
    data = b"".join(frame.data for frame in frames)
    if frames[0].compressed and inflater is not None:
        data = inflater.inflate_begun(data)
    what = f"a WebSocket message at {stream.part} {frames[0].start} is cut after {len(data)} bytes"
    talk.extract.unread.append((stream.direction, f"{talk.file}: {talk.text}: {what}"))
    if data and (len(frames) > 1 or frames[0].masked or frames[0].compressed):
        whole = stream.at(frames[0].start, frames[-1].end)
        part = f"{stream.part}/websocket.{number}"
        talk.extract.payloads.append(
            Payload(
                table="conversations",
                row=talk.index,
                location="websocket",
                detail="unfinished",
                direction=stream.direction,
                data=data,
                ref=whole.at(0, len(data), part=part),
            )
        )


def _add(
    talk: Talk,
    stream: ByteStream,
    number: int,
    message: Message,
    transport: Transport,
    host: str | None,
) -> None:
    whole = stream.at(message.start, message.end)
    part = f"{stream.part}/websocket.{number}"
    content = add_websocket_message(
        talk.extract,
        talk.common(whole, stream.time(message.start), transport, host),
        direction=stream.direction,
        opcode=message.opcode,
        data=message.data,
        ref=whole.at(0, len(message.data), part=part),
    )
    talk.saw(transport, content)
    if not message.readable:
        talk.cut(f"a WebSocket message at {stream.part} {message.start} could not be inflated")
