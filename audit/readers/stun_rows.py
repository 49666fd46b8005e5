"""STUN messages as rows, their attributes for the search."""

from __future__ import annotations

from typing import Final

from audit.readers.bytestream import ByteStream
from audit.readers.stun import StunMessage, parse_stun
from audit.readers.talk import Talk
from audit.tables.extract import Payload
from audit.tables.reference import Reference
from audit.tables.vocabulary import Direction, Transport

_HEADER: Final = 20
MESSAGE_LIMIT: Final = 100_000
"""Messages of one stream that become rows; what is beyond goes to the search as it is."""


def add_stun(
    talk: Talk,
    message: StunMessage,
    attributes: bytes,
    direction: Direction,
    ts: int,
    refs: tuple[Reference, Reference],
    transport: Transport = "plaintext",
) -> None:
    """Add one message; ``refs`` point at the whole of it and at its attributes."""
    row = talk.common(refs[0], ts, transport)
    row.pop("transport")
    row |= {
        "method": message.method,
        "mapped_address": message.mapped_address,
        "direction": direction,
    }
    talk.saw(transport, "readable")
    talk.speaks("stun")
    index = talk.extract.add("stun_messages", row)
    if attributes:
        talk.extract.payloads.append(
            Payload(
                table="stun_messages",
                row=index,
                location="payload",
                detail="",
                direction=direction,
                data=attributes,
                ref=refs[1],
            )
        )


def add_stun_stream(
    talk: Talk, streams: tuple[ByteStream, ByteStream], transport: Transport
) -> None:
    """Add the messages of STUN over TCP, which follow one another (RFC 8489 §6.2.2)."""
    for stream in streams:
        at = 0
        for _ in range(MESSAGE_LIMIT):
            message = parse_stun(stream.data[at : at + 65_556])
            if message is None:
                break
            end = at + message.length
            refs = stream.at(at, end), stream.at(at + _HEADER, end)
            body = stream.data[at + _HEADER : end]
            add_stun(talk, message, body, stream.direction, stream.time(at), refs, transport)
            at = end
        if at < len(stream.data):
            talk.raw(stream.after(at), transport)
