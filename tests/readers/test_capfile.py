from __future__ import annotations

import gzip
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import CaptureError
from audit.readers.capfile import CaptureFile
from audit.readers.recordchunk import UNDATED
from tests.readers import wire

TS = wire.START_NS + 123_456_789
FRAME = wire.ethernet(wire.udp(wire.CLIENT, 1, wire.SERVER, 2, b"hello"))


def records(folder, data):
    path = folder / "capture"
    path.write_bytes(data)
    with CaptureFile(path) as file:
        found = [
            (int(number) + chunk.first, int(ts), bytes(chunk.data[at : at + size]), int(face))
            for chunk in file.chunks()
            for number, (ts, at, size, face) in enumerate(
                zip(chunk.ts, chunk.start, chunk.length, chunk.iface, strict=True)
            )
        ]
        return found, file


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("nano", "ts"), [(True, TS), (False, TS // 1000 * 1000)])
def test_pcap_is_read_in_both_byte_orders_and_resolutions(tmp_path, order, nano, ts):
    data = wire.pcap([(TS, FRAME), (TS, FRAME[:20])], order=order, nano=nano)
    found, file = records(tmp_path, data)
    assert found == [(1, ts, FRAME, 0), (2, ts, FRAME[:20], 0)]
    assert file.truncated == []


@pytest.mark.parametrize(
    ("resolution", "ticks", "ts"),
    [
        (6, TS // 1000, TS // 1000 * 1000),
        (9, TS, TS),
        (0, TS // 10**9, TS // 10**9 * 10**9),
        (10, TS * 10 + 7, TS),
        (0x80 | 10, (TS * 1024) // 10**9, ((TS * 1024) // 10**9) * 10**9 // 1024),
        (0x80 | 32, (TS << 32) // 10**9, (((TS << 32) // 10**9) * 10**9) >> 32),
    ],
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_times_count_in_the_interface_resolution(tmp_path, resolution, ticks, ts, order):
    data = wire.section(order) + wire.interface(resolution=resolution, order=order)
    data += wire.enhanced(ticks, FRAME, order=order)
    ((_, read_ts, frame, _),), _ = records(tmp_path, data)
    assert frame == FRAME
    assert abs(read_ts - ts) <= 1


def test_an_offset_is_added_to_the_times(tmp_path):
    options = wire.option(9, b"\x09") + wire.option(14, struct.pack("<q", -3600)) + bytes(4)
    data = wire.section() + wire.block(1, struct.pack("<HHI", 1, 0, 0) + options)
    data += wire.enhanced(TS, FRAME)
    ((_, ts, _, _),), _ = records(tmp_path, data)
    assert ts == TS - 3600 * 10**9


def test_sections_count_their_interfaces_anew_and_packets_on(tmp_path):
    data = wire.section() + wire.interface() + wire.interface(101, name="tun0")
    data += wire.enhanced(TS, FRAME, face=1)
    data += wire.section(">") + wire.interface(113, resolution=6, order=">", name="any")
    data += wire.enhanced(TS // 1000, FRAME, order=">")
    found, file = records(tmp_path, data)
    assert [(number, face) for number, _, _, face in found] == [(1, 1), (2, 2)]
    assert [(face.link, face.name) for face in file.interfaces] == [
        (1, "eth0"), (101, "tun0"), (113, "any"),
    ]  # fmt: skip


def test_simple_and_obsolete_packet_blocks_are_packets(tmp_path):
    simple = wire.block(3, struct.pack("<I", len(FRAME)) + FRAME)
    old = struct.pack("<HHIIII", 0, 5, TS >> 32, TS & 0xFFFFFFFF, len(FRAME), len(FRAME)) + FRAME
    found, _ = records(tmp_path, wire.section() + wire.interface() + simple + wire.block(2, old))
    assert found == [(1, UNDATED, FRAME, 0), (2, TS, FRAME, 0)]


def test_secrets_are_collected_wherever_they_stand(tmp_path):
    data = wire.section() + wire.secrets(b"one\n") + wire.interface()
    data += wire.enhanced(TS, FRAME) + wire.secrets(b"two\n")
    _, file = records(tmp_path, data)
    assert file.secrets.split() == [b"one", b"two"]


def test_the_last_statistics_of_each_interface_tell_the_drops(tmp_path):
    def statistics(face, drops):
        return wire.block(
            5, struct.pack("<III", face, 0, 0) + wire.option(5, struct.pack("<Q", drops))
        )

    data = (
        wire.section()
        + wire.interface() * 2
        + statistics(0, 3)
        + statistics(0, 5)
        + statistics(1, 2)
    )
    _, file = records(tmp_path, data)
    assert file.dropped == 7


def test_a_gzipped_file_is_read_like_the_plain_one(tmp_path):
    plain = wire.pcapng([(TS, FRAME)] * 3)
    assert records(tmp_path, gzip.compress(plain))[0] == records(tmp_path, plain)[0]


def test_damaged_gzip_keeps_what_came_before(tmp_path):
    packed = gzip.compress(wire.pcap([(TS, FRAME)] * 2000, nano=True), 1)
    found, file = records(tmp_path, packed[: len(packed) // 2])
    assert 0 < len(found) < 2000
    assert any("gzip" in said for said in file.truncated)


@pytest.mark.parametrize("cut", [1, 5, 20, len(FRAME) + 10])
def test_a_cut_last_record_is_reported_and_those_before_kept(tmp_path, cut):
    for data in (wire.pcap([(TS, FRAME)] * 3), wire.pcapng([(TS, FRAME)] * 3)):
        found, file = records(tmp_path, data[:-cut])
        assert [number for number, *_ in found] == [1, 2]
        assert "2 packets before it were read" in file.truncated[0]


def test_an_absurd_record_ends_the_reading_with_its_number(tmp_path):
    data = wire.pcap([(TS, FRAME)]) + struct.pack("<IIII", 0, 0, 1 << 31, 1 << 31) + bytes(99)
    found, file = records(tmp_path, data)
    assert len(found) == 1
    assert "packet 2 claims 2147483648 bytes" in file.truncated[0]


def test_an_interface_the_file_does_not_define_is_no_error(tmp_path):
    data = wire.section() + wire.interface() + wire.enhanced(TS, FRAME, face=9)
    found, _ = records(tmp_path, data)
    assert found == [(1, UNDATED, FRAME, -1)]


@pytest.mark.parametrize(
    "data", [b"", b"\xd4\xc3\xb2\xa1", b"PK\x03\x04" + bytes(100), b"\x1f\x8b"]
)
def test_what_is_no_capture_is_refused_by_name(tmp_path, data):
    with pytest.raises(CaptureError) as raised:
        records(tmp_path, data)
    assert "capture" in str(raised.value)


def test_a_missing_file_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(CaptureError, match="cannot be read"):
        CaptureFile(tmp_path / "absent.pcap")


def test_blocks_larger_than_one_read_are_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("audit.readers.recordwalk.BLOCK", 64)
    big = wire.ethernet(wire.udp(wire.CLIENT, 1, wire.SERVER, 2, bytes(5000)))
    wanted = [(TS, FRAME), (TS + 1, big), (TS + 2, FRAME)]
    for data in (wire.pcap(wanted, nano=True), wire.pcapng(wanted)):
        found, _ = records(tmp_path, data)
        assert [(ts, frame) for _, ts, frame, _ in found] == wanted


@given(st.binary(max_size=400), st.sampled_from(["pcap", "pcapng", "none"]))
def test_any_bytes_give_records_or_a_capture_error(tmp_path_factory, data, kind):
    head = {
        "pcap": wire.pcap([(TS, FRAME)]),
        "pcapng": wire.section() + wire.interface() + wire.enhanced(TS, FRAME),
        "none": b"",
    }[kind]
    folder = tmp_path_factory.mktemp("any", numbered=True)
    try:
        found, _ = records(folder, head + data)
    except CaptureError:
        return
    assert kind == "none" or len(found) >= 1
