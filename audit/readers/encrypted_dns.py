"""DNS inside other protocols: over TLS, HTTPS and QUIC (RFC 7858, RFC 8484, RFC 9250).

Sealed conversations are recognised by port, ALPN, or the name of a known resolver; where HTTP could
be read, its DNS messages become rows of ``dns_queries``.
"""

from __future__ import annotations

import binascii
import csv
from base64 import urlsafe_b64decode
from functools import cache
from importlib.resources import files
from typing import Final, Literal
from urllib.parse import parse_qs

from audit.readers.dns_types import type_name
from audit.readers.dnsmessage import DnsMessage, name_text, parse_dns
from audit.tables.extract import Extract, Payload
from audit.tables.frames import Row

PORT: Final = 853
"""Port of DNS over TLS and over QUIC."""
MEDIA_TYPE: Final = "application/dns-message"
_TABLES: Final = ("http_requests", "http_responses")
_SHARED: Final = ("capture", "ts", "responder_ip", "layer", "taps", "conversation")


@cache
def resolver_names() -> frozenset[str]:
    """Return the names under which public resolvers are known to answer over HTTPS."""
    text = (files("audit.readers") / "resolvers.csv").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return frozenset(row["name"] for row in csv.DictReader(lines))


def sealed_name(
    carrier: Literal["tls", "quic"], port: int | None, alpn: tuple[str, ...], host: str | None
) -> str:
    """Return what a TLS or QUIC conversation is for: dot, doq, doh, else the carrier's name."""
    if port == PORT or "dot" in alpn or "doq" in alpn:
        return "dot" if carrier == "tls" else "doq"
    if host in resolver_names():
        return "doh"
    return carrier


def add_doh(extract: Extract) -> None:
    """Add a row for each question in the HTTP messages that carry DNS, answers merged into it."""
    asked: dict[tuple[object, bytes, int], Row] = {}
    for index, row in enumerate(extract.rows.get("http_requests", ())):
        query = str(row.get("query") or "")
        if "dns=" in query:
            for text in parse_qs(query).get("dns", ()):
                data = _unpacked(text)
                message = parse_dns(data) if data else None
                if message is not None:
                    _add(extract, asked, "http_requests", index, str(row["ref"]), message)
    for payload in list(extract.payloads):
        if payload.table in _TABLES and _is_message(payload):
            message = parse_dns(payload.data)
            if message is not None:
                _add(extract, asked, payload.table, payload.row, str(payload.ref), message)


def _is_message(payload: Payload) -> bool:
    kind = (payload.content_type or "").partition(";")[0].strip().lower()
    return kind == MEDIA_TYPE and payload.location in {"body", "response"}


def _unpacked(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        return b""


def _add(
    extract: Extract,
    asked: dict[tuple[object, bytes, int], Row],
    table: str,
    index: int,
    ref: str,
    message: DnsMessage,
) -> None:
    owner = extract.rows[table][index]
    for question in message.questions:
        key = (owner.get("conversation"), question.name.lower(), question.qtype)
        row = asked.get(key)
        if row is None:
            row = asked[key] = {name: owner.get(name) for name in _SHARED}
            row |= {
                "ref": ref,
                "host": None,
                "name": name_text(question.name),
                "qtype": type_name(question.qtype),
                "server": owner.get("responder_ip"),
                "answers": (),
                "protocol": "doh",
            }
            extract.add("dns_queries", row)
        if message.is_response:
            known = row["answers"]
            found = dict.fromkeys(known if isinstance(known, tuple) else ())
            found |= dict.fromkeys(
                item.value for item in message.records if item.is_answer and item.value
            )
            row["answers"] = tuple(found)
