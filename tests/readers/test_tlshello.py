"""Hellos that are longer than a segment come out whole, however their segments come."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.readers.tlshello import first_records, parse_client_hello, parse_server_hello, records_of
from tests.readers import wire
from tests.readers.test_glance import extension, message, record, server_hello
from tests.readers.wire import CLIENT, TcpTalk

NAME = b"long.example"


def long_hello(size=3000):
    found = extension(0, b"\0\x0f\0\0\x0c" + NAME)
    found += extension(43, b"\2\3\4") + extension(51, bytes(size)) + extension(16, b"\0\3\2h2")
    body = b"\3\3" + bytes(range(32)) + b"\0\0\4\x13\1\x13\2\1\0"
    return message(1, body + len(found).to_bytes(2, "big") + found)


def handshake(found):
    (row,) = found.rows["tls_handshakes"]
    return row["sni"], row["alpn"], row["ja3"], row["ja4"], row["version"]


@pytest.mark.parametrize("cuts", [(), (700,), (5, 900, 901)])
def test_a_hello_over_records_and_segments(tmp_path, cuts):
    hello, edges = long_hello(), [0, *cuts, None]
    talk = TcpTalk(sport=443, mss=536).open()
    for begin, end in pairwise(edges):
        talk.sent(record(22, hello[begin:end]))
    talk.received(record(22, server_hello(random.Random(1), tls13=True)) + record(23, bytes(50)))
    sni, alpn, ja3, ja4, version = handshake(wire.read_talk(tmp_path, talk.close()))
    assert (sni, alpn, version) == (NAME.decode(), ("h2",), "TLSv1.3")
    assert len(ja3) == 32
    assert ja4.startswith("t13d0204h2_")


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1 << 40))
def test_segments_of_a_hello_in_any_order_and_sent_again(tmp_path_factory, seed):
    draw = random.Random(seed)
    answer = record(22, server_hello(random.Random(1), tls13=True)) + record(23, bytes(50))
    talk = TcpTalk(sport=443, mss=draw.randrange(90, 700)).open()
    begin = len(talk.packets)
    talk.sent(record(22, long_hello()))
    hello = talk.packets[begin:]
    talk.received(answer).close()
    packets = talk.packets
    wanted = handshake(wire.read_talk(tmp_path_factory.mktemp("whole"), talk))
    doubled = hello + draw.choices(hello, k=3)
    draw.shuffle(doubled)
    mixed = [*packets[:begin], *doubled, *packets[begin + len(hello) :]]
    found = wire.read(tmp_path_factory.mktemp("mixed"), wire.pcapng(wire.frames(mixed)))
    assert handshake(found) == wanted
    assert found.rows["conversations"][0]["missed_bytes"] == 0
    assert found.rows["conversations"][0]["originator_ip"] == CLIENT


@given(st.binary(max_size=200), st.integers(0, 3))
def test_the_first_records_are_those_of_all(data, limit):
    body = record(22, b"abc") + record(23, b"de") + data
    assert first_records(body, 0, limit) == list(records_of(body))[:limit]


@given(st.binary(max_size=120), st.integers(0, 200))
def test_any_bytes_are_a_hello_or_none(data, cut):
    parse_client_hello(data)
    parse_client_hello(data, datagram=True)
    parse_server_hello(data)
    whole = long_hello(100)[4:]
    found = parse_client_hello(whole[:cut] + data)
    assert found is None or len(found.random) == 32
