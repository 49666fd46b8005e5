"""Conversations of QUIC and DTLS: their hellos as rows of handshakes, the rest is sealed."""

from __future__ import annotations

from typing import Literal

from audit.readers.dtls import DtlsHellos
from audit.readers.encrypted_dns import sealed_name
from audit.readers.quic import QuicHellos
from audit.readers.talk import Talk
from audit.readers.tls_clear import add_hello_body
from audit.readers.tls_rows import add_sni, hello_row
from audit.readers.tlshello import (
    ClientHello,
    parse_client_hello,
    parse_server_hello,
    version_name,
)
from audit.tables.frames import Row
from audit.tables.reference import Reference


def add_quic(talk: Talk, found: QuicHellos, ts: int) -> None:
    """Add the row of a QUIC conversation's ClientHello, if its Initials showed one."""
    talk.row["proto"] = "quic"
    talk.speaks("quic")
    body = found.message(1, from_client=True)
    answer = found.message(2, from_client=False)
    hello = parse_client_hello(body) if body is not None else None
    if hello is not None:
        row = _add(talk, hello, body or b"", found.numbers[True], ts, "q")
        talk.speaks(sealed_name("quic", talk.responder_port, hello.alpn, talk.host))
        agreed = parse_server_hello(answer) if answer is not None else None
        row["version"] = version_name(agreed.version) if agreed else None
    else:
        _add_pieces(talk, found.pieces(), found.numbers[True])


def add_dtls(talk: Talk, found: DtlsHellos, ts: int) -> None:
    """Add the row of a DTLS conversation's ClientHello, if it was seen."""
    talk.speaks("dtls")
    body, answer = found.hellos.get(1), found.hellos.get(2)
    hello = parse_client_hello(body, datagram=True) if body is not None else None
    if hello is not None:
        row = _add(talk, hello, body or b"", found.numbers[1], ts, "d")
        agreed = parse_server_hello(answer) if answer is not None else None
        row["version"] = version_name(agreed.version) if agreed else None
    else:
        _add_pieces(talk, found.pieces(), found.numbers.get(1, []))


def _add_pieces(talk: Talk, pieces: list[bytes], numbers: list[int]) -> None:
    """Add what there is of a hello that is not whole, or none."""
    data = b"".join(pieces)
    add_hello_body(talk, ("conversations", talk.index), data, b"", _hello(talk, numbers))


def _hello(talk: Talk, numbers: list[int]) -> Reference:
    return Reference(file=talk.file, records=tuple(sorted(set(numbers))), part="hello")


def _add(
    talk: Talk,
    hello: ClientHello,
    body: bytes,
    numbers: list[int],
    ts: int,
    carrier: Literal["q", "d"],
) -> Row:
    ref = _hello(talk, numbers)
    row = hello_row(talk, hello, ref, ts, "metadata-only", carrier)
    index = talk.extract.add("tls_handshakes", row)
    name = hello.sni_bytes
    if name:
        direction = talk.direction(from_originator=True)
        start = body.find(name)
        add_sni(talk, index, name, direction, ref.at(start, start + len(name)))
    add_hello_body(talk, ("tls_handshakes", index), body, name, ref)
    return row
