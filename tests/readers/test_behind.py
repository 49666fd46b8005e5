from __future__ import annotations

import struct
import zlib

import pytest

from tests.readers import wire
from tests.readers.wire import CLIENT, SERVER, TcpTalk

TEXT = b" a value behind all "
SHORT = wire.ip(CLIENT, SERVER, 17, struct.pack("!HHHH", 5000, 9999, 10, 0) + b"hi")


def found(folder, *packets):
    frames = [packet if packet[:12] == bytes(12) else wire.ethernet(packet) for packet in packets]
    extract = wire.read(folder, wire.pcapng([(wire.START_NS, frame) for frame in frames]))
    payloads = [p for p in extract.payloads if p.data.strip(b"hi")]
    for payload in payloads:
        frame = frames[payload.ref.records[0] - 1]
        assert frame[payload.ref.start : payload.ref.end] == payload.data
        assert payload.direction == "sent"
    return [payload.data for payload in payloads]


def test_bytes_behind_the_length_of_udp_or_ip_are_searched(tmp_path):
    options = wire.ip(CLIENT, SERVER, 17, struct.pack("!HHHH", 5000, 9999, 10, 0) + b"hi" + TEXT)
    assert found(tmp_path, options) == [TEXT]
    assert found(tmp_path, SHORT + TEXT) == [TEXT]
    assert found(tmp_path, SHORT + bytes(18) + TEXT) == [bytes(18) + TEXT]
    arp = bytes(12) + b"\x08\x06\0\1\x08\0\6\4\0\1" + bytes(6) + wire.packed(CLIENT) + bytes(10)
    assert found(tmp_path, arp + TEXT) == [TEXT]


@pytest.mark.parametrize("size", [0, 1, 5, 16, 18, 40])
def test_padding_and_check_sums_are_nothing(tmp_path, size):
    frame = wire.ethernet(SHORT) + bytes(size)
    summed = frame + zlib.crc32(frame).to_bytes(4, "little")
    assert found(tmp_path, frame, summed) == []


def segment(options):
    options += bytes(-len(options) % 4)
    offset = (20 + len(options)) // 4 << 4
    head = struct.pack("!HHIIBBHHH", 40_000, 80, 1000, 0, offset, 2, 1024, 0, 0)
    return wire.ip(CLIENT, SERVER, 6, head + options)


@pytest.mark.parametrize("kind", [253, 254, 77])
def test_data_in_odd_tcp_options_is_searched(tmp_path, kind):
    odd = bytes((kind, 2 + len(TEXT))) + TEXT
    assert found(tmp_path, segment(b"\2\4\5\xb4\1\1" + odd)) == [TEXT]
    assert found(tmp_path, segment(odd + b"\1\3\3\7")) == [TEXT]


def test_common_tcp_options_are_nothing(tmp_path):
    usual = b"\2\4\5\xb4\4\2\x08\x0a" + b"\xfd" * 8 + b"\1\3\3\7"
    stamps = b"\1\1\x08\x0a" + b"\xfe" * 8
    blocks = stamps + b"\1\1\5\x12" + b"\xfd" * 16
    assert found(tmp_path, *map(segment, (usual, stamps, blocks, b"\xfd\1", b"\xfd\0"))) == []


def test_bytes_behind_segments_of_a_stream_are_no_part_of_it(tmp_path):
    made = TcpTalk().open().sent(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n").close()
    frames = [packet + TEXT if at == 3 else packet for at, packet in enumerate(made.packets)]
    extract = wire.read(tmp_path, wire.pcapng(wire.frames(frames)))
    assert len(extract.rows["http_requests"]) == 1
    assert [p.data for p in extract.payloads if p.table == "conversations"] == [TEXT]


def test_packets_of_other_ethertypes_are_said_one_by_one(tmp_path):
    frames = [
        bytes(12) + b"\x88\xb5one", bytes(12) + b"\x88\xb5two", bytes(12) + b"\x88\xccname",
        bytes(12) + b"\x08\0\x44" + SHORT[1:],
    ]  # fmt: skip
    extract = wire.read(tmp_path, wire.pcapng([(wire.START_NS, frame) for frame in frames]))
    tail = "carry no addresses that could be read"
    assert extract.truncated == [
        f"1 packets of link type 1 are no IPv4 of a known form and {tail}",
        f"2 packets of link type 1 and EtherType 0x88b5 {tail}",
    ]
    assert extract.limits == [f"1 packets of link type 1 and EtherType 0x88cc {tail}"]
