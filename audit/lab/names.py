"""The resolver: DNS over UDP and TCP (RFC 1035), authoritative for every name there is."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from audit.lab.learned import Learned
from audit.lab.witness import Witness

TYPE_A: Final = 1
TYPE_CNAME: Final = 5
NO_ERROR, FORMAT_ERROR, NO_NAME, NOT_IMPLEMENTED = 0, 1, 3, 4
TTL_S: Final = 60
TCP_IDLE_S: Final = 10.0

Lookup = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Question:
    """The one question of a query."""

    number: int
    flags: int
    name: str
    qtype: int
    wire: bytes
    """The question as it came, to be repeated in the answer."""


def parse_query(data: bytes) -> Question | None:
    """Return the first question, ``None`` where the bytes are no query."""
    if len(data) < 17 or data[2] & 0x80:
        return None
    number, flags, questions = struct.unpack_from(">HHH", data)
    if questions != 1:
        return None
    labels: list[str] = []
    position = 12
    while position < len(data) and (length := data[position]):
        if length > 63 or position + 1 + length > len(data) or position > 12 + 253:
            return None
        labels.append(data[position + 1 : position + 1 + length].decode("latin-1"))
        position += 1 + length
    if position + 5 > len(data):
        return None
    (qtype,) = struct.unpack_from(">H", data, position + 1)
    return Question(number, flags, ".".join(labels), qtype, data[12 : position + 5])


def answer_query(
    data: bytes, lookup: Lookup, alias: Lookup = lambda _name: None
) -> tuple[bytes, Question | None]:
    """Return the answer to a query and its question; no answer for bytes without a number."""
    question = parse_query(data)
    if question is None:
        if len(data) < 12 or data[2] & 0x80:
            return b"", None
        return data[:2] + struct.pack(">HHHHH", 0x8000 | FORMAT_ERROR, 0, 0, 0, 0), None
    if question.flags & 0x7800:  # any operation but a query
        return _head(question, NOT_IMPLEMENTED, 0), question
    address = lookup(question.name)
    if address is None:
        return _head(question, NO_NAME, 0), question
    if question.qtype != TYPE_A:
        return _head(question, NO_ERROR, 0), question
    pointer, records = 0xC00C, b""
    target = alias(question.name)
    if target is not None:
        pointer = 0xC000 | (12 + len(question.wire) + 12)
        name = _wire_name(target)
        records = struct.pack(">HHHIH", 0xC00C, TYPE_CNAME, 1, TTL_S, len(name)) + name
    records += struct.pack(">HHHIH", pointer, TYPE_A, 1, TTL_S, 4) + socket.inet_aton(address)
    return _head(question, NO_ERROR, 2 if target else 1) + records, question


def _wire_name(name: str) -> bytes:
    labels = [label.encode("ascii") for label in name.split(".")]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def _head(question: Question, code: int, answers: int) -> bytes:
    # an answer, authoritative, recursion available, desired as the query says
    flags = 0x8480 | (question.flags & 0x7900) | code
    return struct.pack(">HHHHHH", question.number, flags, 1, answers, 0, 0) + question.wire


@dataclass(frozen=True, slots=True)
class Resolver:
    """Answers queries and notes them."""

    witness: Witness
    lookup: Lookup
    alias: Lookup = lambda _name: None

    def resolve(self, data: bytes, peer: str, scheme: str) -> bytes:
        """Return the answer to a query (empty: none is given)."""
        answer, question = answer_query(data, self.lookup, self.alias)
        if question is None:
            self.witness.garbage(peer, data, "not a DNS query")
            return answer
        self.witness.log.write(
            Learned(
                standin=self.witness.standin,
                event="query",
                scheme=scheme,
                peer=peer,
                host=question.name,
                inner={"qtype": question.qtype, "code": answer[3] & 0x0F},
            )
        )
        return answer

    async def take_stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the queries of one TCP connection."""
        address = writer.get_extra_info("peername") or ("", 0)
        peer = f"{address[0]}:{address[1]}"
        try:
            while True:
                (length,) = struct.unpack(
                    ">H", await asyncio.wait_for(reader.readexactly(2), TCP_IDLE_S)
                )
                answer = self.resolve(
                    await asyncio.wait_for(reader.readexactly(length), TCP_IDLE_S), peer, "tcp"
                )
                if not answer:
                    return
                writer.write(struct.pack(">H", len(answer)) + answer)
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass  # the other end has asked all it wanted
        finally:
            writer.close()

    def take_datagram(self, data: bytes, address: str, port: int) -> bytes:
        """Answer one query over UDP."""
        return self.resolve(data, f"{address}:{port}", "udp")
