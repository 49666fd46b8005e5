"""Real TLS traffic over 127.0.0.1, seen by a packet socket, for the tests of decryption."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.readers import wire

_OUTGOING = 4


@dataclass
class Tap:
    """Frames that left through lo, with the time the kernel saw them."""

    frames: list[tuple[int, bytes]] = field(default_factory=list)

    def of_port(self, port: int) -> list[tuple[int, bytes]]:
        wanted = port.to_bytes(2, "big")
        return [(ts, frame) for ts, frame in self.frames if wanted in {frame[34:36], frame[36:38]}]


@contextmanager
def tap_loopback() -> Iterator[Tap]:
    """Listen on lo while the block runs; skip where packet sockets are refused."""
    try:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    except (AttributeError, PermissionError) as error:
        pytest.skip(f"no packet socket on this machine: {error}")
    tap, stop = Tap(), threading.Event()
    with sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
        sock.bind(("lo", 0))
        sock.settimeout(0.1)

        def listen() -> None:
            quiet = 0
            while quiet < 2:
                try:
                    frame, address = sock.recvfrom(1 << 18)
                except TimeoutError:
                    quiet += stop.is_set()
                    continue
                if address[2] == _OUTGOING:
                    tap.frames.append((time.time_ns(), frame))

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield tap
        finally:
            stop.set()
            thread.join(10)


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Write a self-signed certificate for server.example and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "server.example")])
    start = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=36500))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("server.example")]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    cert_path, key_path = folder / "cert.pem", folder / "key.pem"
    cert_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    return cert_path, key_path


@dataclass
class TlsPair:
    """What both ends of a recorded TLS connection said."""

    port: int
    capture: bytes
    version: str | None
    cipher: str


def record_tls(
    folder: Path,
    client_talk: Callable[[ssl.SSLSocket], None],
    server_talk: Callable[[ssl.SSLSocket], None],
    *,
    version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    ciphers: str | None = None,
    alpn: tuple[str, ...] = (),
    client_certificate: bool = False,
) -> TlsPair:
    """Let two real sockets talk TLS over 127.0.0.1 and return the capture with the secrets."""
    cert, key = make_certificate(folder)
    key_log = folder / "keys.log"
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(cert, key)
    client_side = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_side.load_verify_locations(cert)
    client_side.keylog_filename = str(key_log)
    client_side.minimum_version = client_side.maximum_version = version
    if client_certificate:
        client_side.load_cert_chain(cert, key)
        server_side.verify_mode = ssl.CERT_REQUIRED
        server_side.load_verify_locations(cert)
    if ciphers:
        client_side.set_ciphers(ciphers)
        server_side.set_ciphers(ciphers)
    if alpn:
        client_side.set_alpn_protocols(list(alpn))
        server_side.set_alpn_protocols(list(alpn))
    with tap_loopback() as tap, socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        port = listener.getsockname()[1]
        failures: list[BaseException] = []

        def serve() -> None:
            try:
                raw, _ = listener.accept()
                raw.settimeout(10)
                with server_side.wrap_socket(raw, server_side=True) as sock:
                    server_talk(sock)
                    sock.unwrap()
            except (OSError, ssl.SSLError) as error:
                failures.append(error)

        thread = threading.Thread(target=serve)
        thread.start()
        with (
            socket.create_connection(("127.0.0.1", port), timeout=10) as raw,
            client_side.wrap_socket(raw, server_hostname="server.example") as sock,
        ):
            agreed = sock.version(), (sock.cipher() or ("",))[0]
            client_talk(sock)
            sock.unwrap()
        thread.join(10)
    assert not failures, failures
    capture = wire.pcapng(tap.of_port(port), key_log=key_log.read_bytes())
    return TlsPair(port=port, capture=capture, version=agreed[0], cipher=agreed[1])
