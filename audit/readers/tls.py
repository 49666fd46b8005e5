"""A TLS conversation read: its handshake and, where the key log has its secrets, its plaintext."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from audit.readers.bytestream import ByteStream
from audit.readers.keylog import KeyLog
from audit.readers.tlsciphers import SUITES, Suite
from audit.readers.tlshello import (
    ALERT,
    APPLICATION,
    CHANGE_CIPHER,
    HANDSHAKE,
    MESSAGE_LIMIT,
    TLS12,
    TLS13,
    ClientHello,
    Record,
    ServerHello,
    first_records,
    leaf_certificate,
    messages_of,
    parse_client_hello,
    parse_server_hello,
)
from audit.readers.tlskeys import tls12_openers
from audit.readers.tlsopen import Lane, SecretLane, SuiteLane

RECORD_COUNT_LIMIT: Final = 1_000_000
"""Records of one direction that are opened."""
CLOSED_LIMIT: Final = 64
"""Records that are looked at where there are no secrets: the handshake is in them."""
_ENCRYPTED_ALERT: Final = 19
"""Length of an encrypted TLS 1.3 alert: 2 bytes, content type, 16 bytes of tag."""
_ENCRYPT_THEN_MAC: Final = 22


@dataclass(slots=True, kw_only=True)
class TlsConversation:
    """What one TLS connection shows."""

    hello: ClientHello | None = None
    hello_end: int = 0
    """Bytes of the client's stream that the first ClientHello takes."""
    answer: ServerHello | None = None
    certificate: str | None = None
    """sha256 of the leaf certificate, hex; ``None``: not seen."""
    refused_by: Literal["client", "server"] | None = None
    sent: ByteStream | None = None
    """Application data of the client; ``None``: not opened."""
    received: ByteStream | None = None
    problems: list[str] = field(default_factory=list)
    """What was opened in part only, a sentence each."""

    @property
    def is_open(self) -> bool:
        """Whether application data could be had."""
        return self.sent is not None


def read_tls(client: ByteStream, server: ByteStream, keys: KeyLog) -> TlsConversation:
    """Read a connection from the bytes of both directions; either may be cut or empty."""
    found = TlsConversation()
    client_records = first_records(client.data, 0, CLOSED_LIMIT)
    _read_client(found, client.data, client_records)
    secrets = keys.of(found.hello.random) if found.hello else {}
    bound = RECORD_COUNT_LIMIT if secrets else CLOSED_LIMIT
    if secrets:
        client_records = first_records(client.data, 0, bound)
    server_records = first_records(server.data, 0, bound)
    if RECORD_COUNT_LIMIT in {len(client_records), len(server_records)}:
        found.problems.append(f"only {RECORD_COUNT_LIMIT} records of a direction were opened")
    read_server(found, server.data, server_records)
    lanes = _lanes(found, secrets) if secrets else None
    if lanes:
        pairs = ((client, client_records, lanes[0]), (server, server_records, lanes[1]))
        opened = [_open(found, stream, records, lane) for stream, records, lane in pairs]
        if all(lane.is_proven or not lane.needed for lane in lanes):
            found.sent, found.received = opened
        _certificate(found, lanes[1].handshake, tls13=True)
    found.refused_by = refusal(
        found,
        client_closed=client.closed,
        client=client_records,
        server=server_records,
        lanes=lanes,
    )
    return found


def _plain_messages(
    data: bytes, records: list[Record], *, tls13: bool
) -> Iterator[tuple[int, bytes, int]]:
    """Yield type, body and end of handshake messages sent in clear."""
    text, needed = bytearray(), 4
    for record in records:
        if record.type == HANDSHAKE:
            text += data[record.start + 5 : record.end]
            if len(text) < needed:
                continue
            at = 0
            for kind, body in messages_of(bytes(text)):
                at += 4 + len(body)
                yield kind, body, record.end
            del text[:at]
            needed = 4 + int.from_bytes(text[1:4], "big") if len(text) >= 4 else 4
            if needed > 4 + MESSAGE_LIMIT:
                return
        elif record.type == APPLICATION or (record.type == CHANGE_CIPHER and not tls13):
            return


def _read_client(found: TlsConversation, data: bytes, records: list[Record]) -> None:
    for kind, body, end in _plain_messages(data, records, tls13=False):
        if kind == 1:
            found.hello = parse_client_hello(body)
            found.hello_end = end
            return


def read_server(found: TlsConversation, data: bytes, records: list[Record]) -> None:
    """Note what the server's records say in clear: its answer and, before TLS 1.3, certificate."""
    for kind, body, _ in _plain_messages(data, records, tls13=True):
        if kind == 2 and (found.answer is None or found.answer.is_retry):
            found.answer = parse_server_hello(body)
        elif kind == 11 and found.answer and found.answer.version != TLS13:
            _certificate(found, [(kind, body)], tls13=False)
            return


def _certificate(found: TlsConversation, messages: list[tuple[int, bytes]], *, tls13: bool) -> None:
    for kind, body in messages:
        if kind == 11 and found.certificate is None:
            leaf = leaf_certificate(body, tls13=tls13)
            found.certificate = hashlib.sha256(leaf).hexdigest() if leaf else None


def _lanes(found: TlsConversation, secrets: dict[str, bytes]) -> tuple[Lane, Lane] | None:
    """Return what opens each direction; ``None`` where suite or secrets do not allow it."""
    hello, answer = found.hello, found.answer
    if hello is None or answer is None:
        return None
    suite = SUITES.get(answer.cipher)
    if suite is None:
        found.problems.append(f"records of cipher suite 0x{answer.cipher:04x} are not opened")
        return None
    if answer.version == TLS13:
        return _tls13_lanes(suite, secrets)
    master = secrets.get("CLIENT_RANDOM")
    if answer.version != TLS12 or master is None:
        return None
    mac_last = any(kind == _ENCRYPT_THEN_MAC for kind, _ in answer.extensions)
    one, two = tls12_openers(suite, master, hello.random, answer.random, mac_last=mac_last)
    return SuiteLane(one), SuiteLane(two)


def _tls13_lanes(suite: Suite, secrets: dict[str, bytes]) -> tuple[Lane, Lane] | None:
    lanes = []
    for side in ("CLIENT", "SERVER"):
        traffic = secrets.get(f"{side}_TRAFFIC_SECRET_0")
        if traffic is None:
            return None
        early = secrets.get("CLIENT_EARLY_TRAFFIC_SECRET") if side == "CLIENT" else None
        handshake = secrets.get(f"{side}_HANDSHAKE_TRAFFIC_SECRET")
        lanes.append(SecretLane(suite, early, handshake, traffic))
    return lanes[0], lanes[1]


def _open(
    found: TlsConversation, stream: ByteStream, records: list[Record], lane: Lane
) -> ByteStream:
    part = stream.part.replace("tcp.", "tls.", 1)
    plain = ByteStream(
        file=stream.file, part=part, direction=stream.direction, closed=stream.closed
    )
    gathered = bytearray()
    for record in records:
        header = stream.data[record.start : record.start + 5]
        text = lane.open(record.type, header, stream.data[record.start + 5 : record.end])
        if text:
            numbers = stream.numbers(record.start, record.end)
            plain.append(text, numbers, stream.time(record.end - 1), gathered)
        if lane.is_stuck:
            if lane.is_proven:
                found.problems.append(f"{part} opens only up to a record at {record.start}")
            break
        plain.closed = plain.closed or lane.is_closed
    end = records[-1].end if records else 0
    if not lane.is_stuck and end < len(stream.data) and not stream.closed:
        plain.closed = False
    plain.seal(gathered)
    return plain


def refusal(
    found: TlsConversation,
    *,
    client_closed: bool,
    client: list[Record],
    server: list[Record],
    lanes: tuple[Lane, Lane] | None = None,
) -> Literal["client", "server"] | None:
    """Return who broke off the handshake; a guess from lengths only where TLS 1.3 hides alerts."""
    if _fatal_alert(client, lanes[0] if lanes else None):
        return "client"
    if _fatal_alert(server, lanes[1] if lanes else None):
        return "server"
    if found.answer is None:
        return None
    hidden = next((item for item in client if item.type == APPLICATION), None)
    if found.answer.version == TLS13:
        if hidden and hidden.length == _ENCRYPTED_ALERT and lanes is None:
            return "client"
        return "client" if not hidden and client_closed else None
    after = hidden or any(item.type == CHANGE_CIPHER for item in client)
    return "client" if not after and client_closed else None


def _fatal_alert(records: list[Record], lane: Lane | None) -> bool:
    """Whether an alert stands before the handshake of this direction ended."""
    if lane is not None and lane.needed:
        return lane.alert_in_handshake
    for record in records:
        if record.type in {CHANGE_CIPHER, APPLICATION}:
            return False
        if record.type == ALERT:
            return True
    return False
