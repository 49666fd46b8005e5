"""WebSocket messages of an HTTP archive: ``_webSocketMessages`` of Chrome, and who took it over.

Chrome's DevTools write ``{type: send|receive|error, time: seconds, opcode, data}``, binary data as
base64; an error is the browser's word and no message. Playwright attaches them as lines of JSON in
a resource of its own.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from audit.readers.har_body import Resources, text_bytes
from audit.readers.har_entry import epoch
from audit.readers.har_gaps import Gaps
from audit.tables.vocabulary import Direction

_SENT: Final = ("send", "sent", "request", "outgoing")
_RECEIVED: Final = ("receive", "received", "response", "incoming")
_BINARY: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class HarMessage:
    """One WebSocket message of an entry."""

    direction: Direction
    opcode: int
    data: bytes
    ts: str | None


def read_messages(
    entry: dict[str, object], number: int, gaps: Gaps, resources: Resources, *, is_socket: bool
) -> Iterator[HarMessage]:
    """Yield the messages of an entry; a gap where it is a WebSocket's and has none recorded."""
    found = entry.get("_webSocketMessages")
    if not isinstance(found, list):
        found = _attached(entry, resources) if is_socket else None
    if found is None:
        if is_socket:
            gaps.missing(number, "messages of a WebSocket were not recorded")
        return
    for written in found:
        message = _message(written, number, gaps)
        if message is not None:
            yield message


def _attached(entry: dict[str, object], resources: Resources) -> list[object] | None:
    answered = entry.get("response")
    content = answered.get("content") if isinstance(answered, dict) else None
    name = content.get("_file") if isinstance(content, dict) else None
    data = resources(name) if isinstance(name, str) else None
    if data is None:
        return None
    lines: list[object] = []
    for line in data.split(b"\n"):
        if line.strip():
            try:
                lines.append(json.loads(line))
            except (ValueError, RecursionError):
                lines.append(None)
    return lines


def _message(written: object, number: int, gaps: Gaps) -> HarMessage | None:
    found = written if isinstance(written, dict) else {}
    kind = str(found.get("type")).lower()
    if kind == "error":
        return None
    data, opcode = found.get("data"), found.get("opcode", 1)
    if kind not in _SENT + _RECEIVED or not isinstance(data, str):
        gaps.missing(number, "a message of a WebSocket cannot be read")
        return None
    direction: Direction = "sent" if kind in _SENT else "received"
    is_packed = str(found.get("encoding")).lower() == "base64" or opcode == _BINARY
    return HarMessage(
        direction=direction,
        opcode=opcode if isinstance(opcode, int) else 1,
        data=_data(data, number, gaps, direction, is_packed=is_packed),
        ts=epoch(found.get("time")),
    )


def _data(text: str, number: int, gaps: Gaps, direction: Direction, *, is_packed: bool) -> bytes:
    if is_packed:
        try:
            return base64.b64decode(text)
        except (binascii.Error, ValueError):
            gaps.body(number, direction, "a binary message of a WebSocket is no base64")
    elif "\ufffd" in text:
        gaps.body(number, direction, "the writer lost bytes of a WebSocket message")
    return text_bytes(text)
