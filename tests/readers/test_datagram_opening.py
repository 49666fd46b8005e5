from __future__ import annotations

import struct

from audit.readers.datagrams import JOINED_LIMIT
from tests.readers import wire
from tests.readers.wire import CLIENT, SERVER


def read(folder, *packets):
    return wire.read(folder, wire.pcapng(wire.frames(packets)))


def frame_bytes(payload, packet):
    return wire.ethernet(packet)[payload.ref.start : payload.ref.end]


def test_a_value_cut_over_datagrams_is_searched_joined(tmp_path):
    up = [wire.udp(CLIENT, 5000, SERVER, 9090, data) for data in (b"can", b"ary", b"!")]
    down = wire.udp(SERVER, 9090, CLIENT, 5000, b"one answer")
    extract = read(tmp_path, up[0], down, *up[1:])
    (joined,) = [p for p in extract.payloads if p.seams]
    assert (joined.data, joined.seams, joined.direction) == (b"canary!", (3, 6), "sent")
    assert str(joined.ref) == "packets.pcapng#1,3,4:udp.sent@0-7"
    assert len(extract.payloads) == 5


def test_joined_datagrams_are_bounded(tmp_path):
    sent = [wire.udp(CLIENT, 5000, SERVER, 9090, bytes(60_000)) for _ in range(20)]
    extract = read(tmp_path, *sent)
    (joined,) = [p for p in extract.payloads if p.seams]
    assert len(joined.data) <= JOINED_LIMIT
    assert len(extract.payloads) == 21


def test_what_the_client_sends_by_other_protocols_is_searched(tmp_path):
    timestamp = wire.ip(CLIENT, SERVER, 1, b"\x0d\0" + bytes(6) + b"canary")
    other = wire.ip(CLIENT, SERVER, 99, b"canary of protocol 99")
    received = wire.ip(SERVER, CLIENT, 99, b"theirs")
    extract = read(tmp_path, timestamp, other, received)
    assert [p.data for p in extract.payloads] == [b"canary", b"canary of protocol 99"]
    for payload, packet in zip(extract.payloads, (timestamp, other), strict=True):
        assert frame_bytes(payload, packet) == payload.data
    assert {row["content"] for row in extract.rows["conversations"]} == {"empty"}


def test_an_error_that_quotes_a_packet_is_searched_without_its_addresses(tmp_path):
    quoted = wire.udp(SERVER, 9090, CLIENT, 5000, b"canary of theirs")
    sent = wire.ip(CLIENT, SERVER, 1, b"\x03\x03" + bytes(6) + quoted)
    (payload,) = read(tmp_path, sent).payloads
    assert payload.data == b"canary of theirs"
    assert frame_bytes(payload, sent) == payload.data


def test_neighbours_of_ipv6_are_no_evidence(tmp_path):
    a, b = "fe80::1", "fe80::2"
    asked = wire.ip(a, b, 58, struct.pack("!BBHI", 135, 0, 0, 0) + wire.packed(b) + b"\1\1abcdef")
    assert wire.read(tmp_path, wire.pcapng(wire.frames([asked])), client=(a,)).payloads == []


def test_a_message_of_stun_is_searched_whole(tmp_path):
    attribute = struct.pack("!HH", 0x8022, 8) + b"canary!!"
    data = struct.pack("!HH", 1, len(attribute)) + b"\x21\x12\xa4\x42" + b"transaction!" + attribute
    packet = wire.udp(CLIENT, 5000, SERVER, 3478, data)
    (payload,) = read(tmp_path, packet).payloads
    assert (payload.table, payload.data) == ("stun_messages", data)
    assert frame_bytes(payload, packet) == data
