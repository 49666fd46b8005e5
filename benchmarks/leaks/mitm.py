"""Messages as a dump of mitmproxy (flow version 21), written as tnetstrings from the format."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .har import answer_headers, request_headers
from .message import CLIENT6, START_S, Message

VERSION = 21
"""Version of the flow format, since mitmproxy 11."""


def write_mitm(path: Path, messages: Iterable[Message]) -> None:
    """Write a dump."""
    with path.open("wb") as file:
        for message in messages:
            file.write(tnetstring(_flow(message)))


def tnetstring(item: Any) -> bytes:
    """Encode as mitmproxy's dialect: ``LEN:payload TYPE``, ``;`` marks text."""
    if item is None:
        return b"0:~"
    if isinstance(item, bool):
        data, kind = str(item).lower().encode(), b"!"
    elif isinstance(item, int):
        data, kind = str(item).encode(), b"#"
    elif isinstance(item, float):
        data, kind = repr(item).encode(), b"^"
    elif isinstance(item, bytes):
        data, kind = item, b","
    elif isinstance(item, str):
        data, kind = item.encode(), b";"
    elif isinstance(item, dict):
        pairs = (tnetstring(key) + tnetstring(value) for key, value in item.items())
        data, kind = b"".join(pairs), b"}"
    else:
        data, kind = b"".join(map(tnetstring, item)), b"]"
    return b"%d:%b%b" % (len(data), data, kind)


def _flow(message: Message) -> dict[str, Any]:
    at = START_S + message.number / 100
    is_http = message.protocol in ("http", "websocket")
    flow: dict[str, Any] = {
        "version": VERSION,
        "type": "http" if is_http else message.protocol,
        "id": f"00000000-0000-4000-8000-{message.number:012d}",
        "error": None, "intercepted": False, "is_replay": None, "marked": "", "metadata": {},
        "comment": "", "backup": None, "timestamp_created": at,
        "client_conn": _connection(message, at) | {
            "peername": (CLIENT6, 30000 + message.number % 30000, 0, 0),
            "sockname": (message.address, _port(message), 0, 0),
            "mitmcert": None, "proxy_mode": "wireguard",
        },
        "server_conn": _connection(message, at) | {
            "address": (message.address, _port(message)),
            "peername": (message.address, _port(message), 0, 0),
            "sockname": (CLIENT6, 40000, 0, 0), "timestamp_tcp_setup": at, "via": None,
        },
    }  # fmt: skip
    if is_http:
        flow |= _http(message, at)
    elif message.protocol == "dns":
        flow |= {"request": _question(message, at), "response": None}
    else:
        flow["messages"] = [(True, part, at + n / 1000) for n, part in enumerate(_parts(message))]
    return flow


def _port(message: Message) -> int:
    return {"dns": 53, "tcp": 5223, "udp": 5060}.get(message.protocol, 443)


def _connection(message: Message, at: float) -> dict[str, Any]:
    secure = message.protocol in ("http", "websocket")
    return {
        "id": f"00000000-0000-4000-9000-{message.number:012d}",
        "alpn": b"http/1.1" if secure else None, "alpn_offers": [b"http/1.1"] if secure else [],
        "certificate_list": [], "cipher": None, "cipher_list": [], "error": None,
        "sni": message.host if secure else None, "timestamp_start": at, "timestamp_end": at + 0.1,
        "timestamp_tls_setup": at if secure else None, "tls": secure,
        "tls_version": "TLSv1.3" if secure else None,
        "transport_protocol": "udp" if message.protocol in ("udp", "dns") else "tcp",
    }  # fmt: skip


def _http(message: Message, at: float) -> dict[str, Any]:
    switched = message.protocol == "websocket"
    headers = request_headers(message)
    if switched:
        headers += [("Connection", "Upgrade"), ("Upgrade", "websocket")]
    request = {
        "http_version": b"HTTP/1.1", "headers": _pairs(headers), "content": message.body,
        "trailers": _pairs(message.trailers) if message.trailers else None,
        "timestamp_start": at, "timestamp_end": at,
        "host": message.host, "port": 443, "method": message.method.encode(), "scheme": b"https",
        "authority": b"", "path": message.target.encode(),
    }  # fmt: skip
    response = {
        "http_version": b"HTTP/1.1", "headers": _pairs(answer_headers(message)),
        "content": b"" if switched else message.answer, "trailers": None,
        "timestamp_start": at, "timestamp_end": at, "status_code": 101 if switched else 200,
        "reason": b"Switching Protocols" if switched else b"OK",
    }  # fmt: skip
    websocket = None
    if switched:
        websocket = {
            "messages": [
                (1 if is_text else 2, True, data, at, False, False)
                for is_text, data in message.frames
            ],
            "closed_by_client": True, "close_code": 1000, "close_reason": "",
            "timestamp_end": at,
        }  # fmt: skip
    return {"request": request, "response": response, "websocket": websocket}


def _pairs(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers]


def _question(message: Message, at: float) -> dict[str, Any]:
    return {
        "id": message.number % 65536, "query": True, "op_code": 0, "authoritative_answer": False,
        "truncation": False, "recursion_desired": True, "recursion_available": False,
        "reserved": 0, "response_code": 0, "timestamp": at, "answers": [], "authorities": [],
        "additionals": [], "questions": [{"name": message.host, "type": 28, "class_": 1}],
    }  # fmt: skip


def _parts(message: Message) -> list[bytes]:
    """Return what a stream or datagrams carry, in one part or in several."""
    data = message.data
    if message.parts != "segments" or len(data) < 2:
        return [data]
    size = max(1, len(data) // 3)
    return [data[at : at + size] for at in range(0, len(data), size)]
