from __future__ import annotations

import struct

import pytest

from tests.readers import wire
from tests.readers.wire import CLIENT, SERVER

PACKET = wire.udp(CLIENT, 5000, SERVER, 6000, b"payload")
SIX = wire.udp("2001:db8::1", 5000, "2001:db8::2", 6000, b"payload")
FOUR, IP6 = b"\x08\x00", b"\x86\xdd"

LINKS = [
    (1, bytes(12) + FOUR),
    (1, bytes(12) + b"\x81\x00\x00\x05" + FOUR),
    (1, bytes(12) + b"\x88\xa8\x00\x05\x81\x00\x00\x06" + FOUR),
    (1, bytes(12) + b"\x00\x40\xaa\xaa\x03\x00\x00\x00" + FOUR),
    (1, bytes(12) + b"\x88\x64\x11\x00\x00\x01\x00\x40\x00\x21"),
    (1, bytes(12) + b"\x88\x47\x00\x01\x00\x40\x00\x02\x01\x40"),
    (101, b""), (12, b""), (228, b""),
    (0, b"\x02\x00\x00\x00"), (0, b"\x00\x00\x00\x02"), (108, b"\x00\x00\x00\x02"),
    (113, bytes(14) + FOUR), (276, FOUR + bytes(18)),
    (9, b"\xff\x03\x00\x21"), (9, b"\x00\x21"), (9, b"\x0f\x00" + FOUR), (104, b"\x0f\x00" + FOUR),
    (10, bytes(13) + b"\xaa\xaa\x03\x00\x00\x00" + FOUR),
    (258, struct.pack("<III", 108, 1, 101) + bytes(96)),
    (258, struct.pack("<III", 156, 1, 1) + bytes(144) + bytes(12) + FOUR),
]  # fmt: skip


def rows(folder, frames, *, link=1):
    return wire.read(folder, wire.pcapng(list(enumerate(frames)), link=link))


@pytest.mark.parametrize(("link", "head"), LINKS)
def test_each_link_type_leads_to_the_same_conversation(tmp_path, link, head):
    extract = rows(tmp_path, [head + PACKET], link=link)
    (row,) = extract.rows["conversations"]
    assert row["conversation"] == f"udp {CLIENT}:5000 > {SERVER}:6000"
    (payload,) = extract.payloads
    assert payload.data == b"payload"
    assert (head + PACKET)[payload.ref.start : payload.ref.end] == b"payload"


@pytest.mark.parametrize(
    "chain",
    [
        [(0, bytes(6))], [(60, bytes(14)), (43, bytes(6))], [(51, bytes(10))],
        [(0, bytes(6)), (60, bytes(6)), (135, bytes(6)), (44, bytes(6))],
    ],
)  # fmt: skip
def test_ipv6_extension_headers_are_passed_over(tmp_path, chain):
    body, follows = SIX[40:], 17
    for kind, options in reversed(chain):
        length = {44: 0, 51: (len(options) + 2) // 4 - 2}.get(kind, (len(options) + 2) // 8 - 1)
        body = bytes((follows, length)) + options + body
        follows = kind
    packet = wire.ip("2001:db8::1", "2001:db8::2", follows, body)
    extract = rows(tmp_path, [wire.ethernet(packet)])
    assert extract.rows["conversations"][0]["conversation"].startswith("udp [2001:db8::1]:5000")
    assert [payload.data for payload in extract.payloads] == [b"payload"]


def test_padding_of_short_frames_is_no_payload(tmp_path):
    extract = rows(tmp_path, [wire.ethernet(PACKET) + bytes(30)])
    assert [payload.data for payload in extract.payloads] == [b"payload"]
    assert extract.rows["conversations"][0]["bytes_out"] == len(PACKET) + 14 + 30


def test_a_length_left_open_for_the_network_card_means_the_rest_of_the_frame(tmp_path):
    extract = rows(tmp_path, [wire.ethernet(PACKET[:2] + b"\0\0" + PACKET[4:])])
    assert [payload.data for payload in extract.payloads] == [b"payload"]


def test_ip_options_are_passed_over(tmp_path):
    packet = bytes((0x46,)) + PACKET[1:2] + (len(PACKET) + 4).to_bytes(2, "big")
    packet += PACKET[4:20] + b"\x01\x01\x01\x01" + PACKET[20:]
    extract = rows(tmp_path, [wire.ethernet(packet)])
    assert [payload.data for payload in extract.payloads] == [b"payload"]


@pytest.mark.parametrize("size", range(len(PACKET) + 14))
def test_a_frame_cut_anywhere_is_no_error(tmp_path, size):
    extract = rows(tmp_path, [wire.ethernet(PACKET)[:size], wire.ethernet(SIX)[:size]])
    assert len(extract.rows.get("conversations", [])) <= 2


def test_packets_of_a_link_type_that_is_not_read_are_said(tmp_path):
    extract = rows(tmp_path, [bytes(60)] * 3, link=127)
    assert extract.truncated == ["3 packets of link type 127 carry no addresses that could be read"]
    assert extract.rows == {}
