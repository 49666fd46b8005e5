from __future__ import annotations

import random
import struct

import pytest

from audit.readers.communityid import community_id
from tests.readers import wire
from tests.readers.wire import CLIENT, SERVER, TcpTalk, packed


@pytest.mark.parametrize(
    ("proto", "src", "dst", "sport", "dport", "wanted"),
    [  # test vectors of the specification's own repository
        (6, "128.232.110.120", "66.35.250.204", 34855, 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
        (6, "66.35.250.204", "128.232.110.120", 80, 34855, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
        (17, "192.168.1.52", "8.8.8.8", 54585, 53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="),
        (1, "192.168.0.89", "192.168.0.1", 8, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="),
    ],
)
def test_community_ids_are_those_of_the_specification(proto, src, dst, sport, dport, wanted):
    assert community_id(proto, packed(src), packed(dst), sport, dport) == wanted


def row(extract, index=0):
    return extract.rows["conversations"][index]


def test_a_conversation_counts_packets_and_bytes_each_way(tmp_path):
    talk = TcpTalk().open().sent(b"x" * 10).received(b"y" * 20).close()
    found = row(wire.read_talk(tmp_path, talk))
    assert found["conversation"] == f"tcp {CLIENT}:40000 > {SERVER}:80"
    assert (found["packets_out"], found["packets_in"]) == (5, 3)
    assert (found["bytes_out"], found["bytes_in"]) == (5 * 54 + 10, 3 * 54 + 20)
    assert found["payload_bytes"] == 30
    assert found["first_seen"] == "2023-11-14T22:13:20.000000000Z"
    assert found["last_seen"] == "2023-11-14T22:13:20.007000000Z"
    assert found["iface"] == "eth0"


def test_who_sent_the_syn_began_though_the_answer_stands_first_in_the_file(tmp_path):
    talk = TcpTalk().open().sent(b"GET")
    talk.packets[0], talk.packets[1] = talk.packets[1], talk.packets[0]
    assert row(wire.read_talk(tmp_path, talk))["originator_ip"] == CLIENT


def test_without_syn_a_request_tells_who_began(tmp_path):
    talk = TcpTalk(client=SERVER, server=CLIENT, cport=1000, sport=2000)
    talk.received(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").sent(b"GET / HTTP/1.1\r\n\r\n")
    found = row(wire.read_talk(tmp_path, talk))
    assert (found["originator_ip"], found["originator_port"]) == (SERVER, 1000)


def test_without_any_sign_the_client_is_taken_for_the_originator(tmp_path):
    talk = TcpTalk(cport=5000, sport=6000).received(b"\x01\x02").sent(b"\x03")
    assert row(wire.read_talk(tmp_path, talk))["originator_ip"] == CLIENT


def test_what_the_client_sends_is_sent_though_another_began(tmp_path):
    talk = TcpTalk(client=SERVER, server=CLIENT).open().sent(b"to the client")
    (payload,) = wire.read_talk(tmp_path, talk).payloads
    assert (payload.direction, payload.ref.part) == ("received", "tcp.received")


def test_ipv6_endpoints_stand_in_brackets(tmp_path):
    packet = wire.udp("2001:db8::1", 5000, "2001:db8::2", 6000, b"hello")
    found = row(wire.read(tmp_path, wire.pcapng(wire.frames([packet]))))
    assert found["conversation"] == "udp [2001:db8::1]:5000 > [2001:db8::2]:6000"
    assert found["responder_ip"] == "2001:db8::2"


def test_kernel_chatter_is_told_by_protocol_type_and_port(tmp_path):
    solicit = wire.ip(
        "fe80::1", "ff02::1:ff00:2", 58, struct.pack("!BBHI", 135, 0, 0, 0) + bytes(16)
    )
    report = wire.ip("fe80::1", "ff02::16", 58, struct.pack("!BBHI", 143, 0, 0, 0))
    dhcp = wire.udp("0.0.0.0", 68, "255.255.255.255", 67, b"\x01\x01")
    arp = (
        struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1)
        + bytes(6)
        + packed(CLIENT)
        + bytes(6)
        + packed(SERVER)
    )
    frames = wire.frames([solicit, report, dhcp])
    frames.append((wire.START_NS, bytes(12) + b"\x08\x06" + arp))
    extract = wire.read(tmp_path, wire.pcapng(frames))
    assert {found["conversation"] for found in extract.rows["conversations"]} == {
        "icmp6 [fe80::1]:135 > [ff02::1:ff00:2]:136",
        "icmp6 [fe80::1]:143 > [ff02::16]:0",
        "udp 0.0.0.0:68 > 255.255.255.255:67",
        f"arp {CLIENT} > {SERVER}",
    }


def test_a_ping_and_its_answer_are_one_conversation_and_its_payload_is_searched(tmp_path):
    def echo(src, dst, kind):
        return wire.ip(src, dst, 1, struct.pack("!BBHHH", kind, 0, 0, 1, 1) + b"ping-payload")

    packets = [echo(CLIENT, SERVER, 8), echo(SERVER, CLIENT, 0)]
    extract = wire.read(tmp_path, wire.pcapng(wire.frames(packets)))
    found = row(extract)
    assert (found["proto"], found["packets_out"], found["packets_in"]) == ("icmp", 1, 1)
    assert [payload.data for payload in extract.payloads] == [b"ping-payload"] * 2


def _many():
    packets = []
    for port in range(6):
        packets += (
            TcpTalk(cport=40_000 + port, cseq=port * 999)
            .open()
            .sent(b"a" * port * 700)
            .close()
            .packets
        )
        packets.append(wire.udp(CLIENT, 50_000 + port, SERVER, 9, b"datagram %d" % port))
    return wire.frames(packets)


def test_the_order_in_the_file_does_not_matter(tmp_path):
    frames = _many()
    wanted = wire.read(tmp_path, wire.pcapng(frames)).rows["conversations"]
    for seed in range(5):
        shuffled = list(frames)
        random.Random(seed).shuffle(shuffled)
        found = wire.read(tmp_path, wire.pcapng(shuffled)).rows["conversations"]
        assert [dict(x, ref="") for x in found] == [dict(x, ref="") for x in wanted]


def test_blocks_of_any_size_give_the_same_conversations(tmp_path, monkeypatch):
    data = wire.pcapng(_many())
    wanted = wire.read(tmp_path, data).rows
    monkeypatch.setattr("audit.readers.recordwalk.BLOCK", 700)
    assert wire.read(tmp_path, data).rows == wanted


def test_keys_of_one_hash_stay_apart(tmp_path, monkeypatch):
    import numpy as np

    data = wire.pcapng(_many())
    wanted = wire.read(tmp_path, data).rows
    real = np.unique

    def colliding(values, **options):
        return real(
            values % 2 if values.ndim == 1 and values.dtype == np.uint64 else values, **options
        )

    monkeypatch.setattr("audit.readers.conversations.np.unique", colliding)
    assert wire.read(tmp_path, data).rows == wanted


def test_interfaces_are_named_in_the_order_of_the_file(tmp_path):
    frame = wire.ethernet(wire.udp(CLIENT, 1, SERVER, 2, b"x"))
    data = wire.section() + wire.interface(name="wlan0") + wire.interface(name="tun0")
    data += wire.enhanced(1, frame, face=1) + wire.enhanced(2, frame, face=0)
    assert row(wire.read(tmp_path, data))["iface"] == "wlan0,tun0"


SYN, ACK, FIN = 2, 16, 1


@pytest.mark.parametrize(
    ("packets", "iface"),
    [
        ([(1, SYN, b""), (1, ACK, b"x"), (0, FIN | ACK, b"")], "tun0"),
        ([(1, SYN, b""), (1, ACK, b"x"), (0, ACK, b"x")], "wlan0,tun0"),
        ([(1, SYN, b""), (0, SYN, b"")], "wlan0,tun0"),
        ([(0, FIN | ACK, b"")], "wlan0"),
    ],
)
def test_a_packet_without_data_of_the_system_takes_no_connection_to_another_interface(
    tmp_path, packets, iface
):
    data = wire.section() + wire.interface(name="wlan0") + wire.interface(name="tun0")
    for number, (face, flags, content) in enumerate(packets, 1):
        segment = wire.tcp(CLIENT, 40_000, SERVER, 80, number, 0, flags, content)
        data += wire.enhanced(number, wire.ethernet(segment), face=face)
    assert row(wire.read(tmp_path, data))["iface"] == iface
