"""Requests and answers of one connection paired: keep-alive, pipelining, upgrades, tunnels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from audit.readers.http1 import (
    FramingError,
    Http1Message,
    NotHttp1Error,
    TooLargeError,
    read_message,
)

EXCHANGE_LIMIT: Final = 100_000
"""Exchanges of one connection that become rows."""
LINE_LIMIT: Final = 1_000_000
"""Header lines of one connection that become rows' parts."""
Handover = Literal["websocket", "tunnel", "upgrade"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request and its final answer; either may be missing in the capture."""

    request: Http1Message | None
    response: Http1Message | None


@dataclass(slots=True, kw_only=True)
class Dialogue:
    """What a connection that speaks HTTP/1 holds."""

    exchanges: list[Exchange] = field(default_factory=list)
    handover: Handover | None = None
    """What the connection became, from ``request_end`` and ``response_end`` on."""
    request_end: int = 0
    """Bytes of the request stream that were read as HTTP/1."""
    response_end: int = 0
    """Bytes of the answer stream that were read as HTTP/1."""
    request_problem: str | None = None
    """Why the rest of the request stream is no HTTP/1; ``None``: nothing is left, or a handover."""
    response_problem: str | None = None
    is_bounded: bool = False
    """Whether there were more exchanges than are read."""
    interim: list[Http1Message] = field(default_factory=list)
    """Interim answers (1xx but 101), which belong to no row."""
    too_large: str | None = None
    """What was beyond the bounds of a message, or why its end cannot be told; ``None``: nothing."""


def read_dialogue(
    requests: bytes,
    responses: bytes,
    *,
    requests_closed: bool,
    responses_closed: bool,
    is_early: Callable[[int, int], bool] = lambda _answer, _request: False,
) -> Dialogue:
    """Read all exchanges; what is no HTTP/1 ends the reading of its direction.

    ``is_early`` tells whether the answer at one offset came before the request at another: then
    it belongs to a request that the capture lacks.
    """
    dialogue = Dialogue()
    lines = interim = 0
    while dialogue.handover is None:
        if len(dialogue.exchanges) >= EXCHANGE_LIMIT or lines > LINE_LIMIT:
            dialogue.is_bounded = True
            dialogue.request_problem = dialogue.response_problem = "the bound of one connection"
            break
        request = _next_request(dialogue, requests, closed=requests_closed)
        response = _next_response(dialogue, responses, request, closed=responses_closed)
        while request and response and is_early(response.start, request.start):
            dialogue.exchanges.append(Exchange(request=None, response=response))
            response = _next_response(dialogue, responses, request, closed=responses_closed)
        if request is None and response is None:
            break
        dialogue.exchanges.append(Exchange(request=request, response=response))
        lines += sum(len(item.message.headers) for item in (request, response) if item)
        lines += sum(len(item.message.headers) for item in dialogue.interim[interim:])
        interim = len(dialogue.interim)
        dialogue.handover = _handover(request, response)
    return dialogue


def _next_request(dialogue: Dialogue, data: bytes, *, closed: bool) -> Http1Message | None:
    if dialogue.request_problem is not None:
        return None
    try:
        request = read_message(data, dialogue.request_end, "request", closed=closed)
    except NotHttp1Error as error:
        _note(dialogue, error)
        dialogue.request_problem = str(error)
        return None
    dialogue.request_end = request.end if request else len(data)
    return request


def _note(dialogue: Dialogue, error: NotHttp1Error) -> None:
    if isinstance(error, (TooLargeError, FramingError)):
        dialogue.too_large = dialogue.too_large or str(error)


def _next_response(
    dialogue: Dialogue, data: bytes, request: Http1Message | None, *, closed: bool
) -> Http1Message | None:
    """Read the final answer to a request; interim answers (1xx but 101) are set aside."""
    while dialogue.response_problem is None:
        try:
            response = read_message(
                data,
                dialogue.response_end,
                "response",
                method=request.method if request else b"",
                closed=closed,
            )
        except NotHttp1Error as error:
            _note(dialogue, error)
            dialogue.response_problem = str(error)
            return None
        dialogue.response_end = response.end if response else len(data)
        if response is None or response.status == 101 or response.status >= 200:
            return response
        if len(dialogue.interim) >= EXCHANGE_LIMIT:
            dialogue.is_bounded = True
            dialogue.response_problem = "the bound of one connection"
        dialogue.interim.append(response)
    return None


def _handover(request: Http1Message | None, response: Http1Message | None) -> Handover | None:
    if response is None:
        return None
    if response.status == 101:
        protocol = (response.message.header(b"upgrade") or "").lower()
        return "websocket" if protocol.strip() == "websocket" else "upgrade"
    if request and request.method == b"CONNECT" and 200 <= response.status < 300:
        return "tunnel"
    return None
