"""Keys and certificates of the stand-ins, new in every run."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import ssl
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.x509.oid import NameOID

_FIELD = 2**255 - 19
"""The prime of Curve25519 (RFC 7748)."""


@dataclass(frozen=True)
class NodeKeys:
    """The two key pairs of one server."""

    seed: bytes

    @cached_property
    def signing(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @cached_property
    def agreement(self) -> X25519PrivateKey:
        """The X25519 key that belongs to the signing key, as storage servers derive it."""
        return X25519PrivateKey.from_private_bytes(hashlib.sha512(self.seed).digest()[:32])

    @cached_property
    def ed25519_public(self) -> str:
        """Hex."""
        return self.signing.public_key().public_bytes_raw().hex()

    @cached_property
    def x25519_public(self) -> str:
        """Hex."""
        return self.agreement.public_key().public_bytes_raw().hex()

    @cached_property
    def x25519_private(self) -> str:
        """Hex."""
        return self.agreement.private_bytes_raw().hex()


def make_keys() -> NodeKeys:
    """Return new keys."""
    return NodeKeys(os.urandom(32))


def to_x25519_public(ed25519_public: bytes) -> bytes:
    """Return the X25519 public key that belongs to an Ed25519 one: u = (1 + y) / (1 - y).

    Raises ``ValueError`` where there is none (RFC 7748, 4.1).
    """
    if len(ed25519_public) != 32:
        raise ValueError("an Ed25519 key has 32 bytes")
    y = int.from_bytes(ed25519_public, "little") & ((1 << 255) - 1)
    if y >= _FIELD or y == 1:
        raise ValueError("no point of the curve")
    u = (1 + y) * pow(1 - y, -1, _FIELD) % _FIELD
    return u.to_bytes(32, "little")


def make_tls_context(*names: str) -> ssl.SSLContext:
    """Return server TLS settings with a new self-signed certificate (ECDSA P-256) of its own.

    ``names`` are DNS names; the first is the subject.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    # the ssl module takes certificates from files only
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "server.pem"
        path.touch(mode=0o600)
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context.load_cert_chain(path)
    return context
