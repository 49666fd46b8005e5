"""Onion requests and answers, built the way clients and nodes do, apart from the reader's code."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import struct
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SALT = b"SALT"


@dataclass
class Node:
    endpoint: str
    name: str = ""
    secret: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)

    @property
    def private(self) -> bytes:
        return self.secret.private_bytes(
            serialization.Encoding.Raw,
            serialization.PrivateFormat.Raw,
            serialization.NoEncryption(),
        )

    @property
    def public(self) -> X25519PublicKey:
        return self.secret.public_key()


def nodes(count: int = 3) -> list[Node]:
    return [Node(f"203.0.113.{at}:22021", f"{at:064x}") for at in range(1, count + 1)]


@dataclass
class Sealed:
    data: bytes
    ephemeral: str
    key: bytes


def raw(key: X25519PublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def seal(node: Node, plaintext: bytes) -> Sealed:
    own = X25519PrivateKey.generate()
    key = hmac.new(SALT, own.exchange(node.public), hashlib.sha256).digest()
    iv = os.urandom(12)
    return Sealed(iv + AESGCM(key).encrypt(iv, plaintext, None), raw(own.public_key()).hex(), key)


def frame(inner: bytes, about: dict) -> bytes:
    return struct.pack("<i", len(inner)) + inner + json.dumps(about).encode()


def wrap(path: list[Node], sealed: Sealed, last: dict) -> bytes:
    """Wrap for each node of the path, from the last to the guard; the body of the request."""
    about = {**last, "ephemeral_key": sealed.ephemeral}
    for node in reversed(path):
        sealed = seal(node, frame(sealed.data, about))
        about = {"destination": node.name, "ephemeral_key": sealed.ephemeral}
    return frame(sealed.data, {"ephemeral_key": sealed.ephemeral})


def to_node(
    path: list[Node], target: Node, body: bytes, headers: dict | None = None
) -> tuple[bytes, bytes]:
    """The body of a request to a node, and the key of its answer."""
    sealed = seal(target, frame(body, {"headers": headers or {}}))
    return wrap(path, sealed, {"destination": target.name}), sealed.key


def v4(about: dict, body: bytes | None = None) -> bytes:
    head = json.dumps(about).encode()
    rest = b"" if body is None else b"%d:%s" % (len(body), body)
    return b"l%d:%s%se" % (len(head), head, rest)


def to_server(path: list[Node], server: Node, host: str, text: bytes) -> tuple[bytes, bytes]:
    """The body of a request to a server outside, and the key of its answer."""
    sealed = seal(server, text)
    last = {"host": host, "target": "/v4", "method": "POST", "protocol": "http", "port": 80}
    return wrap(path, sealed, last), sealed.key


def answer(key: bytes, plaintext: bytes) -> bytes:
    iv = os.urandom(12)
    return iv + AESGCM(key).encrypt(iv, plaintext, None)


def write_keys(folder: Path, known: list[Node]) -> Path:
    path = folder / "onion-keys.json"
    keys = [
        {
            "x25519_private": node.private.hex(),
            "x25519_public": raw(node.public).hex(),
            "ed25519_public": node.name,
            "endpoint": node.endpoint,
        }
        for node in known
    ]
    path.write_text(json.dumps({"schema": "audit/onion-keys@1", "keys": keys}))
    return path
