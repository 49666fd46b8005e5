"""Onion layers: key agreement, sealing and opening, and the framings inside.

Sources: storage server ``crypto/channel_encryption.cpp`` (X25519, HMAC-SHA256 keyed ``LOKI``,
AES-256-GCM with the 12-byte nonce before and the 16-byte tag after the ciphertext),
``rpc/onion_processing.cpp`` (what a layer holds), file server ``onion_req.py`` (version 4).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import struct
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SALT: Final = b"LOKI"
NONCE_BYTES: Final = 12
MAX_HOPS: Final = 15
"""Storage server, ``MAX_ONION_HOPS``."""
MAX_JSON_BYTES: Final = 65_536


class LayerError(Exception):
    """The bytes are no layer, or none that this key opens."""


@dataclass(frozen=True, slots=True)
class ToNode:
    """Hand the ciphertext on to another storage node."""

    destination: str
    """Its Ed25519 key, hex."""
    ephemeral_key: str
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class ToHost:
    """POST the whole opened layer to a host that is no storage node."""

    host: str
    port: int
    protocol: str
    target: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class ToSelf:
    """The end of the path: a request body for this node."""

    body: bytes
    embed_json: bool = False
    """Whether the answer's body stands as JSON in the envelope rather than as text."""
    as_base64: bool = True


def split_payload(data: bytes) -> tuple[bytes, dict[str, Any]]:
    """Split ``length (4 bytes, little endian) | bytes | JSON object``.

    Raises :class:`LayerError` for anything else.
    """
    if len(data) < 4:
        raise LayerError("too short for a length")
    (length,) = struct.unpack_from("<I", data)
    if length > len(data) - 4 or len(data) - 4 - length > MAX_JSON_BYTES:
        raise LayerError("the length does not fit")
    try:
        info = json.loads(data[4 + length :])
    except (ValueError, RecursionError):
        raise LayerError("no JSON behind the ciphertext") from None
    if not isinstance(info, dict):
        raise LayerError("no JSON object behind the ciphertext")
    return data[4 : 4 + length], info


def join_payload(inner: bytes, info: dict[str, Any]) -> bytes:
    """Return the opposite of :func:`split_payload`."""
    return struct.pack("<I", len(inner)) + inner + json.dumps(info).encode()


@dataclass(frozen=True, slots=True)
class Channel:
    """The symmetric key that one request's ephemeral key and one server's key agree on."""

    key: bytes

    def seal(self, plaintext: bytes) -> bytes:
        """Return nonce, ciphertext and tag."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + AESGCM(self.key).encrypt(nonce, plaintext, None)

    def open(self, data: bytes) -> bytes:
        """Return the plaintext; raises :class:`LayerError`."""
        if len(data) < NONCE_BYTES + 16:
            raise LayerError("too short for a ciphertext")
        try:
            return AESGCM(self.key).decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], None)
        except InvalidTag:
            raise LayerError("the ciphertext is not for this key") from None


def agree(private: X25519PrivateKey, public: str | bytes) -> Channel:
    """Return the channel between a key of ours and a key given as 32 bytes or hex.

    Raises :class:`LayerError` where that is no usable key.
    """
    try:
        raw = bytes.fromhex(public) if isinstance(public, str) else public
        secret = private.exchange(X25519PublicKey.from_public_bytes(raw))
    except ValueError:
        raise LayerError("the ephemeral key is not usable") from None
    return Channel(hmac.digest(SALT, secret, hashlib.sha256))


def open_request(
    private: X25519PrivateKey, ciphertext: bytes, info: dict[str, Any]
) -> tuple[Channel, bytes]:
    """Open the ciphertext that ``info`` (``ephemeral_key``, ``enc_type``) describes.

    Returns the channel for the answer and the plaintext; raises :class:`LayerError`.
    """
    if info.get("enc_type", "aes-gcm") not in {"aes-gcm", "gcm"}:
        raise LayerError("only aes-gcm is spoken here")
    key = info.get("ephemeral_key")
    if not isinstance(key, str):
        raise LayerError("no ephemeral_key")
    channel = agree(private, key)
    return channel, channel.open(ciphertext)


def parse_layer(plaintext: bytes) -> ToNode | ToHost | ToSelf:
    """Say what an opened layer asks for; raises :class:`LayerError`."""
    inner, info = split_payload(plaintext)
    if "headers" in info:
        as_base64 = info.get("base64", True)
        return ToSelf(inner, info.get("json") is True, as_base64 is not False)
    if "host" in info:
        host, target = info["host"], info.get("target")
        protocol = info.get("protocol", "https")
        port = info.get("port", 443)
        if not (isinstance(host, str) and isinstance(target, str) and isinstance(protocol, str)):
            raise LayerError("host, target and protocol are texts")
        if not isinstance(port, int) or isinstance(port, bool) or not 0 < port < 65_536:
            raise LayerError("port is no port")
        return ToHost(host, port, protocol, target, plaintext)
    destination, key = info.get("destination"), info.get("ephemeral_key")
    if not isinstance(destination, str) or not isinstance(key, str):
        raise LayerError("neither a destination nor a host nor the end of the path")
    return ToNode(destination, key, inner)


def is_allowed_target(target: str) -> bool:
    """Whether nodes forward to a path (``is_onion_url_target_allowed``)."""
    inside = target.startswith(("/loki/", "/oxen/"))
    return inside and target.endswith("/lsrpc") and "?" not in target


def split_list(data: bytes) -> list[bytes]:
    """Split a bencoded list of byte strings (version 4 framing); raises :class:`LayerError`."""
    if data[:1] != b"l" or data[-1:] != b"e":
        raise LayerError("not a bencoded list")
    parts: list[bytes] = []
    position, end = 1, len(data) - 1
    while position < end:
        colon = data.find(b":", position, position + 10)
        digits = data[position:colon] if colon > 0 else b""
        if not digits.isdigit() or colon + 1 + int(digits) > end:
            raise LayerError("not a bencoded byte string")
        position = colon + 1 + int(digits)
        parts.append(data[colon + 1 : position])
    return parts


def join_list(*parts: bytes) -> bytes:
    """Return the opposite of :func:`split_list`."""
    return b"l" + b"".join(b"%d:%s" % (len(part), part) for part in parts) + b"e"
