"""Flows of the proxy as rows of the evidence tables and as bytes to search."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from audit.identifiers.content import classify_content
from audit.readers.dns_types import type_name
from audit.readers.endpoint import moment
from audit.readers.flow_parts import (
    Message,
    answers_of,
    request_of,
    response_of,
    states,
    stream_messages,
    websocket_messages,
)
from audit.readers.flow_payloads import add_authority, add_joined, add_names, add_records
from audit.readers.flow_state import Flow, FlowError, entries, number, octets, section, words
from audit.readers.http_message import HttpMessage, add_payloads, host_name, split_target
from audit.readers.websocket_rows import add_websocket_message
from audit.tables.extract import Extract, Payload
from audit.tables.frames import Row
from audit.tables.vocabulary import Direction, joint_content

_BODILESS: Final = frozenset({204, 304})
"""Answers that may tell a length and have no body (RFC 9110 §8.6)."""


@dataclass(slots=True, kw_only=True)
class _Conversation:
    """What the flows of one client connection to one server add up to."""

    index: int
    row: Row
    contents: set[str] = field(default_factory=set)
    payload_bytes: int = 0
    legs: tuple[str, ...] = ()
    """Those of the last flow, which are the same for most."""

    def count(self, size: int, content: object) -> None:
        self.payload_bytes += size
        self.contents.add(str(content))


@dataclass(slots=True, kw_only=True)
class FlowRows:
    """Collects the rows of one dump."""

    capture: str
    extract: Extract = field(default_factory=Extract)
    _conversations: dict[tuple[str, object], _Conversation] = field(default_factory=dict)

    def add(self, flow: Flow) -> None:
        """Add the rows of one flow; raises :class:`FlowError`, then with nothing added."""
        kind = flow.kind
        if kind == "http":
            self._add_http(flow)
        elif kind in ("tcp", "udp"):
            self._add_stream(flow)
        elif kind == "dns":
            self._add_dns(flow)
        else:
            raise FlowError(f"unknown type of flow {kind!r}")

    def finish(self) -> Extract:
        """Return everything; to be called once, after the last flow."""
        for conversation in self._conversations.values():
            conversation.row["payload_bytes"] = conversation.payload_bytes
            conversation.row["content"] = joint_content(conversation.contents)
        return self.extract

    # -- HTTP

    def _add_http(self, flow: Flow) -> None:
        asked, answered = section(flow.state, "request"), flow.state.get("response")
        request = request_of(asked)
        response = response_of(section(flow.state, "response")) if answered is not None else None
        authority = octets(asked.get("authority") or b"")
        method = words(asked.get("method")).upper()
        if method == "CONNECT":
            self._add_tunnel(flow, request, response, authority)
            return
        messages = websocket_messages(flow)
        agent, host = request.header(b"user-agent"), _host_of(flow, request, authority)
        path, query = split_target(words(asked.get("path")))
        conversation = self._conversation(flow, host)
        row = self._common(flow, host)
        row["ref"] = f"{flow.record}:request.head"
        row["ts"] = moment(asked.get("timestamp_start"))
        row["method"], row["path"], row["query"] = method, path, query
        index = self._add_message(
            "http_requests", row | {"user_agent": agent}, request, flow, conversation
        )
        add_authority(self.extract, flow, ("http_requests", index), request, authority)
        add_names(self.extract, flow, ("http_requests", index), request)
        if response is not None:
            answered = section(flow.state, "response")
            row["ref"] = f"{flow.record}:response.head"
            row["ts"] = moment(answered.get("timestamp_start"))
            row["status"] = number(answered.get("status_code"))
            self._add_message("http_responses", row, response, flow, conversation)
        for message in messages:
            self._add_websocket(flow, host, message, conversation)

    def _add_message(
        self, table: str, row: Row, message: HttpMessage, flow: Flow, conversation: _Conversation
    ) -> int:
        row.update(message.columns())
        lack = _lack_of(message, flow)
        if lack:
            direction: Direction = "sent" if message.side == "request" else "received"
            what = f"{flow.record}: the body of the {message.side} was {lack}"
            self.extract.unread.append((direction, what))
        conversation.count(message.size, row["content"])
        index = self.extract.add(table, row)
        add_payloads(self.extract, table, index, message, flow.record)
        return index

    def _add_tunnel(
        self, flow: Flow, request: HttpMessage, response: HttpMessage | None, authority: bytes
    ) -> None:
        """Hand a CONNECT, which is no row, to the search as part of its conversation."""
        owner = ("conversations", self._conversation(flow, _host_of(flow)).index)
        for message in (request, response):
            if message is not None:
                add_payloads(self.extract, *owner, message, flow.record)
        add_authority(self.extract, flow, owner, request, authority)
        add_names(self.extract, flow, owner, request)

    def _add_websocket(
        self, flow: Flow, host: str | None, message: Message, conversation: _Conversation
    ) -> None:
        record = flow.record.of(f"websocket.{message.number}")
        content = add_websocket_message(
            self.extract,
            self._common(flow, host) | {"ref": str(record), "ts": message.ts},
            direction=message.direction,
            opcode=message.opcode,
            data=message.data,
            ref=record,
        )
        conversation.count(len(message.data), content)

    # -- anything else

    def _add_stream(self, flow: Flow) -> None:
        proto = flow.kind
        messages = stream_messages(entries(flow.state, "messages"))
        conversation = self._conversation(flow, _host_of(flow))
        add_names(self.extract, flow, ("conversations", conversation.index))
        ends: dict[Direction, int] = {"sent": 0, "received": 0}
        joined: dict[Direction, list[bytes]] = {"sent": [], "received": []}
        for message in messages:
            joined[message.direction].append(message.data)
        for direction, chunks in joined.items():
            whole = b"".join(chunks)
            if not whole:
                continue
            conversation.count(len(whole), classify_content(whole))
            if proto == "udp":
                add_joined(self.extract, flow, conversation.index, direction, chunks)
            # a stream is searched whole, datagrams one by one
            for data in [whole] if proto == "tcp" else chunks:
                start = ends[direction]
                ends[direction] = start + len(data)
                part = flow.record.of(f"{proto}.{direction}")
                self.extract.payloads.append(
                    Payload(
                        table="conversations",
                        row=conversation.index,
                        location="payload",
                        detail="",
                        direction=direction,
                        data=data,
                        ref=part.at(start, start + len(data)),
                    )
                )

    def _add_dns(self, flow: Flow) -> None:
        query = section(flow.state, "request")
        questions = [
            (words(entry.get("name")).rstrip("."), number(entry.get("type")))
            for entry in states(query, "questions")
        ]
        answers = answers_of(flow)
        record = flow.record.of("dns")
        responder = flow.ends.responder
        common = self._common(flow, None) | {
            "ref": str(record),
            "ts": moment(query.get("timestamp")),
            "server": responder[0] if responder else None,
            "protocol": flow.ends.proto,
            "answers": answers,
        }
        common.pop("transport")
        conversation = self._conversation(flow, None)
        conversation.row["host"] = None
        owner = ("conversations", conversation.index)
        for name, kind in questions:
            row = common | {"name": name.lower(), "qtype": type_name(kind)}
            index = self.extract.add("dns_queries", row)
            owner = ("dns_queries", index)
            data = name.encode("utf-8", "surrogatepass")
            conversation.count(len(data), "readable")
            self.extract.payloads.append(
                Payload(
                    table="dns_queries",
                    row=index,
                    location="dns",
                    detail="",
                    direction="sent",
                    data=data,
                    ref=record,
                )
            )

        add_records(self.extract, flow, owner)

    # -- what all have

    def _common(self, flow: Flow, host: str | None) -> Row:
        ends = flow.ends
        row: Row = {
            "capture": self.capture,
            "host": host,
            "responder_ip": ends.responder_ip,
            "conversation": ends.conversation,
            "taps": ("proxy",),
            "layer": 0,
            "transport": "tls-intercepted" if ends.is_decrypted else "plaintext",
        }
        if ends.is_through_upstream:
            row["seen_as"] = "proxy"
        return row

    def _conversation(self, flow: Flow, host: str | None) -> _Conversation:
        ends = flow.ends
        key = (ends.client, ends.responder)
        known = self._conversations.get(key)
        if known is None:
            originator, responder = ends.originator, ends.responder
            row = self._common(flow, host)
            row.update(
                ref=str(flow.record),
                ts=ends.started_at,
                proto=ends.proto,
                originator_ip=originator[0] if originator else None,
                originator_port=originator[1] if originator else None,
                responder_port=responder[1] if responder else None,
                first_seen=ends.started_at,
            )
            known = _Conversation(index=self.extract.add("conversations", row), row=row)
            self._conversations[key] = known
        if ends.legs and ends.conversation and ends.legs is not known.legs:
            known.legs = ends.legs
            legs = self.extract.legs.get(ends.conversation, ())
            self.extract.legs[ends.conversation] = tuple(dict.fromkeys([*legs, *ends.legs]))
        row = known.row
        row["host"] = row["host"] or host
        row["last_seen"] = ends.ended_at or row["ts"]
        return known


def _host_of(flow: Flow, request: HttpMessage | None = None, authority: bytes = b"") -> str | None:
    named = host_name(request.header(b"host")) if request else None
    if named is None and authority:
        named = host_name(words(authority))
    return named or flow.ends.host


def _lack_of(message: HttpMessage, flow: Flow) -> str:
    """Return what is lacking of a body, empty where nothing is (RFC 9110 §8.6)."""
    if message.body is None:
        return "not kept"
    length = message.header(b"content-length") or ""
    if not length.isascii() or not length.isdigit() or int(length[:15]) <= len(message.body):
        return ""
    if message.side == "response":
        asked, answered = (section(flow.state, side) for side in ("request", "response"))
        bodiless = words(asked.get("method")).upper() == "HEAD"
        if bodiless or answered.get("status_code") in _BODILESS:
            return ""
    return f"cut: {len(message.body)} of {length[:15]} bytes are there"
