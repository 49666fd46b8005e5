"""Messages as an HTTP archive (HAR 1.2), one entry a line.

Bodies that are no UTF-8 text are base64 with ``encoding`` beside them: so has the standard for
answers, and PCAPdroid for requests. WebSocket messages stand in ``_webSocketMessages``, as Chrome
has them. Content codings are undone, as browsers do.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from .message import START_S, Message

AGENT = "Mozilla/5.0 (X11; Linux x86_64) Chrome/145.0.0.0"


def write_har(path: Path, messages: Iterable[Message]) -> None:
    """Write an archive."""
    head = '{"log": {"version": "1.2", "creator": {"name": "leak suite", "version": "1"},'
    with path.open("w", encoding="utf-8") as file:
        file.write(head + ' "pages": [], "entries": [\n')
        for number, message in enumerate(messages):
            line = json.dumps(_entry(message), separators=(",", ":"))
            file.write((",\n" if number else "") + line)
        file.write("\n]}}\n")


def request_headers(message: Message) -> list[tuple[str, str]]:
    """Return the headers of the request, those that every message has first."""
    found = [("Host", message.host), ("User-Agent", AGENT), ("Accept", "*/*"), *message.headers]
    if message.media:
        found.append(("Content-Type", message.media))
    if message.coding:
        found.append(("Content-Encoding", ", ".join(message.coding)))
    return found


def answer_headers(message: Message) -> list[tuple[str, str]]:
    """Return the headers of the answer."""
    return [("Content-Type", message.answer_media), *message.answer_headers]


def _entry(message: Message) -> dict[str, Any]:
    started = datetime.fromtimestamp(START_S + message.number / 100, UTC).isoformat()
    scheme = "wss" if message.protocol == "websocket" else "https"
    headers = [pair for pair in request_headers(message) if pair[0] != "Content-Encoding"]
    request = {
        "method": message.method,
        "url": f"{scheme}://{message.host}{message.target}",
        "httpVersion": "HTTP/1.1",
        "cookies": _cookies(message.headers),
        "headers": _named(headers),
        "queryString": _named(parse_qsl(message.query, keep_blank_values=True)),
        "headersSize": -1,
        "bodySize": len(message.body),
    }
    plain = message.body if message.plain_body is None else message.plain_body
    if plain:
        request["postData"] = {"mimeType": message.media, **_content(plain)}
    answer = {"size": len(message.answer), "mimeType": message.answer_media}
    entry: dict[str, Any] = {
        "startedDateTime": started,
        "time": 5,
        "request": request,
        "response": {
            "status": 101 if message.frames else 200,
            "statusText": "OK",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _named(answer_headers(message)),
            "content": answer | ({} if message.frames else _content(message.answer)),
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": len(message.answer),
        },
        "cache": {},
        "timings": {"send": 0, "wait": 5, "receive": 0},
        "serverIPAddress": message.address,
    }
    if message.frames:
        entry["response"]["content"]["size"] = 0
        entry["_resourceType"] = "websocket"
        entry["_webSocketMessages"] = [
            {
                "type": "send",
                "time": START_S + message.number / 100,
                "opcode": 1 if is_text else 2,
                "data": data.decode() if is_text else base64.b64encode(data).decode(),
            }
            for is_text, data in message.frames
        ]
    return entry


def _named(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _cookies(headers: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    pairs = [
        part.strip().partition("=")[::2]
        for name, value in headers
        if name == "Cookie"
        for part in value.split(";")
    ]
    return _named((name, value) for name, value in pairs)


def _content(data: bytes) -> dict[str, str]:
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"text": base64.b64encode(data).decode(), "encoding": "base64"}
