from __future__ import annotations

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.readers import wire
from tests.readers.wire import TcpTalk


def conversation(messages, answers, *, deflate=False):
    """Bytes that the wsproto library exchanges: an upgrade, then messages both ways."""
    from wsproto import ConnectionType, WSConnection
    from wsproto.events import AcceptConnection, BytesMessage, Ping, Request, TextMessage
    from wsproto.extensions import PerMessageDeflate

    extensions = [PerMessageDeflate()] if deflate else []
    client, server = WSConnection(ConnectionType.CLIENT), WSConnection(ConnectionType.SERVER)
    sent = client.send(Request(host="ws.example", target="/chat", extensions=extensions))
    server.receive_data(sent)
    list(server.events())
    received = server.send(AcceptConnection(extensions=[PerMessageDeflate()] if deflate else []))
    client.receive_data(received)
    list(client.events())

    def bytes_of(connection, data):
        kind = TextMessage if isinstance(data, str) else BytesMessage
        half = len(data) // 2
        return (
            connection.send(kind(data[:half], message_finished=False))
            + connection.send(Ping(payload=b"between"))
            + connection.send(kind(data[half:]))
        )

    sent += b"".join(bytes_of(client, message) for message in messages)
    received += b"".join(bytes_of(server, message) for message in answers)
    return sent, received


def read(folder, sent, received, *, close=True):
    made = TcpTalk(sport=82).open().sent(sent).received(received)
    return wire.read_talk(folder, made.close() if close else made)


@pytest.mark.parametrize("deflate", [False, True])
def test_messages_are_joined_unmasked_and_inflated(tmp_path, deflate):
    sent, received = conversation(
        ['{"id": "x"}', b"\x00\x01" * 300], ["hello " * 50], deflate=deflate
    )
    extract = read(tmp_path, sent, received)
    rows = [row for row in extract.rows["websocket_messages"] if row["opcode"] != "ping"]
    assert [(row["direction"], row["opcode"], row["body_len"]) for row in rows] == [
        ("sent", "text", 11), ("sent", "binary", 600), ("received", "text", 300),
    ]  # fmt: skip
    assert rows[0]["json"] == '{"id":"x"}'
    assert {row["host"] for row in rows} == {"ws.example"}
    data = {payload.data for payload in extract.payloads if payload.location == "websocket"}
    assert data == {b'{"id": "x"}', b"\x00\x01" * 300, b"hello " * 50, b"between"}
    assert extract.truncated == []
    assert len(extract.rows["http_requests"]) == 1


def test_a_cut_message_is_said_and_searched(tmp_path):
    sent, received = conversation(["first"], ["x" * 500])
    extract = read(tmp_path, sent, received[:-100], close=False)
    assert [direction for direction, _ in extract.unread] == ["received"]
    assert "a WebSocket message at tcp.received" in extract.unread[0][1]
    assert extract.truncated == []
    assert any(payload.location == "payload" for payload in extract.payloads)


@settings(deadline=None, max_examples=40)
@given(st.binary(max_size=200))
def test_any_bytes_after_the_upgrade_give_rows_or_payloads(tmp_path_factory, data):
    sent, received = conversation([], [])
    extract = read(tmp_path_factory.mktemp("ws"), sent + data, received)
    found = b"".join(p.data for p in extract.payloads if p.location in {"websocket", "payload"})
    assert len(found) <= len(data) * 3, "as messages, and raw from the break and from the end on"


def frame(first, data, mask=b"\1\2\3\4"):
    masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))
    return bytes((first, 0x80 | len(data))) + mask + masked


@pytest.mark.parametrize(
    ("frames", "fault"),
    [
        ([(0x91, b"in a frame of RSV3")], "has reserved bits set"),
        ([(0xA2, b"in a frame of RSV2")], "has reserved bits set"),
        ([(0xC9, b"in a deflated ping")], "has reserved bits set"),
        ([(0x01, b"with no end"), (0x81, b"another")], "has no end"),
        ([(0x80, b"with no beginning")], "has no beginning"),
        ([(0xC1, b"with no extension")], "could not be inflated"),
    ],
)
def test_frames_that_no_rule_allows_for_are_searched_unmasked_and_said(tmp_path, frames, fault):
    sent, received = conversation([], [])
    made = b"".join(frame(first, data) for first, data in frames)
    extract = read(tmp_path, sent + made, received)
    data = [payload.data for payload in extract.payloads]
    assert all(text in data for _, text in frames)
    (said,) = extract.truncated
    assert fault in said
    assert (made in data) == (fault != "could not be inflated")


def deflated(data):
    packer = zlib.compressobj(wbits=-15)
    return (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


@pytest.mark.parametrize(
    ("frames", "deflate"),
    [
        (frame(0x01, b"can") + frame(0x89, b"ping") + frame(0x00, b"ary"), False),
        (frame(0x01, b"can") + frame(0x80, b"ary and more")[:-9], False),
        (frame(0x82, b"canary and more")[:-9], False),
        (frame(0x41, deflated(b"canary")), True),
    ],
)
def test_a_message_whose_end_never_comes_is_searched_unmasked(tmp_path, frames, deflate):
    sent, received = conversation([], [], deflate=deflate)
    extract = read(tmp_path, sent + frames, received)
    (payload,) = [p for p in extract.payloads if p.detail == "unfinished"]
    assert (payload.data, payload.location, payload.table) == (
        b"canary", "websocket", "conversations"
    )  # fmt: skip
    assert [direction for direction, _ in extract.unread] == ["sent"]
    assert extract.truncated == []
