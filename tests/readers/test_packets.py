"""The reader as a whole: every reference points at its bytes, no bytes break it."""

from __future__ import annotations

import os
import random
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import CaptureError
from audit.readers.capfile import CaptureFile
from audit.readers.packets import PacketOptions, read_packets
from audit.tables.frames import columns_of, make_frame
from audit.tables.reference import parse_reference
from audit.tables.rows import TABLES
from tests.readers import wire
from tests.readers.wire import CLIENT, SERVER, TcpTalk

CAPTURES = Path(
    os.environ.get("AUDIT_SAMPLE_CAPTURES", Path(__file__).parents[3] / "shared/captures")
)
FILES = sorted(CAPTURES.glob("*.pcap*"))
sample = pytest.mark.parametrize("path", FILES or [None], ids=lambda path: path and path.name)


def need(path):
    if path is None:
        pytest.skip(f"no sample captures in {CAPTURES}")
    return path


def check(extract):
    """What holds of every extract."""
    for table, rows in extract.rows.items():
        assert not {key for row in rows for key in row} - columns_of(table).keys()
        make_frame(table, rows)
        for row in rows:
            assert row["taps"] == ("packets",)
            parse_reference(row["ref"])
            assert " > " in row["conversation"]
    for payload in extract.payloads:
        assert payload.data
        assert payload.ref.records == tuple(sorted(set(payload.ref.records))) != ()
        assert payload.row < len(extract.rows[payload.table])
        if payload.ref.start is not None:
            assert payload.ref.end - payload.ref.start == len(payload.data)
        parse_reference(str(payload.ref))
    names = [row["conversation"] for row in extract.rows.get("conversations", [])]
    assert len(names) == len(set(names))
    return extract


def frames_of(path):
    with CaptureFile(path) as file:
        return [
            bytes(chunk.data[at : at + size])
            for chunk in file.chunks()
            for at, size in zip(chunk.start, chunk.length, strict=True)
        ]


def segments(frames, numbers):
    """Sequence number and payload of Ethernet and IPv4 frames with TCP, by hand."""
    found = []
    for number in numbers:
        packet = frames[number - 1][14:]
        tcp = packet[(packet[0] & 15) * 4 : int.from_bytes(packet[2:4], "big")]
        found.append((int.from_bytes(tcp[4:8], "big"), tcp[(tcp[12] >> 4) * 4 :]))
    return found


def test_every_reference_leads_back_to_its_bytes(tmp_path):
    talk = TcpTalk(mss=11).open()
    talk.sent(
        b"POST /p?q=v HTTP/1.1\r\nHost: a.example\r\nCookie: a=b\r\nContent-Length: 4\r\n\r\nbody"
    )
    talk.received(b"HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 6\r\n\r\nanswer").close()
    packets = [*talk.packets, wire.udp(CLIENT, 7, SERVER, 7, b"raw datagram")]
    random.Random(1).shuffle(packets)
    data = wire.pcapng([(wire.START_NS + at, wire.ethernet(one)) for at, one in enumerate(packets)])
    extract = check(wire.read(tmp_path, data))
    frames = frames_of(tmp_path / "packets.pcapng")
    assert len(extract.payloads) == 12
    for payload in extract.payloads:
        ref = payload.ref
        if ref.part == "frame":
            assert frames[ref.records[0] - 1][ref.start : ref.end] == payload.data
            continue
        origin = 1001 if ref.part == "tcp.sent" else 9001
        stream = dict(segments(frames, ref.records))
        joined = b"".join(stream[seq] for seq in sorted(stream))
        first = min(stream) - origin
        assert joined[ref.start - first : ref.end - first] == payload.data


def test_no_protocol_both_ways_and_every_datagram_is_searched(tmp_path):
    talk = TcpTalk().open().sent(b"\x00leak one").received(b"\x01leak two").close()
    packets = [*talk.packets, wire.udp(CLIENT, 7, SERVER, 7, b"\xffleak three")]
    extract = check(wire.read(tmp_path, wire.pcapng(wire.frames(packets))))
    assert {(payload.data, payload.direction) for payload in extract.payloads} == {
        (b"\x00leak one", "sent"), (b"\x01leak two", "received"), (b"\xffleak three", "sent"),
    }  # fmt: skip
    assert {payload.location for payload in extract.payloads} == {"payload"}


def test_ends_of_the_kernel_counters_reach_the_extract(tmp_path):
    data = wire.pcapng([]) + wire.block(
        5, struct.pack("<III", 0, 0, 0) + wire.option(5, struct.pack("<Q", 4))
    )
    assert wire.read(tmp_path, data).dropped == 4


def test_secrets_beside_the_file_open_it_too(tmp_path):
    from tests.readers.test_tls_records import GET, RANDOM, Connection, paths

    made = Connection().finish()
    made.talk.sent(made.client.record(23, GET % b"x"))
    log = "\n".join(f"{k} {RANDOM.hex()} {v.hex()}" for k, v in made.secrets.items()).encode()
    path = tmp_path / "bare.pcap"
    path.write_bytes(wire.pcap(wire.frames(made.talk.packets), nano=True))
    extract = read_packets(
        path, PacketOptions(capture="c", client=(CLIENT,), secrets=log, file="bare.pcap")
    )
    assert paths(extract) == ["/x"]
    assert str(extract.payloads[0].ref).startswith("bare.pcap#")


def test_a_file_that_is_no_capture_is_refused(tmp_path):
    with pytest.raises(CaptureError, match="neither a pcap nor a pcapng"):
        wire.read(tmp_path, b"hello, this is text" * 10)


def test_packets_without_time_are_rows_without_time(tmp_path):
    frame = wire.ethernet(wire.udp(CLIENT, 1, SERVER, 2, b"x"))
    simple = wire.block(3, struct.pack("<I", len(frame)) + frame)
    extract = check(wire.read(tmp_path, wire.section() + wire.interface() + simple))
    (row,) = extract.rows["conversations"]
    assert (row["ts"], row["first_seen"], row["last_seen"]) == (None, None, None)


def test_all_tables_are_those_of_the_schema():
    assert {
        "conversations", "dns_queries", "tls_handshakes", "stun_messages", "http_requests",
        "http_responses", "websocket_messages",
    } <= TABLES.keys()  # fmt: skip


@sample
def test_each_sample_capture_is_read(path):
    options = PacketOptions(capture="sample", file=need(path).name)
    first = check(read_packets(path, options))
    assert read_packets(path, options).rows == first.rows


@sample
def test_mutations_of_each_sample_capture_give_rows_or_a_capture_error(path, tmp_path):
    data = need(path).read_bytes()
    draw = random.Random(path.name)
    for _ in range(6):
        broken = bytearray(data)
        for _ in range(draw.randint(1, 40)):
            broken[draw.randrange(len(broken))] = draw.choice([0, 255, draw.randrange(256)])
        if draw.random() < 0.3:
            del broken[draw.randrange(len(broken)) :]
        target = tmp_path / "broken"
        target.write_bytes(broken)
        try:
            check(read_packets(target, PacketOptions(capture="c", file="broken")))
        except CaptureError:
            continue


@settings(deadline=None, max_examples=80)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([1, 0, 9, 10, 101, 104, 113, 258, 276]),
            st.binary(max_size=14),
            st.sampled_from([b"", *TcpTalk().open().sent(b"GET / HTTP/1.1\r\n\r\n").packets]),
            st.binary(max_size=60),
        ),
        max_size=8,
    )
)
def test_any_frames_give_rows(tmp_path_factory, parts):
    data = wire.section()
    for link, *_ in parts:
        data += wire.interface(link)
    for face, (_, head, middle, tail) in enumerate(parts):
        data += wire.enhanced(face, head + middle + tail, face=face)
    check(wire.read(tmp_path_factory.mktemp("any"), data))


@settings(deadline=None, max_examples=80)
@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=120)), max_size=6), st.integers(0, 5))
def test_any_streams_give_rows_or_payloads(tmp_path_factory, parts, head):
    beginnings = [
        b"", b"GET / HTTP/1.1\r\n", b"\x16\x03\x01\x00\x60\x01\x00\x00\x5c\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x00\x20\x00\x01\x01\x00\x00\x01",
        b"\x01\x01\x00\x08\x21\x12\xa4\x42",
    ]  # fmt: skip
    talk = TcpTalk().open().sent(beginnings[head])
    for up, data in parts:
        talk = talk.sent(data) if up else talk.received(data)
    check(wire.read_talk(tmp_path_factory.mktemp("streams"), talk))
