"""What is made at a glance is what the reading of any connection gives."""

from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.readers import opening
from audit.readers.packets import PacketOptions, read_packets
from tests.readers import wire
from tests.readers.wire import CLIENT, TcpTalk


def record(kind, body, version=0x0303):
    return struct.pack("!BHH", kind, version, len(body)) + body


def message(kind, body):
    return bytes((kind,)) + len(body).to_bytes(3, "big") + body


def extension(kind, data):
    return struct.pack("!HH", kind, len(data)) + data


def client_hello(draw):
    name = draw.choice([b"", b"a.example", b"DNS.Example.", b"\xff\0name"])
    found = [extension(16, b"\0\3\2h2"), extension(10, b"\0\2\0\x1d"), extension(0xFE0D, b"x")]
    found += [extension(43, b"\2\3\4"), extension(13, b"\0\2\4\3")]
    if name:
        found.append(extension(0, struct.pack("!HBH", len(name) + 3, 0, len(name)) + name))
    draw.shuffle(found)
    data = b"".join(found[: draw.randrange(len(found) + 1)])
    body = b"\3\3" + draw.randbytes(32) + b"\0\0\4\x13\1\x1a\x1a\1\0"
    body += struct.pack("!H", len(data)) + data if draw.random() < 0.9 else b""
    return message(1, body[: draw.choice([len(body)] * 9 + [30])])


def server_hello(draw, *, tls13):
    extensions = extension(43, b"\3\4") if tls13 else b""
    body = b"\3\3" + draw.randbytes(32) + b"\0\x13\1\0" + struct.pack("!H", len(extensions))
    return message(2, body + extensions)


def streams(draw):
    """What client and server say, from plain to odd."""
    tls13 = draw.random() < 0.5
    hello, answer = client_hello(draw), server_hello(draw, tls13=tls13)
    alert, sealed = record(21, b"\2\x30"), record(23, draw.randbytes(draw.choice([19, 60, 900])))
    certificate = message(11, b"\0\0\x0a" + b"\0\0\7" + b"leafyes")
    change, finished = record(20, b"\1"), record(22, draw.randbytes(40))
    one = draw.choice(
        [
            [record(22, hello)],
            [record(22, hello[:50]), record(22, hello[50:])],
            [record(22, hello + message(16, b"key"))],
            [record(22, hello), record(22, client_hello(draw))],
        ]
    )
    one += draw.choice(
        [
            [],
            [change, sealed],
            [sealed],
            [alert],
            [change, record(22, hello), sealed],
            [record(22, message(16, b"secret key")), change, finished, sealed],
            [b"odd bytes"],
        ]
    )
    two = draw.choice(
        [
            [],
            [alert],
            [record(22, answer), change, sealed],
            [record(22, answer + certificate), record(22, message(14, b""))],
            [record(22, answer), record(22, certificate), change, finished, sealed],
            [record(22, answer), sealed, alert],
            [b"\x16\3\3\0"],
        ]
    )
    return one, two


def conversation(draw, port):
    talk = TcpTalk(cport=port, sport=draw.choice([443, 853]), mss=draw.choice([60, 300, 1400]))
    if draw.random() < 0.8:
        talk.open()
    one, two = streams(draw)
    for data in one[:1]:
        talk.sent(data)
    for data in two:
        talk.received(data)
    for data in one[1:]:
        talk.sent(data)
    return talk.close() if draw.random() < 0.5 else talk


def read(path):
    found = read_packets(path, PacketOptions(capture="c", client=(CLIENT,)))
    parts = [
        (p.table, p.row, p.location, p.detail, p.direction, p.data, str(p.ref), p.seams)
        for p in found.payloads
    ]
    return found.rows, parts, found.truncated, found.limits


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 40))
def test_a_glance_gives_what_reading_gives(tmp_path_factory, seed):
    draw = random.Random(seed)
    path = tmp_path_factory.mktemp("glance") / "packets.pcapng"
    talks = [conversation(draw, 40_000 + number) for number in range(6)]
    path.write_bytes(wire.pcapng(wire.frames(p for talk in talks for p in talk.packets)))
    at_a_glance = read(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "glance", lambda *_: False)
        assert read(path) == at_a_glance


def test_the_usual_connection_is_read_at_a_glance(tmp_path, monkeypatch):
    draw = random.Random(1)
    hello = client_hello(random.Random(4))
    talk = TcpTalk(sport=443).open().sent(record(22, hello))
    talk.received(record(22, server_hello(draw, tls13=True)) + record(23, bytes(900)))
    talk.sent(record(20, b"\1") + record(23, bytes(60))).close()
    seen = []
    original = opening.glance
    monkeypatch.setattr(opening, "glance", lambda *given: seen.append(original(*given)) or seen[-1])
    found = wire.read(tmp_path, wire.pcapng(wire.frames(talk.packets)))
    assert seen == [True]
    assert [row["version"] for row in found.rows["tls_handshakes"]] == ["TLSv1.3"]
