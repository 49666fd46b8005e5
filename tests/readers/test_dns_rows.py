from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.readers.dnsmessage import is_dns, parse_dns
from tests.readers import wire
from tests.readers.wire import CLIENT, TcpTalk

RESOLVER = "198.51.100.53"


def name(text):
    return (
        b"".join(bytes((len(label),)) + label for label in text.encode().split(b".") if label)
        + b"\0"
    )


def query(text, kind=1, *, ident=7, edns=b""):
    data = struct.pack("!HHHHHH", ident, 0x0100, 1, 0, 0, 1 if edns else 0)
    data += name(text) + struct.pack("!HH", kind, 1)
    return data + (b"\0" + struct.pack("!HHIH", 41, 1232, 0, len(edns)) + edns if edns else b"")


def answer(text, records, kind=1, *, ident=7):
    data = struct.pack("!HHHHHH", ident, 0x8180, 1, len(records), 0, 0)
    data += name(text) + struct.pack("!HH", kind, 1)
    for rtype, value in records:
        data += b"\xc0\x0c" + struct.pack("!HHIH", rtype, 1, 60, len(value)) + value
    return data


def named(extract):
    return [payload for payload in extract.payloads if not payload.detail]


def exchange(*datagrams, port=53, server=RESOLVER):
    packets = [
        wire.udp(CLIENT, 5000, server, port, data)
        if up
        else wire.udp(server, port, CLIENT, 5000, data)
        for up, data in datagrams
    ]
    return wire.pcapng(wire.frames(packets))


def test_a_question_and_its_answers_are_one_row(tmp_path):
    records = [(5, name("real.example")), (1, bytes((192, 0, 2, 5))), (28, bytes(15) + b"\1")]
    extract = wire.read(
        tmp_path, exchange((True, query("WWW.Example")), (False, answer("WWW.Example", records)))
    )
    (row,) = extract.rows["dns_queries"]
    assert (row["name"], row["qtype"], row["server"]) == ("www.example", "A", RESOLVER)
    assert row["answers"] == ("real.example", "192.0.2.5", "::1")
    assert (row["protocol"], row["host"], row["ref"]) == ("udp", None, "packets.pcapng#1:dns")
    (payload,) = named(extract)
    assert (payload.location, payload.data) == ("dns", b"WWW.Example")


def test_the_reference_of_a_name_points_at_its_labels_in_the_frame(tmp_path):
    data = exchange((True, query("one.two.example")))
    extract = wire.read(tmp_path, data)
    (payload,) = named(extract)
    frame = wire.ethernet(wire.udp(CLIENT, 5000, RESOLVER, 53, query("one.two.example")))
    assert frame[payload.ref.start : payload.ref.end] == b"one\3two\7example"


def test_a_repeated_question_is_the_same_question(tmp_path):
    extract = wire.read(tmp_path, exchange((True, query("a.example")), (True, query("a.example"))))
    assert len(extract.rows["dns_queries"]) == 1


def test_questions_on_other_ports_are_known_by_their_bytes(tmp_path):
    extract = wire.read(tmp_path, exchange((True, query("hidden.example")), port=5300))
    assert extract.rows["dns_queries"][0]["name"] == "hidden.example"


def test_multicast_names_are_named_by_their_protocol(tmp_path):
    asked = wire.udp(CLIENT, 5353, "224.0.0.251", 5353, query("_http._tcp.local", 12))
    told = answer("my-phone.local", [(1, bytes((192, 0, 2, 9)))])
    told = told[:4] + b"\0\0" + told[6:12] + name("my-phone.local") + told[-14:]
    said = wire.udp(CLIENT, 5353, "224.0.0.251", 5353, told)
    extract = wire.read(tmp_path, wire.pcapng(wire.frames([asked, said])))
    found = {(row["name"], row["protocol"], row["answers"]) for row in extract.rows["dns_queries"]}
    assert found == {("_http._tcp.local", "mdns", ()), ("my-phone.local", "mdns", ("192.0.2.9",))}


def test_edns_options_are_searched(tmp_path):
    subnet = struct.pack("!HHBB", 1, 32, 0, 0)[:4] + bytes((192, 0, 2, 10))
    option = struct.pack("!HH", 8, len(subnet)) + subnet
    extract = wire.read(tmp_path, exchange((True, query("a.example", edns=option))))
    found = [p for p in extract.payloads if p.detail == "edns option 8"]
    assert [payload.data for payload in found] == [subnet]


@pytest.mark.parametrize(
    ("family", "prefix", "sent", "text"),
    [
        (1, 32, bytes((192, 0, 2, 10)), "192.0.2.10"),
        (1, 24, bytes((192, 0, 2)), "192.0.2.0/24"),
        (1, 24, bytes((192, 0, 2, 10)), "192.0.2.10"),
        (2, 128, bytes.fromhex("20010db8") + bytes(11) + b"\1", "2001:db8::1"),
        (2, 56, bytes.fromhex("20010db8000001"), "2001:db8:0:100::/56"),
        (1, 0, b"", None),
        (1, 32, bytes(5), None),
        (3, 8, b"a", None),
    ],
)
def test_the_address_of_an_edns_client_subnet_is_searched_as_text(
    tmp_path, family, prefix, sent, text
):
    subnet = struct.pack("!HBB", family, prefix, 0) + sent
    option = struct.pack("!HH", 8, len(subnet)) + subnet
    extract = wire.read(tmp_path, exchange((True, query("a.example", edns=option))))
    found = [p for p in extract.payloads if p.detail == "edns client subnet"]
    assert [payload.data for payload in found] == ([text.encode()] if text else [])
    for payload in found:
        assert (payload.direction, payload.ref.start, payload.ref.end) == ("sent", 0, len(text))


def test_dns_over_tcp_is_read(tmp_path):
    def framed(data):
        return len(data).to_bytes(2, "big") + data

    made = TcpTalk(sport=5353 + 1000).open()
    made.sent(framed(query("a.example")) + framed(query("b.example", ident=8)))
    made.received(framed(answer("a.example", [(1, bytes(4))])))
    extract = wire.read_talk(tmp_path, made.close())
    rows = {row["name"]: row for row in extract.rows["dns_queries"]}
    assert rows.keys() == {"a.example", "b.example"}
    assert (rows["a.example"]["protocol"], rows["a.example"]["answers"]) == ("tcp", ("0.0.0.0",))


def test_a_datagram_in_fragments_is_put_together(tmp_path):
    long = ".".join(["x" * 40] * 5)
    whole = wire.udp(CLIENT, 5000, RESOLVER, 53, query(long))[20:]
    parts = [
        wire.ip(CLIENT, RESOLVER, 17, whole[:64], ident=9, fragment=0x2000),
        wire.ip(CLIENT, RESOLVER, 17, whole[64:], ident=9, fragment=8),
    ]
    for order in (parts, parts[::-1]):
        extract = wire.read(tmp_path, wire.pcapng(wire.frames(order)))
        (row,) = extract.rows["dns_queries"]
        assert row["name"] == long
        assert extract.payloads[0].ref.records == (1, 2)
        assert len(extract.rows["conversations"]) == 1
        assert not extract.truncated


def test_a_name_that_points_at_itself_ends():
    data = struct.pack("!HHHHHH", 1, 0x0100, 1, 0, 0, 0) + b"\xc0\x0c\0\1\0\1"
    assert parse_dns(data) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_none(data):
    parse_dns(query("a.example") + data)
    parse_dns(data)
    is_dns(data)


def covered(extract, frame):
    """Bytes of a frame that payloads have, each checked against its reference."""
    found = bytearray(len(frame))
    for payload in extract.payloads:
        data = frame[payload.ref.start : payload.ref.end]
        assert payload.data in {data, b".".join([data[:-8], data[-7:]])}
        found[payload.ref.start : payload.ref.end] = b"x" * len(data)
    return found


def test_every_byte_that_the_client_sends_is_in_some_payload(tmp_path):
    option = struct.pack("!HH", 65001, 6) + b"canary"
    data = query("a.example", edns=option) + b"behind the message"
    extract = wire.read(tmp_path, exchange((True, data)))
    frame = wire.ethernet(wire.udp(CLIENT, 5000, RESOLVER, 53, data))
    assert covered(extract, frame)[-len(data) :] == b"x" * len(data)
    assert {payload.table for payload in extract.payloads} == {"dns_queries"}
    assert b"canary" in {payload.data for payload in extract.payloads}


def test_an_answer_that_the_client_sends_is_searched(tmp_path):
    data = answer("a.example", [(16, b"\x06canary"), (10, b"canary too")], 16)
    extract = wire.read(tmp_path, exchange((True, data)))
    assert any(b"canary" in p.data and p.direction == "sent" for p in extract.payloads)
    without = data[:4] + bytes.fromhex("0000000100000000") + name("b.example")
    without += struct.pack("!HHIH", 16, 1, 60, 7) + b"\x06canary"
    extract = wire.read(tmp_path, exchange((True, without)))
    (payload,) = extract.payloads
    assert (payload.table, payload.location, payload.data) == ("conversations", "dns", without)
    received = wire.read(tmp_path, exchange((True, query("a.example", 16)), (False, data)))
    assert {payload.direction for payload in received.payloads} == {"sent"}


def test_a_question_repeated_in_other_letters_is_searched_again(tmp_path):
    first, second = query("a.example"), query("A.exaMple")
    extract = wire.read(tmp_path, exchange((True, first), (True, first), (True, second)))
    assert [payload.data for payload in named(extract)] == [b"a.example"]
    assert len(extract.rows["dns_queries"]) == 1
    assert sum(b"exaMple" in payload.data for payload in extract.payloads) == 1
    assert sum(payload.detail == "message" for payload in extract.payloads) == 3
