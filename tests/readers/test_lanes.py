"""Connections that came in order give the same rows whichever way their bytes are put together."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.readers.lanes import LaneReader
from tests.readers import wire
from tests.readers.test_glance import read
from tests.readers.wire import TcpTalk


def conversation(draw, port):
    talk = TcpTalk(cport=port, mss=draw.choice([7, 100, 1400]))
    if draw.random() < 0.8:
        talk.open()
    for number in range(draw.randrange(4)):
        body = draw.randbytes(draw.randrange(400)).hex().encode()
        talk.sent(b"GET /%d HTTP/1.1\r\nHost: a.example\r\n\r\n" % number)
        talk.received(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    if draw.random() < 0.3:
        talk.sent(draw.randbytes(draw.randrange(1, 900)))
    return talk.close() if draw.random() < 0.7 else talk


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1 << 40))
def test_in_order_or_put_together_the_rows_are_the_same(tmp_path_factory, seed):
    draw = random.Random(seed)
    path = tmp_path_factory.mktemp("lanes") / "packets.pcapng"
    packets = [p for n in range(5) for p in conversation(draw, 40_000 + n).packets]
    for _ in range(draw.randrange(3)):  # faults make some of them need to be put together
        at, other = draw.randrange(len(packets)), draw.randrange(len(packets))
        packets[at], packets[other] = packets[other], packets[at]
        del packets[draw.randrange(len(packets))]
    path.write_bytes(wire.pcapng(wire.frames(packets)))
    in_order = read(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LaneReader, "whole", lambda *_: None)
        assert read(path) == in_order
