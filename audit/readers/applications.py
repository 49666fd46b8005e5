"""What a pair of streams speaks, told by its bytes and by no port, and its rows."""

from __future__ import annotations

import re
from typing import Final

from audit.readers.bytestream import ByteStream
from audit.readers.dns_rows import add_dns_stream
from audit.readers.dnsmessage import is_dns
from audit.readers.http1 import is_request, is_response
from audit.readers.http2 import PREFACE, add_http2
from audit.readers.http_rows import add_http1
from audit.readers.keylog import KeyLog
from audit.readers.stun import parse_stun
from audit.readers.stun_rows import add_stun_stream
from audit.readers.talk import Talk
from audit.readers.tls_rows import add_tls
from audit.readers.tlshello import begins_like_tls, is_sealed, messages_of, parse_client_hello
from audit.readers.websocket import add_websocket
from audit.tables.vocabulary import Transport

_DEPTH: Final = 4
"""How many protocols may carry one another (TLS in a tunnel in TLS ...)."""
_HELLO: Final = re.compile(rb"\x16\x03[\x00-\x04][\x00-\x48].\x01\x00..\x03[\x00-\x03]", re.DOTALL)
_START_TLS_LIMIT: Final = 1 << 16
"""Bytes of clear text in which a switch to TLS is looked for."""


def is_from_client(data: bytes) -> bool:
    """Whether the bytes can only come from the side that opened the conversation."""
    return is_request(data) or begins_like_tls(data, 1) or data.startswith(PREFACE)


def is_from_server(data: bytes) -> bool:
    """Whether the bytes can only come from the side that was called."""
    return is_response(data) or begins_like_tls(data, 2)


def open_streams(
    talk: Talk,
    client: ByteStream,
    server: ByteStream,
    transport: Transport,
    keys: KeyLog,
    depth: int = 0,
) -> None:
    """Add the rows of whatever a pair of streams carries; unknown bytes go to the search."""
    one, two = client.data, server.data
    if not one and not two:
        return
    if depth > _DEPTH:
        talk.cut(f"{client.part} carries protocols in one another more than {_DEPTH} deep")
        _add_unknown(talk, client, server, transport)
    elif begins_like_tls(one, 1) or (not one and begins_like_tls(two, 2)):
        inner = add_tls(talk, client, server, keys)
        if inner is not None:
            open_streams(talk, *inner, "tls-keys", keys, depth + 1)
    elif one.startswith(PREFACE):
        talk.speaks("http")
        add_http2(talk, client, server, transport)
    elif is_request(one) or is_response(two):
        _open_http1(talk, client, server, transport, keys, depth)
    elif _is_dns_stream(one):
        add_dns_stream(talk, (client, server), transport)
    elif parse_stun(one) or parse_stun(two):
        add_stun_stream(talk, (client, server), transport)
    elif is_sealed(one) or is_sealed(two):
        talk.speaks("tls")
        talk.saw("metadata-only", "opaque")
    elif start := _start_tls(one):
        begun = _HELLO_ANSWER.search(two)
        at = begun.start() if begun else len(two)
        for stream, end in ((client, start), (server, at)):
            _add_unknown(talk, stream.until(end), None, transport)
        open_streams(talk, client.after(start), server.after(at), transport, keys, depth + 1)
    else:
        _add_unknown(talk, client, server, transport)


_HELLO_ANSWER: Final = re.compile(
    rb"\x16\x03[\x00-\x04][\x00-\x48].\x02\x00..\x03[\x00-\x03]", re.DOTALL
)


def _add_unknown(talk: Talk, one: ByteStream, two: ByteStream | None, transport: Transport) -> None:
    talk.raw(one, transport)
    if two is not None:
        talk.raw(two, transport)


def _open_http1(
    talk: Talk,
    client: ByteStream,
    server: ByteStream,
    transport: Transport,
    keys: KeyLog,
    depth: int,
) -> None:
    dialogue = add_http1(talk, client, server, transport)
    if dialogue.exchanges:
        talk.speaks("http")
    if dialogue.handover is None:
        return
    rest = client.after(dialogue.request_end), server.after(dialogue.response_end)
    if dialogue.handover == "websocket":
        add_websocket(talk, *rest, transport, dialogue.exchanges[-1])
    else:
        open_streams(talk, *rest, transport, keys, depth + 1)


def _is_dns_stream(data: bytes) -> bool:
    length = int.from_bytes(data[:2], "big")
    return 17 <= length <= len(data) - 2 and is_dns(data[2 : 2 + length])


def _start_tls(data: bytes) -> int:
    """Return where a ClientHello begins behind clear text (STARTTLS); 0: nowhere."""
    for found in _HELLO.finditer(data, 1, _START_TLS_LIMIT):
        body = data[found.start() + 5 : found.start() + 5 + (1 << 14)]
        for kind, hello in messages_of(body):
            if kind == 1 and parse_client_hello(hello):
                return found.start()
            break
    return 0
