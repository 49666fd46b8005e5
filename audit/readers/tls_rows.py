"""A TLS connection as a row of handshakes; hands back its plaintext where there are keys."""

from __future__ import annotations

from audit.readers.bytestream import ByteStream
from audit.readers.encrypted_dns import sealed_name
from audit.readers.fingerprints import ja3, ja4
from audit.readers.http_message import host_name
from audit.readers.keylog import KeyLog
from audit.readers.talk import Talk
from audit.readers.tls import read_tls
from audit.readers.tls_clear import add_clear, place_of
from audit.readers.tlshello import ClientHello, version_name
from audit.tables.extract import Payload
from audit.tables.frames import Row
from audit.tables.reference import Reference
from audit.tables.vocabulary import Direction, Transport


def add_tls(
    talk: Talk, client: ByteStream, server: ByteStream, keys: KeyLog
) -> tuple[ByteStream, ByteStream] | None:
    """Add the handshake's row; return the application data of both sides if it was opened."""
    found = read_tls(client, server, keys)
    for problem in found.problems:
        talk.cut(problem)
    talk.speaks("tls")
    opened: Transport = "tls-keys" if found.is_open else "metadata-only"
    if found.hello is not None:
        row = hello_row(talk, found.hello, client.at(0, found.hello_end), client.time(0), opened)
        row["version"] = version_name(found.answer.version) if found.answer else None
        row["certificate"] = found.certificate
        row["refused_by"] = found.refused_by
        talk.speaks(sealed_name("tls", talk.responder_port, found.hello.alpn, talk.host))
        add_hello(talk, row, found.hello, client)
    else:
        add_clear(talk, ("conversations", talk.index), client, (0, 0))
    if found.sent is None or found.received is None:
        carries = bool(client.data or server.data)
        talk.saw(opened, "opaque" if carries else "empty")
        return None
    talk.saw(opened, "empty")
    return found.sent, found.received


def hello_row(
    talk: Talk,
    hello: ClientHello,
    ref: Reference,
    ts: int,
    transport: Transport,
    carrier: str = "t",
) -> Row:
    """Return the row of a ClientHello, without what only the server's answer tells."""
    sni = hello.sni
    name = host_name(sni)
    talk.name(name)
    row = talk.common(ref, ts, transport, name)
    row["sni"] = sni
    row["alpn"] = hello.alpn
    row["ech"] = hello.has_ech
    row["ja3"] = ja3(hello)
    row["ja4"] = ja4(hello, carrier)  # type: ignore[arg-type]
    return row


def add_hello(talk: Talk, row: Row, hello: ClientHello, stream: ByteStream) -> None:
    """Add the row, its server name and all else that is in clear for the search."""
    index = talk.extract.add("tls_handshakes", row)
    name = hello.sni_bytes
    place = place_of(name, stream.data)
    if place[1]:
        add_sni(talk, index, name, stream.direction, stream.at(*place))
    add_clear(talk, ("tls_handshakes", index), stream, place)


def add_sni(talk: Talk, index: int, name: bytes, direction: Direction, ref: Reference) -> None:
    """Hand a server name to the search."""
    talk.extract.payloads.append(
        Payload(
            table="tls_handshakes",
            row=index,
            location="sni",
            detail="",
            direction=direction,
            data=name,
            ref=ref,
        )
    )
