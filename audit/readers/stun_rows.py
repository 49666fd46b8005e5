"""STUN messages as rows, their attributes for the search."""

from __future__ import annotations

from typing import Final

from audit.readers.bytestream import ByteStream
from audit.readers.stun import StunMessage, parse_stun
from audit.readers.talk import Talk
from audit.tables.extract import Payload
from audit.tables.reference import Reference
from audit.tables.vocabulary import Direction, Transport

MESSAGE_LIMIT: Final = 100_000
"""Messages of one stream that become rows; what is beyond goes to the search as it is."""


def add_stun(
    talk: Talk,
    message: StunMessage,
    data: bytes,
    direction: Direction,
    ts: int,
    ref: Reference,
    transport: Transport = "plaintext",
) -> None:
    """Add one message, which is searched whole; ``ref`` points at it."""
    row = talk.common(ref, ts, transport)
    row.pop("transport")
    row |= {
        "method": message.method,
        "mapped_address": message.mapped_address,
        "direction": direction,
    }
    talk.saw(transport, "readable")
    talk.speaks("stun")
    index = talk.extract.add("stun_messages", row)
    talk.extract.payloads.append(
        Payload(
            table="stun_messages",
            row=index,
            location="payload",
            detail="",
            direction=direction,
            data=data,
            ref=ref,
        )
    )
    for detail, address, at in message.others:
        part = f"{ref.part}/address.{(ref.start or 0) + at}"
        talk.extract.payloads.append(
            Payload(
                table="stun_messages",
                row=index,
                location="payload",
                detail=detail,
                direction=direction,
                data=address.encode(),
                ref=ref.at(0, len(address), part=part),
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
            ref, data = stream.at(at, end), stream.data[at:end]
            add_stun(talk, message, data, stream.direction, stream.time(at), ref, transport)
            at = end
        if at < len(stream.data):
            talk.raw(stream.after(at), transport)
