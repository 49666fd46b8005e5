import os
import ssl
import subprocess
import sys
import urllib.request

import pytest

from audit.record.echo import make_certificate


@pytest.fixture
def echo(tmp_path):
    """The echo on two free ports of loopback."""
    import socket

    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        ports = [end.getsockname()[1] for end in (one, two)]
    process = subprocess.Popen(
        [sys.executable, "-B", "-m", "audit.record.echo", "127.0.0.1", *map(str, ports), str(tmp_path)],
        env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout.readline() == b"ready\n"
    yield ports
    process.kill()
    process.wait()
    process.stdout.close()


def control(*urls, **environment):
    return subprocess.run(
        [sys.executable, "-B", "-m", "audit.record.control", *urls],
        env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **environment},
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


def test_a_path_comes_back_by_both_schemes(echo):
    http, https = echo
    assert urllib.request.urlopen(f"http://127.0.0.1:{http}/token").read() == b"/token\n"
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    assert urllib.request.urlopen(f"https://127.0.0.1:{https}/x", context=context).read() == b"/x\n"


def test_bodies_are_taken(echo):
    request = urllib.request.Request(f"http://127.0.0.1:{echo[0]}/up", data=b"x" * 300_000)
    assert urllib.request.urlopen(request).read() == b"/up\n"  # noqa: S310 - loopback


def test_garbage_does_not_end_it(echo):
    import socket

    for data in (
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\ncontent-length: many\r\n\r\n",
        b"\x16\x03\x01",
    ):
        with socket.create_connection(("127.0.0.1", echo[0]), timeout=10) as end:
            end.sendall(data)
            end.shutdown(socket.SHUT_WR)
            end.recv(100)
    assert urllib.request.urlopen(f"http://127.0.0.1:{echo[0]}/still").read() == b"/still\n"


def test_the_control_leaves_its_tls_secrets(echo, tmp_path):
    keys = tmp_path / "keys"
    urls = [f"http://127.0.0.1:{echo[0]}/{'a' * 32}", f"https://127.0.0.1:{echo[1]}/{'b' * 32}"]
    assert control(*urls, SSLKEYLOGFILE=str(keys)).returncode == 0
    assert b"CLIENT_TRAFFIC_SECRET_0" in keys.read_bytes()


def test_a_control_that_reaches_nobody_says_so():
    run = control("http://127.0.0.1:1/token")
    assert run.returncode == 1
    assert run.stderr.startswith("the http control did not reach the echo: ")


def test_the_certificate_is_for_the_address_and_for_its_owner_alone(tmp_path):
    from cryptography import x509

    path = make_certificate("198.18.0.1", tmp_path)
    assert path.stat().st_mode & 0o077 == 0
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == ["198.18.0.1"]
