"""Flows as today's mitmproxy writes them, read by their layout instead of value by value.

A dictionary of a flow has always the same keys in the same order. One regular expression steps
over a run of short values, each by its exact length; long ones (bodies, headers, certificates) are
stepped over by theirs. What is laid out otherwise is left to the general reader of
:mod:`audit.readers.tnetstring`: it gives the same state.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from audit.readers.flow_state import (
    Ends,
    Flow,
    FlowError,
    State,
    address_of,
    named_server,
)
from audit.readers.header_lines import HeaderLine, HeaderPairs, line_of
from audit.readers.tnetstring import MAX_PREFIX, TnetstringError, decode, decode_at
from audit.tables.reference import Reference

FLOW_VERSION: Final = 21
"""``FLOW_FORMAT_VERSION`` of mitmproxy 11 and 12 (mitmproxy/version.py)."""
_TAGS: Final = rb"[,;#^!~\]}]"
_NULL: Final = 0x7E
_FLOAT: Final = 0x5E
_LIST: Final = 0x5D
_DICTIONARY: Final = 0x7D
_LINE_END: Final = b",]"
"""What ends a header line: its value, and the pair. A line of a length that leads elsewhere holds
it inside, which the general reader sorts out."""
_MAX_LINES: Final = 8192
"""Header lines that are remembered: clients and servers repeat most of theirs."""
_MAX_LINE: Final = 512
"""Bytes of a line that is remembered."""
_MAX_ENDS: Final = 256
"""Pairs of connections that are remembered: many flows go over one."""

Place = tuple[int, int]
"""First byte of a value, and its type, which is one past its last byte."""


def _short_value() -> bytes:
    """Return an expression for a value of up to 99 bytes, every length written out."""
    branches = [f"{size}:.{{{size}}}" for size in range(10)]
    for ten in range(1, 10):
        ones = "|".join(f"{one}:.{{{10 * ten + one}}}" for one in range(10))
        branches[ten] = f"{ten}(?::.{{{ten}}}|{ones})"
    return f"(?:{'|'.join(branches)})".encode() + _TAGS


class Layout:
    """The keys of one dictionary, in order.

    ``!key`` has a value of any length, of which the place is told; ``+key`` one of up to 99 bytes
    that is kept, encoded; ``~key`` is null; any other has up to 99 bytes that are stepped over.
    """

    def __init__(self, keys: str) -> None:
        short = _short_value()
        self._steps: list[re.Pattern[bytes]] = []
        expression = b""
        for key in keys.split():
            name = key.lstrip("!+~")
            expression += f"{len(name)}:{name};".encode()
            if key.startswith("!"):
                self._steps.append(re.compile(expression + rb"([0-9]{1,12}):", re.DOTALL))
                expression = _TAGS
            elif key.startswith("+"):
                expression += b"(" + short + b")"
            else:
                expression += b"0:~" if key.startswith("~") else short
        self._last = re.compile(expression, re.DOTALL)

    def read(self, data: bytes, at: int, end: int) -> tuple[list[bytes], list[Place]]:
        """Return short values and the places of long ones, in order.

        Raises :class:`FlowError` for a dictionary that is laid out otherwise.
        """
        kept: list[bytes] = []
        places: list[Place] = []
        for step in self._steps:
            match = step.match(data, at, end)
            if match is None:
                raise FlowError("laid out otherwise")
            values = match.groups()
            kept += values[:-1]
            first = match.end()
            at = first + int(values[-1])
            places.append((first, at))
        match = self._last.match(data, at, end)
        if match is None or match.end() != end:
            raise FlowError("laid out otherwise")
        kept += match.groups()
        return kept, places


_COMMON: Final = (
    "backup timestamp_created comment metadata marked is_replay intercepted !server_conn"
    " !client_conn error id +type +version"
)
_HTTP: Final = Layout(f"~websocket !response !request {_COMMON}")
_WEBSOCKET: Final = Layout(f"!websocket !response !request {_COMMON}")
_LOOK_UP: Final = Layout(f"!response !request {_COMMON}")
_STREAM: Final = Layout(f"!messages {_COMMON}")
_REQUEST: Final = Layout(
    "!path +authority scheme +method +port +host timestamp_end +timestamp_start +trailers !content"
    " !headers +http_version"
)
_RESPONSE: Final = Layout(
    "+reason +status_code timestamp_end +timestamp_start +trailers !content !headers +http_version"
)
_SERVER: Final = Layout(
    "+via timestamp_tcp_setup +address timestamp_tls_setup timestamp_end timestamp_start sni"
    " tls_version !cipher_list cipher alpn_offers alpn !certificate_list tls error"
    " transport_protocol id +sockname +peername"
)
_CLIENT: Final = Layout(
    "proxy_mode !mitmcert +timestamp_tls_setup +timestamp_end +timestamp_start +sni tls_version"
    " !cipher_list cipher alpn_offers alpn !certificate_list tls error +transport_protocol +id"
    " +sockname +peername"
)
_remembered_lines: dict[bytes, HeaderLine] = {}
_remembered_ends: dict[tuple[bytes, bytes], Ends] = {}


def read_flow(record: bytes, number: int, file: str) -> Flow | None:
    """Return the flow that a record of a dump holds; ``None``: the general reader must see it."""
    start = record.find(b":") + 1
    layout = _layout_at(record, start)
    if layout is None or record[-1] != _DICTIONARY:
        return None
    try:
        (kind, version), places = layout.read(record, start, len(record) - 1)
        if version != b"2:21#":
            return None
        state = {"type": _value(kind)} | _STATES[layout](record, places)
        ends = _ends(record, places[-1], places[-2], state)
    except ValueError:
        return None  # the general reader says what is wrong
    return Flow(
        kind=state["type"],
        state=state,
        record=Reference(file=file, records=(number,)),
        ends=ends,
    )


def _layout_at(record: bytes, start: int) -> Layout | None:
    if record.startswith(b"9:websocket;", start):
        return _HTTP if record.startswith(b"0:~", start + 12) else _WEBSOCKET
    if record.startswith(b"8:response;", start):
        return _LOOK_UP
    return _STREAM if record.startswith(b"8:messages;", start) else None


_common_value: Final = lru_cache(maxsize=4096)(decode)
"""A short value that comes again; nobody changes it."""


def _value(encoded: bytes) -> object:
    """Return a short value; raises ``ValueError``."""
    if encoded[-1] == _FLOAT:
        return float(encoded[encoded.index(b":") + 1 : -1])  # a time: no two are alike
    return _common_value(encoded)


def _exchange(data: bytes, places: list[Place]) -> State:
    answer, request, *_ = places
    return {
        "request": _request(data, *request),
        "response": None if _is_null(data, *answer) else _response(data, *answer),
    }


def _websocket(data: bytes, places: list[Place]) -> State:
    return {"websocket": decode_at(data, *places[0])} | _exchange(data, places[1:])


def _look_up(data: bytes, places: list[Place]) -> State:
    return {"request": decode_at(data, *places[1]), "response": decode_at(data, *places[0])}


def _messages(data: bytes, places: list[Place]) -> State:
    return {"messages": decode_at(data, *places[0])}


_STATES: Final = {_HTTP: _exchange, _WEBSOCKET: _websocket, _LOOK_UP: _look_up, _STREAM: _messages}


def _is_null(data: bytes, first: int, last: int) -> bool:
    return first == last and data[last] == _NULL


def _read(data: bytes, layout: Layout, first: int, last: int) -> tuple[list[object], list[Place]]:
    if data[last] != _DICTIONARY:
        raise FlowError("no dictionary")
    kept, places = layout.read(data, first, last)
    return [*map(_value, kept)], places


def _request(data: bytes, first: int, last: int) -> State:
    kept, (path, content, headers) = _read(data, _REQUEST, first, last)
    authority, method, port, host, started, trailers, version = kept
    return {
        "path": decode_at(data, *path),
        "authority": authority,
        "method": method,
        "port": port,
        "host": host,
        "timestamp_start": started,
        "trailers": trailers,
        "content": decode_at(data, *content),
        "headers": _headers(data, *headers),
        "http_version": version,
    }


def _response(data: bytes, first: int, last: int) -> State:
    kept, (content, headers) = _read(data, _RESPONSE, first, last)
    reason, status, started, trailers, version = kept
    return {
        "reason": reason,
        "status_code": status,
        "timestamp_start": started,
        "trailers": trailers,
        "content": decode_at(data, *content),
        "headers": _headers(data, *headers),
        "http_version": version,
    }


def _headers(data: bytes, first: int, last: int) -> HeaderPairs:
    """Return headers; raises ``ValueError`` also where a value holds what ends a line."""
    if data[last] != _LIST:
        raise FlowError("headers are no list")
    *encoded, rest = data[first:last].split(_LINE_END)
    if rest:
        raise TnetstringError("a header leads beyond its surroundings")
    known = _remembered_lines.get
    found = [known(line) or _line(line) for line in encoded]
    pairs = HeaderPairs([line.header for line in found])
    pairs.lines = found
    return pairs


def _line(encoded: bytes) -> HeaderLine:
    """Return what one header line says, which is encoded but for the two bytes at its end."""
    first = encoded.find(b":") + 1
    start = encoded.find(b":", first) + 1
    stop = start + _size(encoded[first : start - 1])
    begin = encoded.find(b":", stop) + 1
    end = begin + _size(encoded[stop + 1 : begin - 1])
    is_whole = _size(encoded[: first - 1]) == len(encoded) - first + 1
    if not is_whole or end != len(encoded) or encoded[stop : stop + 1] != b",":
        raise TnetstringError("a header is no pair of bytes")
    line = line_of((encoded[start:stop], encoded[begin:end]))
    if len(encoded) <= _MAX_LINE:
        if len(_remembered_lines) >= _MAX_LINES:
            _remembered_lines.clear()
        _remembered_lines[encoded] = line
    return line


def _size(digits: bytes) -> int:
    if not digits.isdigit() or len(digits) > MAX_PREFIX:
        raise TnetstringError("no length of a header")
    return int(digits)


def _ends(data: bytes, client: Place, server: Place, state: State) -> Ends:
    key = (data[client[0] : client[1] + 1], data[server[0] : server[1] + 1])
    ends = _remembered_ends.get(key)
    if ends is not None:
        return ends
    via, address, onward, reached = _read(data, _SERVER, *server)[0]
    decrypted, ended, started, sni, proto, number, met, peer = _read(data, _CLIENT, *client)[0]
    is_told = address_of(address) is not None
    named = None if is_told else named_server(state)
    ends = Ends.of(
        {
            "timestamp_tls_setup": decrypted,
            "timestamp_end": ended,
            "timestamp_start": started,
            "sni": sni,
            "transport_protocol": proto,
            "id": number,
            "sockname": met,
            "peername": peer,
        },
        {"via": via, "address": address, "sockname": onward, "peername": reached},
        named,
    )
    if is_told:
        if len(_remembered_ends) >= _MAX_ENDS:
            _remembered_ends.clear()
        _remembered_ends[key] = ends
    return ends
