from __future__ import annotations

import random

import pytest

from audit.readers import companion, openingjob
from audit.readers.packets import PacketOptions, read_packets
from tests.readers import wire
from tests.readers.test_tails import sealed
from tests.readers.wire import CLIENT, SERVER, TcpTalk


@pytest.fixture
def capture(tmp_path):
    draw = random.Random(2)
    packets = [
        packet for number in range(4) for packet in sealed(draw, port=41_000 + number).packets
    ]
    for number in range(30):
        talk = (
            TcpTalk(cport=50_000 + number)
            .open()
            .sent(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number)
        )
        packets += talk.close().packets
        packets.append(wire.udp(CLIENT, 6000 + number, SERVER, 7, b"\xff datagram"))
    path = tmp_path / "packets.pcapng"
    path.write_bytes(wire.pcapng(wire.frames(packets)))
    return path


def read(path):
    found = read_packets(path, PacketOptions(capture="c", client=(CLIENT,)))
    return found.rows, [(p.row, p.data, str(p.ref)) for p in found.payloads], found.truncated


def test_two_processes_give_what_one_gives(capture, monkeypatch):
    alone = read(capture)
    given = []
    result = companion.Companion.result
    monkeypatch.setattr(
        companion.Companion, "result", lambda self: given.append(result(self)) or given[-1]
    )
    monkeypatch.setattr("audit.readers.packets.WORTHWHILE", 0)
    assert read(capture) == alone
    if given:  # on one core there is no companion
        assert given[0].extract.rows["conversations"]


def test_a_companion_that_dies_leaves_the_work_here(capture, monkeypatch):
    alone = read(capture)
    monkeypatch.setattr("audit.readers.packets.WORTHWHILE", 0)
    monkeypatch.setattr(companion.Companion, "give", lambda self, _: self._child.kill())
    assert read(capture) == alone


def test_a_companion_that_cannot_be_started_is_not_needed(capture, monkeypatch):
    alone = read(capture)
    monkeypatch.setattr("audit.readers.packets.WORTHWHILE", 0)
    monkeypatch.setattr(companion.sys, "executable", "/nowhere/python")
    assert read(capture) == alone


def test_past_the_bound_of_a_capture_the_work_is_done_in_order(capture, monkeypatch):
    alone = read(capture)
    monkeypatch.setattr("audit.readers.packets.WORTHWHILE", 0)
    monkeypatch.setattr(openingjob, "CAPTURE_LIMIT", 1)
    assert read(capture) == alone
