"""The gateway's control echo: ``python -m audit.record.echo ADDRESS HTTP_PORT HTTPS_PORT FOLDER``.

Answers every request with its own path, over plain HTTP and over TLS with a self-signed
certificate made for this recording and kept in ``FOLDER``. Prints ``ready`` when it listens.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import email.utils
import ipaddress
import os
import ssl
import sys
from pathlib import Path
from typing import Final

_LIMIT_S: Final = 30.0
_MOST_BODY_BYTES: Final = 16 << 20


def make_certificate(address: str, folder: Path) -> Path:
    """Write a key and a self-signed certificate for an address into one file, mode 0600."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "control echo")])
    moment = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - dt.timedelta(days=1))
        .not_valid_after(moment + dt.timedelta(days=7))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "echo.pem"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        file.write(certificate.public_bytes(serialization.Encoding.PEM))
    return path


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        async with asyncio.timeout(_LIMIT_S):
            await _exchange(reader, writer)
    except (OSError, TimeoutError, ValueError, IndexError, EOFError, asyncio.LimitOverrunError):
        pass  # whatever is not a request gets no answer
    finally:
        with contextlib.suppress(OSError):
            writer.close()


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
    path = head[0].split(b" ")[1]
    for line in head[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            await reader.readexactly(min(int(value), _MOST_BODY_BYTES))
    body = path + b"\n"
    writer.write(
        b"HTTP/1.1 200 OK\r\nDate: " + email.utils.formatdate(usegmt=True).encode() +
        b"\r\nServer: echo\r\nContent-Type: text/plain\r\nContent-Length: "
        + str(len(body)).encode() + b"\r\nConnection: close\r\n\r\n" + body
    )  # fmt: skip
    await writer.drain()


async def _serve(address: str, http: int, https: int, folder: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(make_certificate(address, folder))
    await asyncio.start_server(_answer, None, http)
    await asyncio.start_server(_answer, None, https, ssl=context)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


def main(arguments: list[str]) -> int:
    """Serve until killed."""
    address, http, https, folder = arguments
    asyncio.run(_serve(address, int(http), int(https), Path(folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
