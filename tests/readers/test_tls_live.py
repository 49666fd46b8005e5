"""Real OpenSSL on both ends of a real socket: what was sent is what is read."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import ssl
import subprocess
import sys

import pytest

from tests.readers import wire
from tests.readers.loopback import make_certificate, record_tls

pytestmark = pytest.mark.system

BODY = json.dumps({"method": "store", "params": {"pubkey": "05" + "ab" * 32}}).encode()
REQUEST = (
    b"POST /storage_rpc/v1?a=1&b=%%20x HTTP/1.1\r\nHost: Server.example:443\r\nX-Id: 77\r\n"
    b"Cookie: k=v; n=m\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)
) + BODY
PACKED = gzip.compress(b'{"b":2,"a":[1]}' * 1)
RESPONSE = (
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b"".join(
        b"%x\r\n%s\r\n" % (len(PACKED[i : i + 7]), PACKED[i : i + 7])
        for i in range(0, len(PACKED), 7)
    )
    + b"0\r\nX-Trailer: t\r\n\r\n"
)


def _read_until(sock: ssl.SSLSocket, ending: bytes) -> bytes:
    data = b""
    while not data.endswith(ending):
        more = sock.recv(65536)
        if not more:
            break
        data += more
    return data


def ask(sock: ssl.SSLSocket) -> None:
    for _ in range(2):
        sock.sendall(REQUEST)
        _read_until(sock, b"\r\n\r\n")


def answer(sock: ssl.SSLSocket) -> None:
    for _ in range(2):
        _read_until(sock, BODY)
        sock.sendall(RESPONSE)


CASES = [
    (ssl.TLSVersion.TLSv1_3, None),
    (ssl.TLSVersion.TLSv1_2, "ECDHE-RSA-AES128-GCM-SHA256"),
    (ssl.TLSVersion.TLSv1_2, "ECDHE-RSA-AES256-GCM-SHA384"),
    (ssl.TLSVersion.TLSv1_2, "ECDHE-RSA-CHACHA20-POLY1305"),
    (ssl.TLSVersion.TLSv1_2, "AES128-GCM-SHA256:@SECLEVEL=0"),
    (ssl.TLSVersion.TLSv1_2, "ECDHE-RSA-AES256-SHA384"),
    (ssl.TLSVersion.TLSv1_2, "AES128-SHA:@SECLEVEL=0"),
]


@pytest.mark.parametrize(("version", "ciphers"), CASES)
def test_http_inside_tls_is_read_to_the_byte(tmp_path, version, ciphers):
    pair = record_tls(tmp_path, ask, answer, version=version, ciphers=ciphers)
    extract = wire.read(tmp_path, pair.capture, client=("127.0.0.1",))

    assert extract.truncated == []
    requests, responses = extract.rows["http_requests"], extract.rows["http_responses"]
    assert [row["path"] for row in requests] == ["/storage_rpc/v1"] * 2
    assert {row["host"] for row in requests + responses} == {"server.example"}
    assert {row["transport"] for row in requests + responses} == {"tls-keys"}
    assert requests[0]["json"] == json.dumps(
        json.loads(BODY), separators=(",", ":"), sort_keys=True
    )
    assert [row["status"] for row in responses] == [200, 200]
    assert responses[1]["json"] == '{"a":[1],"b":2}'
    (conversation,) = extract.rows["conversations"]
    assert (conversation["transport"], conversation["missed_bytes"]) == ("tls-keys", 0)
    (handshake,) = extract.rows["tls_handshakes"]
    assert handshake["sni"] == "server.example"
    assert handshake["version"] == pair.version
    assert handshake["refused_by"] is None
    leaf = ssl.PEM_cert_to_DER_cert((tmp_path / "cert.pem").read_text())
    assert handshake["certificate"] == hashlib.sha256(leaf).hexdigest()


def test_references_point_at_the_bytes_that_were_sent(tmp_path):
    pair = record_tls(tmp_path, ask, answer)
    extract = wire.read(tmp_path, pair.capture, client=("127.0.0.1",))

    stream = REQUEST * 2
    checked = set()
    for payload in extract.payloads:
        if payload.table == "http_requests":
            assert payload.ref.part == "tls.sent"
            assert stream[payload.ref.start : payload.ref.end] == payload.data
            assert payload.direction == "sent"
            assert payload.ref.records
            checked.add(payload.location)
    assert checked == {"path", "query", "header", "cookie", "body"}
    bodies = [p for p in extract.payloads if p.location == "response"]
    assert [body.data for body in bodies] == [PACKED, PACKED]
    assert all(body.content_encoding == ("gzip",) for body in bodies)


def test_without_secrets_only_metadata_is_there(tmp_path):
    pair = record_tls(tmp_path, ask, answer)
    capture = pair.capture[
        : pair.capture.rindex(b"\x0a\x00\x00\x00", 0, pair.capture.rindex(b"KSLT"))
    ]
    extract = wire.read(tmp_path, capture, client=("127.0.0.1",))

    assert "http_requests" not in extract.rows
    (conversation,) = extract.rows["conversations"]
    assert (conversation["transport"], conversation["content"]) == ("metadata-only", "opaque")
    assert conversation["host"] == "server.example"


def test_a_client_certificate_and_a_large_body_do_not_disturb(tmp_path):
    big = os.urandom(300_000)
    request = b"PUT /big HTTP/1.1\r\nHost: server.example\r\nContent-Length: 300000\r\n\r\n" + big

    def send(sock):
        sock.sendall(request)
        _read_until(sock, b"\r\n\r\n")

    def take(sock):
        left = len(request)
        while left:
            left -= len(sock.recv(65536))
        sock.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    pair = record_tls(tmp_path, send, take, client_certificate=True)
    extract = wire.read(tmp_path, pair.capture, client=("127.0.0.1",))
    assert extract.truncated == []
    (body,) = [p for p in extract.payloads if p.location == "body"]
    assert body.data == big
    assert extract.rows["http_responses"][0]["status"] == 204


@pytest.mark.parametrize(
    "suite",
    ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"],
)
def test_each_tls13_suite_is_opened(tmp_path, suite):
    """OpenSSL takes suites of TLS 1.3 from its configuration only: a process of its own."""
    (tmp_path / "openssl.cnf").write_text(
        f"openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nCiphersuites = {suite}\n"
    )
    script = (
        "import sys; from pathlib import Path; from tests.readers.test_tls_live import *\n"
        "folder = Path(sys.argv[1]); pair = record_tls(folder, ask, answer)\n"
        "(folder / 'out.pcapng').write_bytes(pair.capture); print(pair.cipher)\n"
    )
    env = os.environ | {
        "OPENSSL_CONF": str(tmp_path / "openssl.cnf"),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        env=env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    if "no packet socket" in done.stderr:
        pytest.skip("no packet socket on this machine")
    assert done.stdout.strip() == suite, done.stderr
    extract = wire.read(tmp_path, (tmp_path / "out.pcapng").read_bytes(), client=("127.0.0.1",))
    assert extract.truncated == []
    assert len(extract.rows["http_requests"]) == 2


def test_a_client_that_does_not_trust_the_server_is_said_to_refuse(tmp_path):
    from tests.readers.loopback import tap_loopback

    cert, key = make_certificate(tmp_path)
    import socket
    import threading

    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(cert, key)
    with tap_loopback() as tap, socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def serve():
            raw, _ = listener.accept()
            with raw, pytest.raises((ssl.SSLError, OSError)):
                server_side.wrap_socket(raw, server_side=True).recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        with socket.create_connection(("127.0.0.1", port)) as raw, pytest.raises(ssl.SSLError):
            ssl.create_default_context().wrap_socket(raw, server_hostname="server.example")
        thread.join(10)
    extract = wire.read(tmp_path, wire.pcapng(tap.of_port(port)), client=("127.0.0.1",))
    assert extract.rows["tls_handshakes"][0]["refused_by"] == "client"
