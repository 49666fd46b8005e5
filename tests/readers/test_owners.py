from __future__ import annotations

import struct

import pytest

from audit.readers.capfile import CaptureFile
from tests.readers import wire
from tests.readers.wire import CLIENT, SERVER

PACKET = wire.udp(CLIENT, 4000, SERVER, 4001, b"hello")
OTHER = wire.udp(CLIENT, 4002, SERVER, 4003, b"other")


def named(extract):
    return [(row["process_name"], row["uid"]) for row in extract.rows["conversations"]]


def block_with(frame, *options, face=0):
    head = struct.pack("<IIIII", face, 0, 1, len(frame), len(frame))
    tail = b"".join(options) + bytes(4)
    return wire.block(6, head + frame + bytes(-len(frame) % 4) + tail)


def pktap_v1(frame, *, flags=2, comm=b"Mail", ecomm=b""):
    head = struct.pack("<III24sIIII", 156, 1, 1, b"en0", flags, 2, 14, 0)
    head += struct.pack("<i17sxHIHHi17s3x", 77, comm, 0, 0, 6, 0, 78, ecomm)
    return head.ljust(156, b"\0") + frame


def pktap_v2(frame, *, flags=0x80000 | 2, comm=b"Mail", ecomm=b""):
    names = comm + b"\0" + ecomm + b"\0"
    size = 40 + len(names)
    at = 40 + len(comm) + 1 if ecomm else 0
    head = struct.pack(
        "<BBBBBBHHHHHIIIiiI", size, 0, 0, 0, 40, at, 1, 14, 0, 6, 17, 2, 0, 0, 7, 8, flags
    )
    return head + names + frame


@pytest.mark.parametrize("link", [258, 149])
@pytest.mark.parametrize("make", [pktap_v1, pktap_v2])
def test_pktap_names_the_program(tmp_path, make, link):
    frame = make(wire.ethernet(PACKET))
    extract = wire.read(tmp_path, wire.pcapng([(wire.START_NS, frame)], link=link))
    assert named(extract) == [("Mail", None)]
    assert extract.payloads[0].data == b"hello"


def test_a_delegate_names_the_program_that_it_works_for(tmp_path):
    one = pktap_v1(wire.ethernet(PACKET), flags=4 | 2, comm=b"nsurlsessiond", ecomm=b"Chat")
    two = pktap_v2(wire.ethernet(OTHER), flags=0x80000 | 4, comm=b"nsurlsessiond", ecomm=b"Chat")
    data = wire.pcapng([(wire.START_NS, one), (wire.START_NS, two)], link=258)
    assert named(wire.read(tmp_path, data)) == [("Chat", None)] * 2


def test_an_older_pktap_header_without_delegate_is_read(tmp_path):
    frame = pktap_v1(b"")[:108]
    frame = struct.pack("<I", 108) + frame[4:] + wire.ethernet(PACKET)
    extract = wire.read(tmp_path, wire.pcapng([(wire.START_NS, frame)], link=258))
    assert named(extract) == [("Mail", None)]


def test_process_blocks_of_darwin_name_the_program_by_place_and_section(tmp_path):
    def process(name):
        return wire.block(0x80000001, struct.pack("<I", 9) + wire.option(2, name) + bytes(4))

    place = wire.option(0x8001, struct.pack("<I", 1))
    effective = wire.option(0x8003, struct.pack("<I", 0))
    data = wire.section() + wire.interface() + process(b"Chat") + process(b"nsurlsessiond")
    data += block_with(wire.ethernet(PACKET), place)
    data += block_with(wire.ethernet(OTHER), place, effective)
    third = wire.ethernet(wire.udp(CLIENT, 1, SERVER, 2, b"x"))
    data += wire.section() + wire.interface() + process(b"unused") + process(b"Mail")
    data += block_with(third, place)
    assert named(wire.read(tmp_path, data)) == [
        ("nsurlsessiond", None), ("Chat", None), ("Mail", None),
    ]  # fmt: skip


def trailed(packet, uid, name):
    frame = bytes(12) + b"\x08\x00" + packet
    frame += bytes(-len(frame) % 4)
    return frame + struct.pack(">Ii20s", 0x01072021, uid, name) + bytes(4)


def test_the_trailer_of_pcapdroid_names_app_and_user(tmp_path):
    data = wire.pcap([(wire.START_NS, trailed(PACKET, 10123, b"Chat")), (wire.START_NS, OTHER)])
    extract = wire.read(tmp_path, data)
    assert named(extract) == [("Chat", 10123), (None, None)]
    assert [payload.data for payload in extract.payloads] == [b"hello", b"other"]


def test_a_trailer_of_an_unknown_user_names_nobody(tmp_path):
    data = wire.pcap([(wire.START_NS, trailed(PACKET, -1, b""))])
    assert named(wire.read(tmp_path, data)) == [(None, None)]


def user_map(uid, package, name=b"Chat"):
    body = struct.pack("<IHBBiBB", 62652, 1, 1, 0, uid, len(package), len(name)) + package + name
    return wire.block(0xBAD, body)


def test_comments_name_users_and_the_map_their_packages(tmp_path):
    data = wire.section() + wire.interface(101) + user_map(10123, b"org.example.chat")
    data += block_with(PACKET, wire.option(1, b"u-10123"))
    data += block_with(OTHER, wire.option(1, b"u-1051"), wire.option(2, bytes(4)))
    assert named(wire.read(tmp_path, data)) == [("org.example.chat", 10123), (None, 1051)]


def test_other_comments_name_nobody(tmp_path):
    data = wire.section() + wire.interface(101)
    data += block_with(PACKET, wire.option(1, b"note: u-1 is not a user"))
    assert named(wire.read(tmp_path, data)) == [(None, None)]


def test_a_conversation_of_several_programs_names_none(tmp_path):
    data = wire.section() + wire.interface(101)
    data += block_with(PACKET, wire.option(1, b"u-1")) + block_with(PACKET, wire.option(1, b"u-2"))
    assert named(wire.read(tmp_path, data)) == [(None, None)]


@pytest.mark.parametrize("order", ["<", ">"])
def test_name_resolution_blocks_give_names(tmp_path, order):
    four = wire.packed("192.0.2.7") + b"One.Example\0two.example\0"
    six = wire.packed("2001:db8::7") + b"six.example.\0"
    records = b"".join(
        struct.pack(order + "HH", kind, len(value)) + value + bytes(-len(value) % 4)
        for kind, value in ((1, four), (2, six), (0, b""))
    )
    data = wire.section(order) + wire.block(4, records, order)
    assert wire.read(tmp_path, data).names == {
        "192.0.2.7": ("one.example", "two.example"), "2001:db8::7": ("six.example",),
    }  # fmt: skip


@pytest.mark.parametrize("kind", [4, 0xBAD, 0x80000001])
@pytest.mark.parametrize("size", range(0, 24, 3))
def test_blocks_that_are_cut_say_nothing(tmp_path, kind, size):
    data = wire.section() + wire.interface() + wire.block(kind, b"\x01\x00\xff" * 8)[: size + 8]
    data += wire.block(kind, bytes(size))
    with CaptureFile(_written(tmp_path, data)) as file:
        list(file.chunks())


def _written(folder, data):
    path = folder / "file.pcapng"
    path.write_bytes(data)
    return path
