from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.readers import wire
from tests.readers.wire import TcpTalk

HEADERS = [
    (":method", "POST"), (":scheme", "http"), (":authority", "Api.example:8443"),
    (":path", "/v1/x?id=7"), ("user-agent", "agent/1"), ("cookie", "a=b"), ("cookie", "c=d"),
]  # fmt: skip


def conversation(*, bodies=((b'{"b":1,', b'"a":2}'),), padding=None):
    """Bytes that the h2 library sends for requests with these bodies, and the answers."""
    from h2.config import H2Configuration
    from h2.connection import H2Connection

    client = H2Connection(H2Configuration(client_side=True))
    server = H2Connection(H2Configuration(client_side=False))
    client.initiate_connection()
    server.initiate_connection()
    for index, pieces in enumerate(bodies):
        number = 1 + 2 * index
        client.send_headers(number, HEADERS)
        for piece in pieces:
            client.send_data(number, piece, pad_length=padding)
        client.end_stream(number)
    sent = client.data_to_send()
    server.receive_data(sent)
    for index in range(len(bodies)):
        number = 1 + 2 * index
        server.send_headers(number, [(":status", "103"), ("link", "hint")])
        server.send_headers(number, [(":status", "201"), ("x-served", str(index))])
        server.send_data(number, b"done")
        server.send_headers(number, [("x-trailer", "end")], end_stream=True)
    return sent, server.data_to_send()


def read(folder, sent, received, *, close=True):
    made = TcpTalk(sport=81).open().sent(sent).received(received)
    return wire.read_talk(folder, made.close() if close else made)


def test_requests_and_answers_are_rows(tmp_path):
    extract = read(tmp_path, *conversation(bodies=((b'{"b":1,', b'"a":2}'), (b"two",))))
    first, second = extract.rows["http_requests"]
    assert (first["method"], first["path"], first["query"]) == ("POST", "/v1/x", "id=7")
    assert (first["host"], first["user_agent"]) == ("api.example", "agent/1")
    assert (first["json"], first["body_len"], second["body_len"]) == ('{"a":2,"b":1}', 13, 3)
    assert json.loads(first["headers"])["cookie"] == "a=b; c=d"
    answers = extract.rows["http_responses"]
    assert [(row["status"], row["path"], row["body_len"]) for row in answers] == [
        (201, "/v1/x", 4)
    ] * 2
    assert extract.truncated == []


def test_every_part_is_searched_and_named(tmp_path):
    extract = read(tmp_path, *conversation())
    found = {(p.location, p.detail): (p.data, p.ref.part) for p in extract.payloads}
    assert found["body", ""] == (b'{"b":1,"a":2}', "tcp.sent/h2.1.request.body")
    assert found["query", ""][0] == b"id=7"
    assert found["header", "user-agent"] == (b"agent/1", "tcp.sent/h2.1.request.head")
    assert found["header", ":authority"][0] == b"Api.example:8443"
    assert found["cookie", "c"][0] == b"d"
    assert found["trailer", "x-trailer"] == (b"end", "tcp.received/h2.1.response.trailers")
    assert found["trailer", "link"] == (b"hint", "tcp.received/h2.1.response.trailers")
    assert all(payload.ref.records for payload in extract.payloads)


def test_padding_is_no_part_of_a_body(tmp_path):
    extract = read(tmp_path, *conversation(padding=9))
    assert extract.rows["http_requests"][0]["body_len"] == 13


def test_a_stream_that_never_ended_is_said(tmp_path):
    sent, received = conversation(bodies=((b"x" * 500,),))
    extract = read(tmp_path, sent[:-400], received, close=False)
    assert any("HTTP/2" in said for said in extract.truncated)
    assert len(extract.rows["http_requests"]) == 1


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_any_damage_gives_rows_or_is_said(tmp_path_factory, data):
    sent, received = conversation()
    sent = bytearray(sent)
    for _ in range(data.draw(st.integers(1, 6))):
        sent[data.draw(st.integers(24, len(sent) - 1))] = data.draw(st.integers(0, 255))
    read(tmp_path_factory.mktemp("h2"), bytes(sent), received)


def test_padding_odd_frames_and_pseudo_fields_are_searched(tmp_path):
    from h2.config import H2Configuration
    from h2.connection import H2Connection

    settings_off = H2Configuration(client_side=True, validate_outbound_headers=False)
    client = H2Connection(settings_off)
    client.initiate_connection()
    client.send_headers(1, [*HEADERS[:4], (":canary", "x"), ("x-canary", "1")], end_stream=True)
    sent = client.data_to_send()
    odd = (6).to_bytes(3, "big") + b"\xfa\0" + bytes(4) + b"canary"
    padded = (9).to_bytes(3, "big") + b"\0\x09" + (1).to_bytes(4, "big") + b"\x06ab" + b"canary"
    extract = read(tmp_path, sent + odd + padded, b"")
    raw = [p for p in extract.payloads if p.data == b"canary"]
    assert [(p.ref.start, p.ref.end) for p in raw] == [
        (len(sent) + 9, len(sent) + 15), (len(sent) + 15 + 9 + 3, len(sent) + 15 + 18)
    ]  # fmt: skip
    found = {p.data: p.ref.part for p in extract.payloads}
    assert found[b":canary: x"] == "tcp.sent/h2.1.request.head/:canary"
    assert found[b"Api.example:8443"] == "tcp.sent/h2.1.request.head/:authority"
    assert found[b"x-canary"] == "tcp.sent/h2.1.request.head"


def test_a_connect_is_searched_as_part_of_its_conversation(tmp_path):
    from h2.config import H2Configuration
    from h2.connection import H2Connection

    client = H2Connection(H2Configuration(client_side=True, validate_outbound_headers=False))
    client.initiate_connection()
    client.send_headers(1, [(":method", "CONNECT"), (":authority", "canary:1"), ("x-id", "canary")])
    client.send_data(1, b"inside", end_stream=True)
    extract = read(tmp_path, client.data_to_send(), b"")
    found = {p.data for p in extract.payloads if p.table == "conversations"}
    assert {b"canary:1", b"x-id", b"canary", b"inside"} <= found
    assert "http_requests" not in extract.rows
