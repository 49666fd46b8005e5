"""The peer's proxy on loopback."""

import http.client
import socket
import sys
from urllib.parse import urlsplit

import pytest

from tests.lab.conftest import LIMIT_S, RunningLab, _trusting


def proxy_of(lab: RunningLab) -> http.client.HTTPConnection:
    parts = urlsplit(lab.ready["peer_proxy"])
    assert parts.hostname
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=LIMIT_S)


def test_absolute_requests_reach_the_named_stand_in(lab: RunningLab) -> None:
    connection = proxy_of(lab)
    for number in range(2):  # one connection serves several requests
        url = f"http://filev2.getsession.org/through-the-proxy-{number}?a=b"
        connection.request("GET", url, headers={"Proxy-Connection": "keep-alive"})
        answer = connection.getresponse()
        assert answer.status == 404
        answer.read()
        (row,) = lab.wait_learned(path=f"/through-the-proxy-{number}")
        assert (row["standin"], row["host"], row["query"]) == (
            "file",
            "filev2.getsession.org",
            "a=b",
        )
        assert row["peer"].startswith("127.0.0.77:" if sys.platform == "linux" else "127.")
        assert "Proxy-Connection" not in dict(row["headers"])
    connection.close()


def test_tunnels_reach_nodes_by_their_announced_address(lab: RunningLab) -> None:
    parts = urlsplit(lab.ready["peer_proxy"])
    connection = http.client.HTTPSConnection(
        parts.hostname or "", parts.port, timeout=LIMIT_S, context=_trusting()
    )
    connection.set_tunnel("203.0.113.14", 22021)
    connection.request("POST", "/storage_rpc/v1", b'{"method": "info", "params": {}}')
    assert connection.getresponse().status == 200
    connection.close()


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "http://nowhere.example/", 502),
        ("GET", "http://127.0.0.1:1/", 502),
        ("GET", "https://tracker.example/", 400),
        ("GET", "/relative", 400),
        ("GET", "http://[bad/", 400),
        ("CONNECT", "nowhere.example:443", 502),
        ("CONNECT", "nonsense", 502),
    ],
)
def test_it_leads_nowhere_but_to_the_lab(
    lab: RunningLab, method: str, target: str, status: int
) -> None:
    parts = urlsplit(lab.ready["peer_proxy"])
    with socket.create_connection((parts.hostname, parts.port), LIMIT_S) as stream:
        stream.sendall(f"{method} {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert stream.recv(100).split()[1] == str(status).encode()
