"""The parts of a flow: messages, questions and answers, read from its state."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

from audit.readers.endpoint import moment
from audit.readers.flow_state import (
    Flow,
    FlowError,
    State,
    entries,
    header_pairs,
    number,
    octets,
    optional_octets,
    section,
)
from audit.readers.header_lines import text
from audit.readers.http_message import HttpMessage
from audit.tables.vocabulary import Direction

_NO_CODE: Final = 1005
"""No code was in the close frame (RFC 6455 §7.4.1)."""
_ABNORMAL: Final = 1006
"""There was no close frame (RFC 6455 §7.4.1)."""


@dataclass(slots=True, kw_only=True)
class Message:
    """One message of a WebSocket, TCP or UDP flow."""

    number: int
    """1-based place in the flow."""
    direction: Direction
    data: bytes
    ts: str | None
    opcode: int = 0


def request_of(state: State) -> HttpMessage:
    """Return the request of an HTTP flow."""
    method, target = octets(state.get("method")), octets(state.get("path"))
    version = octets(state.get("http_version"))
    return HttpMessage(
        side="request",
        first_line=b" ".join([method, target, version]),
        headers=header_pairs(state.get("headers")),
        body=optional_octets(state.get("content")),
        trailers=header_pairs(state.get("trailers")),
    )


def response_of(state: State) -> HttpMessage:
    """Return the answer of an HTTP flow."""
    code = b"%d" % number(state.get("status_code"))
    return HttpMessage(
        side="response",
        first_line=b" ".join(
            [octets(state.get("http_version")), code, octets(state.get("reason") or b"")]
        ),
        headers=header_pairs(state.get("headers")),
        body=optional_octets(state.get("content")),
        trailers=header_pairs(state.get("trailers")),
    )


def websocket_messages(flow: Flow) -> list[Message]:
    """Return the WebSocket messages of a flow that client and server sent; none without one."""
    if flow.state.get("websocket") is None:
        return []
    socket = section(flow.state, "websocket")
    found = []
    for index, entry in enumerate(entries(socket, "messages"), start=1):
        if not isinstance(entry, list | tuple) or len(entry) < 4:
            raise FlowError("a WebSocket message is no tuple")
        if len(entry) > 5 and entry[5] is True:
            continue  # put in by the proxy's user, sent by nobody
        found.append(
            Message(
                number=index,
                direction="sent" if entry[1] is True else "received",
                data=octets(entry[2]),
                ts=moment(entry[3]),
                opcode=number(entry[0]),
            )
        )
    closing = _close_message(socket, len(entries(socket, "messages")) + 1)
    return found + ([closing] if closing else [])


def _close_message(socket: State, place: int) -> Message | None:
    """Return the close frame as it was sent: code and reason (RFC 6455 §5.5.1)."""
    code, by_client = socket.get("close_code"), socket.get("closed_by_client")
    if not isinstance(by_client, bool) or not isinstance(code, int) or not 0 < code < 1 << 16:
        return None
    if code == _ABNORMAL:
        return None
    reason = octets(socket.get("close_reason") or "")
    return Message(
        number=place,
        direction="sent" if by_client else "received",
        data=b"" if code == _NO_CODE else code.to_bytes(2, "big") + reason,
        ts=moment(socket.get("timestamp_end")),
        opcode=8,
    )


def stream_messages(found: list[object]) -> list[Message]:
    """Return the chunks of a TCP flow or the datagrams of a UDP flow."""
    messages = []
    for index, entry in enumerate(found, start=1):
        if not isinstance(entry, list | tuple) or len(entry) < 3:
            raise FlowError("a message is no tuple")
        messages.append(
            Message(
                number=index,
                direction="sent" if entry[0] is True else "received",
                data=octets(entry[1]),
                ts=moment(entry[2]),
            )
        )
    return messages


def states(state: State, key: str) -> list[State]:
    """Return a list of nested states."""
    found = entries(state, key)
    states = [entry for entry in found if isinstance(entry, dict)]
    if len(states) != len(found):
        raise FlowError(f"{key} holds something else")
    return states


def answers_of(flow: Flow) -> tuple[str, ...]:
    """Return the addresses and names that a DNS flow was answered with."""
    if flow.state.get("response") is None:
        return ()
    found = []
    for entry in states(section(flow.state, "response"), "answers"):
        kind, data = number(entry.get("type")), octets(entry.get("data"))
        value = _answer_text(kind, data)
        if value:
            found.append(value)
    return tuple(found)


def _answer_text(kind: int, data: bytes) -> str | None:
    if (kind, len(data)) in {(1, 4), (28, 16)}:
        return str(ipaddress.ip_address(data))
    if kind in {2, 5, 12, 39}:
        return _name(data)
    if kind == 16:
        return text(data[1:])
    return None


def _name(data: bytes) -> str | None:
    labels, position = [], 0
    while position < len(data) and data[position]:
        length = data[position]
        labels.append(text(data[position + 1 : position + 1 + length]).lower())
        position += 1 + length
        if length > 63:
            return None
    return ".".join(labels) or None
