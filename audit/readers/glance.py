"""The rows of a TLS connection that stays sealed, made at one glance at its first segments.

What :mod:`audit.readers.tls_rows` gives for any connection, for the usual one: it came whole and in
order, its ClientHello is one record, and the key log does not have its secrets.
"""

from __future__ import annotations

import struct
from typing import Final

from audit.readers.bytestream import ByteStream
from audit.readers.encrypted_dns import sealed_name
from audit.readers.lanes import SealedTalk
from audit.readers.talk import Talk
from audit.readers.tls import CLOSED_LIMIT, TlsConversation, read_server, refusal
from audit.readers.tls_clear import add_clear, add_run, place_of
from audit.readers.tls_rows import add_sni, hello_row
from audit.readers.tlshello import (
    APPLICATION,
    CHANGE_CIPHER,
    HANDSHAKE,
    Record,
    first_records,
    parse_client_hello,
    version_name,
)

_HEAD: Final = struct.Struct("!BHHI").unpack_from
_CLIENT_HELLO: Final = 1 << 24


def glance(talk: Talk, found: SealedTalk) -> bool:
    """Add the handshake's row and what is in clear; returns false, and adds nothing, if unusual."""
    data = found.hello.data
    kind, version, length, message = _HEAD(data, 0)
    end = 5 + length
    if kind != HANDSHAKE or message != _CLIENT_HELLO | length - 4 or len(data) < end:
        return False
    hello = parse_client_hello(data[9:end])
    if hello is None:
        return False
    tls = TlsConversation(hello=hello, hello_end=end)
    records = [Record(kind, version, 0, length)]
    records += first_records(data, end, CLOSED_LIMIT - 1)
    answer = found.answer.data
    answers = first_records(answer, 0, CLOSED_LIMIT)
    read_server(tls, answer, answers)
    refused = refusal(tls, client_closed=found.is_closed, client=records, server=answers)
    direction = talk.direction(from_originator=True)
    client = ByteStream(
        file=talk.file,
        part=f"tcp.{direction}",
        direction=direction,
        data=data,
        starts=found.hello.starts,
        records=[(number,) for number in found.hello.numbers],
        times=found.hello.times,
    )
    row = hello_row(talk, hello, client.at(0, end), found.hello.times[0], "metadata-only")
    row["version"] = version_name(tls.answer.version) if tls.answer else None
    row["certificate"] = tls.certificate
    row["refused_by"] = refused
    index = talk.extract.add("tls_handshakes", row)
    name = hello.sni_bytes
    hole = place_of(name, data)
    if hole[1]:
        add_sni(talk, index, name, direction, client.at(*hole))
    owner = ("tls_handshakes", index)
    clear = _clear_end(data, records) if len(records) < CLOSED_LIMIT else 0
    if clear and hole[0] < hole[1]:
        add_run(talk, owner, client, 0, hole[0])
        add_run(talk, owner, client, hole[1], clear)
    else:
        add_clear(talk, owner, client, hole)
    talk.row |= {
        "missed_bytes": found.missed,
        "host": talk.host,
        "application": sealed_name("tls", talk.responder_port, hello.alpn, talk.host),
        "transport": "metadata-only",
        "content": "opaque",
    }
    return True


def _clear_end(data: bytes, records: list[Record]) -> int:
    """Return where the one run of bytes in clear ends; 0: there are several, or odd bytes."""
    clear, sealed = 0, False
    for record in records:
        if record.type in {APPLICATION, CHANGE_CIPHER}:
            if record.type == CHANGE_CIPHER and not sealed:
                clear = record.end
            sealed = True
        elif sealed or (record.type == HANDSHAKE and record.start):
            return 0
        else:
            clear = record.end
    end = records[-1].end
    rest = data[end : end + 2]
    is_record = not rest or (20 <= rest[0] <= 24 and rest[1:] in {b"", b"\3"})
    return clear if is_record and (not rest or sealed or rest[0] == APPLICATION) else 0
