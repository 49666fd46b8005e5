"""Captures made to break readers: rows or a CaptureError, in bounded steps and memory."""

from __future__ import annotations

import random
import struct
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import CaptureError
from audit.readers.packets import PacketOptions, read_packets
from tests.readers import wire
from tests.readers.test_packets import check
from tests.readers.wire import CLIENT, SERVER, TcpTalk


def talk(count=12):
    made = TcpTalk().open().sent(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
    made.received(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc").close()
    frames = wire.frames(made.packets)
    frames += wire.frames([wire.udp(CLIENT, 5000 + n, SERVER, 53, bytes(20)) for n in range(count)])
    return frames


def rows_or_error(folder, data):
    path = folder / "hostile"
    path.write_bytes(data)
    try:
        return check(read_packets(path, PacketOptions(capture="c", file="hostile")))
    except CaptureError:
        return None


@pytest.mark.parametrize(
    ("made", "size"), [(wire.pcap(talk()), 78), (wire.pcapng(talk()), 96)], ids=["pcap", "pcapng"]
)
def test_a_cut_at_any_byte_keeps_the_packets_before_it(tmp_path, made, size):
    seen = []
    for end in range(len(made) - 3 * size, len(made) + 1):
        extract = rows_or_error(tmp_path, made[:end])
        seen.append(len(extract.rows["conversations"]))
        is_between_records = (len(made) - end) % size == 0
        said = any("before it were read" in text for text in extract.truncated)
        assert said != is_between_records
        assert seen[-1] == 13 - -(-(len(made) - end) // size)


def test_time_that_goes_backwards_changes_the_order_of_rows_only(tmp_path):
    frames = talk()
    late = [(ts - number * 10**10, frame) for number, (ts, frame) in enumerate(frames)]
    one = rows_or_error(tmp_path, wire.pcapng(frames))
    two = rows_or_error(tmp_path, wire.pcapng(late))
    names = [{row["conversation"] for row in each.rows["conversations"]} for each in (one, two)]
    assert names[0] == names[1]
    times = [row["ts"] for row in two.rows["conversations"]]
    assert times == sorted(times)


@pytest.mark.parametrize("length", [0, 11, 12, 13, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFC])
@pytest.mark.parametrize("kind", [1, 2, 3, 4, 5, 6, 10, 0xBAD, 0x80000001, 0x0A0D0D0A, 77])
def test_absurd_block_lengths_end_the_file_there(tmp_path, kind, length):
    data = wire.pcapng(talk()) + struct.pack("<II", kind, length) + bytes(64)
    tracemalloc.start()
    extract = rows_or_error(tmp_path, data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert extract.truncated
    assert len(extract.rows["conversations"]) == 13
    assert peak < 64 << 20


@pytest.mark.parametrize("length", [0x04000001, 0x7FFFFFFF, 0xFFFFFFFF])
def test_absurd_record_lengths_end_the_file_there(tmp_path, length):
    data = wire.pcap(talk()) + struct.pack("<IIII", 1, 1, length, length) + bytes(64)
    extract = rows_or_error(tmp_path, data)
    assert "claims" in extract.truncated[0]
    assert len(extract.rows["conversations"]) == 13


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 1 << 30))
def test_broken_blocks_of_every_kind(tmp_path_factory, seed):
    draw = random.Random(seed)
    order = draw.choice("<>")
    data = wire.section(order)
    for _ in range(draw.randrange(1, 8)):
        body = draw.randbytes(draw.choice([0, 4, 8, 20, 33, 200]))
        frame = draw.choice(talk(1))[1]
        kind = draw.choice([1, 2, 3, 4, 5, 6, 10, 0xBAD, 0x40000BAD, 0x80000001, 77])
        data += draw.choice([
            wire.interface(draw.choice([1, 101, 149, 258, 276, 0]), order=order),
            wire.enhanced(1, frame, face=draw.randrange(3), order=order),
            wire.block(kind, body, order),
            wire.block(6, struct.pack(order + "IIIII", 0, 0, 1, len(frame), len(frame)) + frame + body, order),
            wire.section(draw.choice("<>")),
        ])  # fmt: skip
    broken = bytearray(data)
    for _ in range(draw.randrange(4)):
        broken[draw.randrange(28, len(broken))] = draw.choice([0, 255, draw.randrange(256)])
    rows_or_error(tmp_path_factory.mktemp("blocks"), bytes(broken))


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["<", ">"]), st.booleans())
def test_any_bytes_behind_a_header(tmp_path_factory, data, order, is_pcapng):
    head = (
        wire.section(order) + wire.interface(order=order)
        if is_pcapng
        else wire.pcap([], order=order)
    )
    rows_or_error(tmp_path_factory.mktemp("bytes"), head + data)


def test_a_great_many_conversations_are_counted_in_bounded_time(tmp_path):
    packets = [
        wire.udp(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", n % 60_000, SERVER, 9, b"")
        for n in range(30_000)
    ]
    extract = rows_or_error(tmp_path, wire.pcapng(wire.frames(packets)))
    assert len(extract.rows["conversations"]) == 30_000


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 10_001,
        b"GET / HTTP/1.1\r\nCookie: " + b"a=b; " * 250_000 + b"\r\n",
    ],
    ids=["target", "headers", "head"],
)
def test_a_request_beyond_the_bounds_is_said_and_searched(tmp_path, head):
    made = TcpTalk().open().sent(head + b"Host: a.example\r\n\r\n").close()
    extract = rows_or_error(tmp_path, wire.pcap(wire.frames(made.packets)))
    assert "http_requests" not in extract.rows
    assert any("an HTTP message is not read" in text for text in extract.truncated)
    assert head in b"".join(payload.data for payload in extract.payloads)
