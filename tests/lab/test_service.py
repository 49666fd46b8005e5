"""One listener: connections stay open, garbage is answered and noted, nothing brings it down."""

import json
import socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.lab.conftest import RunningLab

CALL = json.dumps({"method": "info", "params": {}}).encode()


def request(path: str, body: bytes, extra: str = "") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
    return head.encode() + body


def read_answers(stream: socket.socket, count: int) -> bytes:
    data = b""
    while data.count(b"HTTP/1.1 ") < count or not data.endswith(b"}"):
        block = stream.recv(65536)
        if not block:
            break
        data += block
    return data


def test_requests_sent_at_once_are_answered_in_order(lab: RunningLab) -> None:
    with lab.connect("203.0.113.11:22021", tls=True) as stream:
        stream.sendall(request("/storage_rpc/v1", CALL) * 3)
        data = read_answers(stream, 3)
    assert data.count(b"HTTP/1.1 200 OK") == 3
    assert data.count(b"\r\nDate: ") == 3


def test_a_connection_closes_when_asked_to(lab: RunningLab) -> None:
    with lab.connect("203.0.113.11:22021", tls=True) as stream:
        stream.sendall(request("/storage_rpc/v1", CALL, "Connection: close\r\n"))
        assert b"\r\nConnection: close\r\n" in read_answers(stream, 1)
        assert stream.recv(1) == b""


@pytest.mark.parametrize(
    "announced", ["seed1.getsession.org:80", "filev2.getsession.org:80", "tracker.example:80"]
)
def test_bytes_that_are_no_request_are_refused_and_noted(lab: RunningLab, announced: str) -> None:
    name = announced.partition(".")[0].replace("filev2", "file")
    with lab.connect(announced) as stream:
        stream.sendall(b"\x16\x03\x01 no request at all\r\n\r\n")
        assert stream.recv(65536).startswith(b"HTTP/1.1 400 ")
    assert lab.wait_learned(standin=name, event="garbage")


def test_plain_text_at_a_tls_port_does_no_harm(lab: RunningLab) -> None:
    with lab.connect("203.0.113.12:22021") as stream:
        stream.sendall(b"GET / HTTP/1.1\r\n\r\n")
        stream.settimeout(15)
        try:
            while stream.recv(1000):
                pass
        except OSError:
            pass
    assert lab.ask("203.0.113.12:22021", "POST", "/storage_rpc/v1", CALL, tls=True)[0] == 200


def test_a_head_of_an_answer_has_no_body(lab: RunningLab) -> None:
    status, body, headers = lab.ask("tracker.example:80", "HEAD", "/pixel.gif")
    assert (status, body) == (200, b"")
    assert headers["content-length"] == "6"


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(min_size=1, max_size=200), st.sampled_from([b"", b"POST /json_rpc HTTP/1.1\r\n"]))
def test_after_any_bytes_it_still_answers(lab: RunningLab, data: bytes, head: bytes) -> None:
    with lab.connect("seed1.getsession.org:80") as stream:
        stream.sendall(head + data)
        stream.shutdown(socket.SHUT_WR)
        while True:
            try:
                if not stream.recv(65536):
                    break
            except ConnectionResetError:
                break
    assert lab.ask("seed1.getsession.org:80", "GET", "/alive")[0] == 404
