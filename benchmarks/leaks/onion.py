"""Messages inside onion requests, sealed as the format's own text says.

A layer: ``IV (12 bytes) || AES-256-GCM``, keyed by HMAC-SHA256, under a salt, of the X25519 secret
between a fresh key and the node's. Its plaintext is ``int32-LE length || inner || JSON``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import struct
from collections.abc import Iterable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .message import Message
from .mitm import write_mitm

PATH = "/onion_req/v2"
SALT = b"LOKI"
SERVER = "inner"
"""Begins the name of the server inside, which no other message has."""


class Node:
    """One node of the path, with keys drawn from the seed."""

    def __init__(self, draw: random.Random, host: str) -> None:
        self.key = X25519PrivateKey.from_private_bytes(draw.randbytes(32))
        self.public = self.key.public_key().public_bytes_raw()
        self.name = draw.randbytes(32).hex()
        self.host = host

    def seal(self, plaintext: bytes, draw: random.Random) -> tuple[bytes, str]:
        """Return a plaintext sealed for the node, and the public key that it was sealed with."""
        fresh = X25519PrivateKey.from_private_bytes(draw.randbytes(32))
        shared = fresh.exchange(self.key.public_key())
        key = hmac.new(SALT, shared, hashlib.sha256).digest()
        nonce = draw.randbytes(12)
        sealed = nonce + AESGCM(key).encrypt(nonce, plaintext, None)
        return sealed, fresh.public_key().public_bytes_raw().hex()


def frame(inner: bytes, routing: dict[str, object]) -> bytes:
    """Return a frame: length, inner part, JSON."""
    return struct.pack("<i", len(inner)) + inner + json.dumps(routing).encode()


def write_onion(folder: Path, messages: Iterable[Message], seed: int) -> None:
    """Write the dump and the keys that open its requests."""
    draw = random.Random(f"onion {seed}")
    nodes = [Node(draw, f"node{number}.{SERVER}.example") for number in range(3)]
    server = Node(draw, "files.inner.example")
    sealed = []
    for message in messages:
        message.method, message.path = "POST", PATH
        message.body = _request(message, nodes, server, draw)
        message.media = "application/octet-stream"
        message.answer = b""
        sealed.append(message)
    if not sealed:
        return
    write_mitm(folder / "onion.mitm", sealed)
    keys = [
        {
            "x25519_public": node.public.hex(),
            "x25519_private": node.key.private_bytes_raw().hex(),
            "ed25519_public": node.name,
            "endpoint": f"{node.host}:443",
        }
        for node in (*nodes, server)
    ]
    text = json.dumps({"schema": "audit/onion-keys@1", "keys": keys}, indent=1)
    (folder / "onion-keys.json").write_text(text + "\n", encoding="utf-8")


def _request(message: Message, nodes: list[Node], server: Node, draw: random.Random) -> bytes:
    """Wrap a message for the last node, or for a server behind it, in one layer a node."""
    if draw.random() < 0.5:
        inner, key = nodes[2].seal(frame(message.data, {"headers": {}}), draw)
    else:
        head = json.dumps({"method": "POST", "endpoint": "/v1/sync", "headers": {}}).encode()
        text = b"l%d:%b%d:%be" % (len(head), head, len(message.data), message.data)
        packed, key = server.seal(text, draw)
        outside = {"host": server.host, "target": "/oxen/v4/lsrpc", "method": "POST",
                   "protocol": "https", "port": 443, "ephemeral_key": key}  # fmt: skip
        inner, key = nodes[2].seal(frame(packed, outside), draw)
    for node, following in ((nodes[1], nodes[2]), (nodes[0], nodes[1])):
        routing = {"destination": following.name, "ephemeral_key": key}
        inner, key = node.seal(frame(inner, routing), draw)
    return frame(inner, {"ephemeral_key": key})
