from __future__ import annotations

import struct
from base64 import urlsafe_b64encode

import pytest

from audit.readers.encrypted_dns import add_doh, resolver_names, sealed_name
from audit.tables.extract import Extract, Payload
from audit.tables.reference import Reference
from tests.readers import wire
from tests.readers.wire import CLIENT, SERVER, TcpTalk

QUESTION = b"\x04name\x07example\0" + struct.pack("!HH", 1, 1)
ASKED = struct.pack("!HHHHHH", 0, 0x100, 1, 0, 0, 0) + QUESTION
ANSWERED = (
    struct.pack("!HHHHHH", 0, 0x8180, 1, 1, 0, 0) + QUESTION
    + b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 9, 4) + bytes((192, 0, 2, 1))
)  # fmt: skip


@pytest.mark.parametrize(
    ("carrier", "port", "alpn", "host", "name"),
    [
        ("tls", 853, (), None, "dot"), ("tls", 443, ("dot",), None, "dot"),
        ("quic", 853, ("doq",), None, "doq"), ("tls", 443, ("h2",), "dns.google", "doh"),
        ("quic", 443, ("h3",), "dns.google", "doh"), ("tls", 443, ("h2",), "a.example", "tls"),
        ("quic", 443, ("h3",), "a.example", "quic"),
    ],
)  # fmt: skip
def test_dns_in_disguise_is_named(carrier, port, alpn, host, name):
    assert sealed_name(carrier, port, alpn, host) == name


def test_the_list_of_resolvers_holds_names_only():
    assert all(name == name.lower().strip(".") and "." in name for name in resolver_names())


def payload(table, data, direction, location="body"):
    return Payload(
        table=table, row=0, location=location, detail="", direction=direction, data=data,
        ref=Reference(file="f", records=(1,)), content_type="application/dns-message; a=b",
    )  # fmt: skip


def test_messages_in_http_bodies_become_one_row_a_question():
    row = {"conversation": "tcp a > b", "responder_ip": "192.0.2.53", "ref": "f#1", "query": ""}
    extract = Extract(rows={"http_requests": [row], "http_responses": [dict(row)]})
    extract.payloads = [
        payload("http_requests", ASKED, "sent"), payload("http_responses", ANSWERED, "received"),
    ]  # fmt: skip
    add_doh(extract)
    (found,) = extract.rows["dns_queries"]
    assert (found["name"], found["qtype"], found["protocol"]) == ("name.example", "A", "doh")
    assert (found["answers"], found["server"]) == (("192.0.2.1",), "192.0.2.53")


def test_a_message_in_the_query_is_read_too():
    text = urlsafe_b64encode(ASKED).decode().rstrip("=")
    rows = [
        {"conversation": "c", "ref": "f#1", "query": f"ct&dns={text}"},
        {"conversation": "c", "ref": "f#2", "query": "dns=%%%"},
        {"conversation": "c", "ref": "f#2", "query": "dns=AAAA"},
    ]
    extract = Extract(rows={"http_requests": rows})
    add_doh(extract)
    assert [row["name"] for row in extract.rows["dns_queries"]] == ["name.example"]


def applications(tmp_path, packets):
    extract = wire.read(tmp_path, wire.pcapng(wire.frames(packets)))
    return [row["application"] for row in extract.rows["conversations"]]


@pytest.mark.parametrize(("port", "name"), [(53, "dns"), (5353, "mdns"), (5355, "llmnr")])
def test_plain_dns_is_named_by_its_port(tmp_path, port, name):
    assert applications(tmp_path, [wire.udp(CLIENT, 5000, SERVER, port, ASKED)]) == [name]


def test_what_is_not_known_has_no_name_and_http_has_one(tmp_path):
    talk = TcpTalk().open().sent(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n").close()
    packets = [*talk.packets, wire.udp(CLIENT, 5000, SERVER, 7, b"\xff")]
    assert applications(tmp_path, packets) == ["http", None]
