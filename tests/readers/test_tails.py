"""Leaving out the tails of sealed conversations changes no row."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.readers import tails
from audit.readers.packets import PacketOptions, read_packets
from tests.readers import wire
from tests.readers.test_quic import conversation
from tests.readers.test_tls_records import RANDOM, Connection
from tests.readers.wire import CLIENT, SERVER, TcpTalk

HELLO = bytes.fromhex("16030100310100002d0303") + bytes(range(32)) + b"\0\0\2\x13\1\1\0\0\0\0\0"


def record(size, kind=23):
    return bytes((kind, 3, 3)) + size.to_bytes(2, "big") + bytes(size)


def sealed(draw, *, port=40_000):
    talk = TcpTalk(cport=port, sport=443, mss=draw.choice([200, 1400]))
    talk.open().sent(HELLO).received(record(90, 22) + record(700))
    for _ in range(draw.randrange(40, 90)):
        size = draw.randrange(1, 3000)
        talk = talk.sent(record(size)) if draw.random() < 0.4 else talk.received(record(size))
    return talk.close()


def both(tmp_path, monkeypatch, packets, **options):
    path = tmp_path / "packets.pcapng"
    path.write_bytes(wire.pcapng(packets, **options))
    found = read_packets(path, PacketOptions(capture="c", client=(CLIENT,)))
    monkeypatch.setattr(tails, "HEAD_SEGMENTS", 1 << 40)
    whole = read_packets(path, PacketOptions(capture="c", client=(CLIENT,)))
    monkeypatch.undo()
    return found, whole


def alike(found, whole):
    assert found.rows == whole.rows
    assert found.truncated == whole.truncated
    assert [(p.data, str(p.ref)) for p in found.payloads] == [
        (p.data, str(p.ref)) for p in whole.payloads
    ]


@pytest.mark.parametrize("seed", range(6))
def test_a_capture_in_order(tmp_path, monkeypatch, seed):
    draw = random.Random(seed)
    talks = [sealed(draw, port=40_000 + number) for number in range(3)]
    packets = [packet for talk in talks for packet in talk.packets]
    found, whole = both(tmp_path, monkeypatch, wire.frames(packets))
    alike(found, whole)
    assert len(found.rows["tls_handshakes"]) == 3


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1 << 30), st.sampled_from(["drop", "double", "swap", "late", "undated"]))
def test_a_capture_with_faults(tmp_path_factory, seed, fault):
    draw = random.Random(seed)
    frames = wire.frames(sealed(draw).packets)
    for _ in range(draw.randrange(1, 6)):
        at = draw.randrange(len(frames))
        if fault == "drop":
            del frames[at]
        elif fault == "double":
            frames.insert(at, (frames[at][0], frames[draw.randrange(len(frames))][1]))
        elif fault == "swap":
            other = draw.randrange(len(frames))
            frames[at], frames[other] = frames[other], frames[at]
        else:
            frames[at] = (frames[at][0] - 10**9 if fault == "late" else 0, frames[at][1])
    with pytest.MonkeyPatch.context() as patch:
        alike(*both(tmp_path_factory.mktemp("faults"), patch, frames))


def test_a_second_connection_of_the_same_ends(tmp_path, monkeypatch):
    draw = random.Random(3)
    one, two = sealed(draw), sealed(draw)
    two = TcpTalk(sport=443, cseq=10**8, sseq=5 * 10**8)
    two.open().sent(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
    found, whole = both(tmp_path, monkeypatch, wire.frames([*one.packets, *two.packets]))
    alike(found, whole)
    assert len(found.rows["http_requests"]) == 1


def test_secrets_at_the_end_of_the_file_open_what_was_left_out(tmp_path, monkeypatch):
    made = Connection().finish()
    for number in range(60):
        made.talk.sent(made.client.record(23, b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number))
    log = "\n".join(f"{k} {RANDOM.hex()} {v.hex()}" for k, v in made.secrets.items()).encode()
    found, whole = both(tmp_path, monkeypatch, wire.frames(made.talk.packets), key_log=log)
    alike(found, whole)
    assert len(found.rows["http_requests"]) == 60


def test_a_handshake_longer_than_the_head_is_read_whole(tmp_path, monkeypatch):
    talk = (
        TcpTalk(sport=443, mss=10).open().sent(HELLO).received(record(600, 22) + record(9)).close()
    )
    alike(*both(tmp_path, monkeypatch, wire.frames(talk.packets)))


def test_memory_does_not_grow_with_a_sealed_stream(tmp_path):
    from audit.readers.capfile import CaptureFile
    from audit.readers.packetscan import Scan

    def kept(count):
        talk = TcpTalk(sport=443).open().sent(HELLO).received(record(90, 22))
        talk.received(record(1395) * count)
        quic, _ = conversation()
        packets = [*talk.packets, *[wire.udp(CLIENT, 5, SERVER, 443, quic[0])] * count]
        path = tmp_path / f"{count}.pcapng"
        path.write_bytes(wire.pcapng(wire.frames(packets)))
        with CaptureFile(path) as file:
            scan = Scan()
            for chunk in file.chunks():
                scan.take(chunk, file)
            return len(scan.store.by_conversation().packets)

    assert kept(400) == kept(1400) < 400


def test_a_capture_that_was_cut_says_so(tmp_path):
    frame = wire.ethernet(wire.udp(CLIENT, 5, SERVER, 7, b"x" * 100))
    data = bytearray(wire.pcap([(wire.START_NS, frame)]))
    data[36:40] = (len(frame) + 50).to_bytes(4, "little")
    found = wire.read(tmp_path, bytes(data))
    assert "1 packets were cut off when they were captured" in found.truncated[-1]
