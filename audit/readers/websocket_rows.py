"""WebSocket messages as rows and as bytes to search, whatever recorded them."""

from __future__ import annotations

from typing import Final

from audit.readers.bodies import judge_body
from audit.tables.extract import Extract, Payload
from audit.tables.frames import Row
from audit.tables.reference import Reference
from audit.tables.vocabulary import Content, Direction

OPCODES: Final = {1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong"}
"""RFC 6455 §5.2."""


def add_websocket_message(
    extract: Extract,
    common: Row,
    *,
    direction: Direction,
    opcode: int,
    data: bytes,
    ref: Reference,
) -> Content:
    """Add a row of ``websocket_messages`` and its payload; return what the content is.

    ``common``: the columns that the recording tells, ``ref`` and ``ts`` among them; ``ref``: where
    ``data`` stands.
    """
    judged = judge_body(data)
    row = common | {
        "direction": direction,
        "opcode": OPCODES.get(opcode, str(opcode)),
        "json": judged.json,
        "body_len": len(data),
        "content": judged.content,
    }
    index = extract.add("websocket_messages", row)
    if data:
        extract.payloads.append(
            Payload(
                table="websocket_messages",
                row=index,
                location="websocket",
                detail="",
                direction=direction,
                data=data,
                ref=ref,
            )
        )
    return judged.content
