"""DNS questions with their answers as rows, names and EDNS options for the search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from audit.readers.bytestream import ByteStream
from audit.readers.dns_types import type_name
from audit.readers.dnsmessage import (
    CLIENT_SUBNET,
    DnsMessage,
    client_subnet,
    name_text,
    parse_dns,
)
from audit.readers.talk import Talk
from audit.tables.extract import Payload
from audit.tables.frames import Row
from audit.tables.reference import Reference
from audit.tables.vocabulary import Direction, Transport

MESSAGE_LIMIT: Final = 100_000
"""Messages of one stream that become rows; what is beyond goes to the search as it is."""
Place = Callable[[int, int], Reference]
"""Reference of a byte range of a message."""
_PORTS: Final = {5353: "mdns", 5355: "llmnr"}


@dataclass(slots=True, kw_only=True)
class DnsRows:
    """Pairs the questions and answers of one conversation."""

    talk: Talk
    protocol: str
    """Transport: udp or tcp; the ports of mDNS and LLMNR name these, and TLS around it does."""
    transport: Transport = "plaintext"
    _asked: dict[tuple[int, bytes, int], Row] = field(default_factory=dict)
    _index: dict[int, int] = field(default_factory=dict)
    """``id`` of a row -> its index."""
    _told: list[tuple[int, int]] = field(default_factory=list)
    """Ranges of the message at hand that payloads have."""
    _searched: set[bytes] = field(default_factory=set)
    """Digests of messages sent, without their ids."""

    def add(
        self, message: DnsMessage, data: bytes, direction: Direction, ts: int, place: Place
    ) -> None:
        """Add a message: a row for each question that is new, answers to the row asked before."""
        self.talk.saw(self.transport, "readable")
        name = self.protocol_name
        self.talk.speaks("dns" if name in {"udp", "tcp"} else name)
        row: Row | None = None
        self._told.clear()
        for question in message.questions:
            key = (message.id, question.name.lower(), question.qtype)
            if key not in self._asked:
                self._asked[key] = self._row(
                    question.name, question.qtype, question.start, direction, ts, place
                )
            row = self._asked[key]
            if message.is_response and direction == "received":
                row["answers"] = _merged(row["answers"], message)
        if not message.questions and self.protocol_name == "mdns":
            row = self._announced(message, direction, ts, place)
        if row is not None and not message.is_response:
            self._options(self._index[id(row)], message, data, direction, place)
        if direction == "sent":
            self._rest(row, data, place)

    @property
    def protocol_name(self) -> str:
        """The ``protocol`` column."""
        if self.transport == "tls-keys":
            return "dot"
        return _PORTS.get(self.talk.responder_port or 0, self.protocol)

    def _row(
        self, name: bytes, qtype: int, start: int, direction: Direction, ts: int, place: Place
    ) -> Row:
        row = self.talk.common(place(0, 0), ts, self.transport)
        row.pop("transport")
        row |= {
            "host": None,
            "name": name_text(name),
            "qtype": type_name(qtype),
            "server": self.talk.responder_ip,
            "answers": (),
            "protocol": self.protocol_name,
        }
        index = self._index[id(row)] = self.talk.extract.add("dns_queries", row)
        if name:
            self._payload(index, "", direction, name, place(start, start + len(name)))
            self._told.append((start, start + len(name)))
        return row

    def _announced(
        self, message: DnsMessage, direction: Direction, ts: int, place: Place
    ) -> Row | None:
        """Add a row for each name and type that an mDNS announcement tells: it asks nothing."""
        row = None
        for record in message.records:
            key = (0, record.name.lower(), record.rtype)
            if key not in self._asked:
                self._asked[key] = self._row(
                    record.name, record.rtype, record.start, direction, ts, place
                )
            row = self._asked[key]
            known = row["answers"]
            if record.value and isinstance(known, tuple) and record.value not in known:
                row["answers"] = (*known, record.value)
        return row

    def _options(
        self, index: int, message: DnsMessage, data: bytes, direction: Direction, place: Place
    ) -> None:
        for code, start, end in message.options:
            if start < end:
                self._payload(
                    index, f"edns option {code}", direction, data[start:end], place(start, end)
                )
                self._told.append((start, end))
            subnet = client_subnet(data[start:end]) if code == CLIENT_SUBNET else None
            if subnet is not None:
                ref = place(start, end)
                ref = ref.at(0, len(subnet), part=f"{ref.part}/edns.{ref.start}")
                self._payload(index, "edns client subnet", direction, subnet.encode(), ref)

    def _rest(self, row: Row | None, data: bytes, place: Place) -> None:
        """Add all other bytes of a message that the client sends: its head, records, what follows.

        They belong to the question, where there is none to the conversation. A message that only
        repeats one is not searched again.
        """
        digest = sha256(data[2:]).digest()
        if digest in self._searched and not self._told:
            return
        self._searched.add(digest)
        owner = ("conversations", self.talk.index)
        if row is not None:
            owner = ("dns_queries", self._index[id(row)])
        at = 0
        for start, end in [*sorted(self._told), (len(data), len(data))]:
            if at < start:
                self._add_payload(owner, "message", "sent", data[at:start], place(at, start))
            at = max(at, end)

    def _payload(
        self, index: int, detail: str, direction: Direction, data: bytes, ref: Reference
    ) -> None:
        self._add_payload(("dns_queries", index), detail, direction, data, ref)

    def _add_payload(
        self,
        owner: tuple[str, int],
        detail: str,
        direction: Direction,
        data: bytes,
        ref: Reference,
    ) -> None:
        self.talk.extract.payloads.append(
            Payload(
                table=owner[0],
                row=owner[1],
                location="dns",
                detail=detail,
                direction=direction,
                data=data,
                ref=ref,
            )
        )


def _merged(known: object, message: DnsMessage) -> tuple[str, ...]:
    found = dict.fromkeys(known if isinstance(known, tuple) else ())
    found |= dict.fromkeys(item.value for item in message.records if item.is_answer and item.value)
    return tuple(found)


def add_dns_stream(
    talk: Talk, streams: tuple[ByteStream, ByteStream], transport: Transport
) -> None:
    """Add the messages of DNS over TCP or TLS: each behind its length in two bytes (RFC 7766)."""
    rows = DnsRows(talk=talk, protocol="tcp", transport=transport)
    for stream in streams:
        at, data = 0, stream.data
        for _ in range(MESSAGE_LIMIT):
            length = int.from_bytes(data[at : at + 2], "big")
            body = data[at + 2 : at + 2 + length]
            message = parse_dns(body) if 0 < len(body) == length else None
            if message is None:
                break
            rows.add(
                message,
                body,
                stream.direction,
                stream.time(at),
                _stream_place(stream, at + 2, length),
            )
            at += 2 + length
        if at < len(data):
            talk.raw(stream.after(at), transport)


def _stream_place(stream: ByteStream, at: int, length: int) -> Place:
    def place(start: int, end: int) -> Reference:
        return stream.at(at + start, at + end) if end else stream.at(at, at + length)

    return place
