"""HTTP Archive 1.2 (``.har``) as rows, in the dialects of mitmproxy, Chrome, Firefox and others.

An archive keeps HTTP alone, without connections; bodies are decoded already, and some are missing:
each gap is counted in ``truncated``. Encodings of the text of bodies follow each writer's own
source, see :func:`_text_bytes`.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from audit.errors import CaptureError
from audit.identifiers.content import classify_content
from audit.readers.bodies import canonical_json
from audit.readers.endpoint import is_address, moment, moment_of, plain_address
from audit.readers.har_body import answer_body, message_bytes, request_body
from audit.readers.har_connection import PORTS, unplaced_entry
from audit.readers.http_message import Headers, HttpMessage, add_payloads, host_name, split_target
from audit.readers.textlines import whole_file
from audit.tables.extract import Extract, Payload
from audit.tables.frames import Row
from audit.tables.reference import Reference
from audit.tables.vocabulary import Direction

MAX_BYTES: Final = 256 * 2**20
"""Size of an archive that is read (it must be held in memory whole)."""
_OPCODES: Final = {1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong"}


@dataclass(frozen=True, slots=True, kw_only=True)
class HarOptions:
    """What the reader must be told."""

    capture: str
    """Id of the capture, for the rows."""
    file: str
    """Name that references give the file."""


def read_har(path: Path, options: HarOptions) -> Extract:
    """Read an archive; raises :class:`CaptureError` for a file that is none.

    An entry that cannot be read is left out and counted in ``truncated``.
    """
    log = _load(path, options.file)
    entries = log.get("entries")
    if not isinstance(entries, list):
        raise CaptureError("the archive has no entries", source=options.file)
    creator = log.get("creator")
    name = creator.get("name") if isinstance(creator, dict) else None
    rows = _Rows(options=options, is_mitmproxy=name == "mitmproxy")
    for number, entry in enumerate(entries, start=1):
        try:
            rows.add(number, entry)
        except (ValueError, TypeError, KeyError) as error:
            rows.unread.append(f"{options.file}#{number}: entry not read: {error}")
    return rows.finish()


def _load(path: Path, file: str) -> dict[str, object]:
    try:
        data = json.loads(whole_file(path, file, MAX_BYTES).removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError) as error:
        raise CaptureError(f"this is no HTTP archive: {error}", source=file) from None
    log = data.get("log") if isinstance(data, dict) else None
    if not isinstance(log, dict):
        raise CaptureError("this is no HTTP archive: it has no 'log'", source=file)
    return log


@dataclass(slots=True, kw_only=True)
class _Rows:
    """Collects the rows of one archive."""

    options: HarOptions
    is_mitmproxy: bool
    extract: Extract = field(default_factory=Extract)
    gaps: Counter[str] = field(default_factory=Counter)
    unread: list[str] = field(default_factory=list)
    _conversations: dict[object, Row] = field(default_factory=dict)

    def add(self, number: int, entry: object) -> None:
        """Add one entry; raises ``ValueError``, ``TypeError`` or ``KeyError`` for what is none."""
        asked = _part(entry, "request")
        url = urlsplit(_word(asked, "url"))
        if url.scheme not in PORTS or _word(asked, "method").upper() == "CONNECT":
            return
        record = Reference(file=self.options.file, records=(number,))
        request = self._request(asked, url)
        answered = entry.get("response") if isinstance(entry, dict) else None
        common = self._common(entry, url, request)
        path, query = split_target(_target(url))
        row = common | {
            "ref": str(replace(record, part="request.head")),
            "method": _word(asked, "method").upper(),
            "path": path,
            "query": query,
        }
        response = self._response(answered) if isinstance(answered, dict) else None
        messages = _messages(entry)
        conversation = self._conversation(entry, common, record, url)
        self.extract.unplaced.extend(unplaced_entry(entry, common, str(record), url))
        agent = {"user_agent": request.header(b"user-agent")}
        self._add(row | agent, "http_requests", request, record, conversation)
        if response is not None and isinstance(answered, dict):
            row |= {
                "ref": str(replace(record, part="response.head")),
                "status": int(answered["status"]),
            }
            self._add(row, "http_responses", response, record, conversation)
        self._add_websocket(messages, common, record)

    def finish(self) -> Extract:
        """Return everything, gaps counted."""
        file = self.options.file
        for what, count in sorted(self.gaps.items()):
            self.extract.truncated.append(f"{file}: {count} {what}")
        self.extract.truncated += self.unread[:10]
        if len(self.unread) > 10:
            self.extract.truncated.append(f"{file}: {len(self.unread)} entries were not read")
        self.extract.limits.append(f"{file} is an HTTP archive: it holds no other protocol")
        return self.extract

    def _request(self, asked: dict[str, object], url: SplitResult) -> HttpMessage:
        headers = _headers(asked)
        body = request_body(asked, headers, is_mitmproxy=self.is_mitmproxy, gaps=self.gaps)
        line = f"{_word(asked, 'method')} {_target(url)} {asked.get('httpVersion') or 'HTTP/1.1'}"
        return HttpMessage(
            side="request",
            first_line=message_bytes(line),
            headers=headers,
            body=body,
            is_decoded=True,
        )

    def _response(self, answered: dict[str, object]) -> HttpMessage | None:
        status = answered.get("status")
        if not isinstance(status, int) or status <= 0:
            return None
        line = f"{answered.get('httpVersion') or 'HTTP/1.1'} {status} {answered.get('statusText')}"
        return HttpMessage(
            side="response",
            first_line=message_bytes(line),
            headers=_headers(answered),
            body=answer_body(answered, gaps=self.gaps),
            is_decoded=True,
        )

    def _common(self, entry: object, url: SplitResult, request: HttpMessage) -> Row:
        found = entry if isinstance(entry, dict) else {}
        address = str(found.get("serverIPAddress") or "").strip("[]")
        host = url.hostname or ""
        return {
            "capture": self.options.capture,
            "ts": moment_of(found.get("startedDateTime")),
            "host": host_name(request.header(b"host")) or host_name(host),
            "responder_ip": next(
                (plain_address(a) for a in (address, host) if is_address(a)), None
            ),
            "taps": ("proxy",),
            "layer": 0,
            "transport": "tls-intercepted" if url.scheme in {"https", "wss"} else "plaintext",
        }

    def _conversation(self, entry: object, common: Row, record: Reference, url: SplitResult) -> Row:
        found = entry if isinstance(entry, dict) else {}
        port = url.port or PORTS[url.scheme]
        key = (url.hostname, port, str(found.get("connection")))
        row = self._conversations.get(key)
        if row is None:
            row = common | {
                "ref": str(record),
                "proto": "tcp",
                "responder_port": port,
                "first_seen": common["ts"],
                "payload_bytes": 0,
                "content": "empty",
            }
            self._conversations[key] = row
            self.extract.add("conversations", row)
        row["last_seen"] = common["ts"]
        return row

    def _add(
        self, row: Row, table: str, message: HttpMessage, record: Reference, conversation: Row
    ) -> None:
        row = row | message.columns()
        index = self.extract.add(table, row)
        add_payloads(self.extract, table, index, message, record)
        size = len(message.head) + len(message.body or b"")
        conversation["payload_bytes"] = int(str(conversation["payload_bytes"])) + size
        contents = {str(conversation["content"]), str(row["content"])} - {"empty"}
        conversation["content"] = (
            "empty" if not contents else contents.pop() if len(contents) == 1 else "mixed"
        )

    def _add_websocket(self, messages: list[_Message], common: Row, record: Reference) -> None:
        for number, message in enumerate(messages, start=1):
            ref = replace(record, part=f"websocket.{number}")
            row = common | {
                "ref": str(ref),
                "ts": message.ts or common["ts"],
                "direction": message.direction,
                "opcode": _OPCODES.get(message.opcode, str(message.opcode)),
                "json": canonical_json(message.data),
                "body_len": len(message.data),
                "content": str(classify_content(message.data)),
            }
            index = self.extract.add("websocket_messages", row)
            if message.data:
                self.extract.payloads.append(
                    Payload(
                        table="websocket_messages",
                        row=index,
                        location="websocket",
                        detail="",
                        direction=message.direction,
                        data=message.data,
                        ref=ref,
                    )
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Message:
    """One WebSocket message of an entry."""

    direction: Direction
    opcode: int
    data: bytes
    ts: str | None


def _messages(entry: object) -> list[_Message]:
    found = entry.get("_webSocketMessages") if isinstance(entry, dict) else None
    messages = []
    for message in found if isinstance(found, list) else ():
        if not isinstance(message, dict):
            raise TypeError("a WebSocket message is no object")
        opcode = int(message.get("opcode", 1))
        messages.append(
            _Message(
                direction="sent" if message.get("type") == "send" else "received",
                opcode=opcode,
                data=message_bytes(str(message.get("data", "")), is_base64=opcode == 2),
                ts=moment(message.get("time")),
            )
        )
    return messages


def _part(entry: object, key: str) -> dict[str, object]:
    found = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(found, dict):
        raise TypeError(f"it has no {key}")
    return found


def _word(part: dict[str, object], key: str) -> str:
    found = part.get(key)
    if not isinstance(found, str):
        raise TypeError(f"{key} is no text")
    return found


def _target(url: SplitResult) -> str:
    return (url.path or "/") + (f"?{url.query}" if url.query else "")


def _headers(part: dict[str, object]) -> Headers:
    found = part.get("headers")
    pairs = []
    for header in found if isinstance(found, list) else ():
        if isinstance(header, dict):
            name, value = header.get("name"), header.get("value")
        else:
            name, value = header  # Slack writes pairs
        pairs.append((message_bytes(str(name)), message_bytes(str(value))))
    return tuple(pairs)
