"""Tracker hosts take anything and note it."""

import base64
import os
import random
import socket

import pytest

from audit.lab.planter.sending import frames
from tests.lab.conftest import LIMIT_S, RunningLab

RAW = "tracker.example:9090"


@pytest.mark.parametrize("announced", ["tracker.example:80", "metrics.example:443"])
def test_requests_are_noted_whole(lab: RunningLab, announced: str) -> None:
    body = os.urandom(40)
    headers = {"Cookie": "id=7", "Host": announced}
    status, _, _ = lab.ask(
        announced, "PUT", "/v1/x?y=z", body, headers, tls=announced.endswith("443")
    )
    assert status == 200
    (row,) = lab.wait_learned(standin="tracker", body_base64=base64.b64encode(body).decode())
    assert (row["path"], row["query"], row["method"]) == ("/v1/x", "y=z", "PUT")
    assert ["Cookie", "id=7"] in row["headers"]


@pytest.mark.parametrize("size", [1, 125, 126, 70_000])
def test_websocket_messages_are_joined_and_noted(lab: RunningLab, size: int) -> None:
    data = os.urandom(min(size, 60_000))
    with lab.connect("metrics.example:443", tls=True) as stream:
        stream.sendall(
            b"GET /live HTTP/1.1\r\nHost: metrics.example\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        head = stream.recv(4096)
        assert b"101 Switching Protocols" in head
        assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head  # the example of RFC 6455, 1.3
        stream.sendall(b"".join(frames(data, False, random.Random(size))))
        assert stream.recv(10) == b"\x81\x02ok"
    (row,) = lab.wait_learned(event="message", body_base64=base64.b64encode(data).decode())
    assert (row["scheme"], row["host"], row["path"]) == ("wss", "metrics.example", "/live")


def test_raw_bytes_are_noted(lab: RunningLab) -> None:
    data = os.urandom(30)
    with lab.connect(RAW) as stream:
        stream.sendall(data)
        assert stream.recv(10) == b"ok\n"
    assert lab.wait_learned(event="stream", body_base64=base64.b64encode(data).decode())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stream:
        stream.settimeout(LIMIT_S)
        stream.sendto(data, lab.place(RAW))
        assert stream.recv(10) == b"ok"
    assert lab.wait_learned(event="datagram", body_base64=base64.b64encode(data).decode())
