"""The format of onion requests: framing, keys of a layer, and what a layer says.

A node's layer is ``IV (12 bytes) || AES-256-GCM``, keyed by HMAC-SHA256 of the X25519 shared
secret under the configured salt. Its plaintext is a *frame*: ``int32-LE length || inner || JSON``.
The JSON of a relay names the next node (``destination``) or a server outside (``host target method
protocol port``) and the ``ephemeral_key`` of the inner layer; the JSON of the last node has
``headers``, and the inner part is the body. A server outside gets version-4 text instead:
``l<len>:<JSON>[<len>:<body>]e``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from audit.readers.onion_keys import NodeKey, from_hex

MAX_LAYERS: Final = 16
"""Layers of one request that are followed; real paths have three or four."""
_IV: Final = 12
_TAG: Final = 16
_MAX_DIGITS: Final = 12


class OnionError(ValueError):
    """A layer cannot be opened, or does not hold what it should; the text says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One opened layer."""

    depth: int
    """1 is the node that the client speaks to."""
    node: NodeKey
    """Whose key opened it."""
    key: bytes = field(repr=False)
    """AES key of the layer; the answer to the last one is under it."""
    plaintext: bytes = field(repr=False)
    kind: Literal["relay", "node", "server"]
    """``relay`` passes on; ``node`` and ``server`` are destinations (frame, version-4 text)."""
    routing: dict[str, object]
    """JSON of the frame; of a ``server``: of the version-4 text."""
    routing_at: tuple[int, int]
    """Where that JSON lies in ``plaintext``."""
    body: bytes = field(default=b"", repr=False)
    """Body of a destination."""
    body_at: int = 0
    """Where it starts in ``plaintext``."""


class Opener:
    """Opens layers with the keys of known nodes; counts its work."""

    def __init__(self, keys: list[NodeKey], salt: bytes, bound: int = 50_000) -> None:
        self._keys = keys
        self._salt = salt
        self._left = bound
        self._known: dict[tuple[bytes, bytes], bytes | None] = {}

    def open_request(
        self, body: bytes, guard: tuple[str | None, int | None]
    ) -> tuple[list[Layer], str | None]:
        """Return the layers of a request, outermost first, and why the rest stays closed.

        ``guard`` is who got it (address or name, port): its key is tried first. The second value is
        ``None`` where everything was opened.
        """
        layers: list[Layer] = []
        try:
            inner, routing, _ = split_frame(body)
            wanted = self._sorted(lambda key: (key.host, key.port) == guard)
            while len(layers) < MAX_LAYERS:
                layers.append(self._open(inner, routing, wanted, len(layers) + 1))
                if layers[-1].kind != "relay":
                    return layers, None
                inner, routing, _ = split_frame(layers[-1].plaintext)
                wanted = self._towards(routing)
        except OnionError as error:
            return layers, str(error)
        return layers, f"there are more than {MAX_LAYERS} layers"

    def _sorted(self, is_wanted: Callable[[NodeKey], bool]) -> list[NodeKey]:
        return sorted(self._keys, key=lambda key: not is_wanted(key))

    def _towards(self, routing: dict[str, object]) -> list[NodeKey]:
        name, host = routing.get("destination"), routing.get("host")
        if isinstance(name, str):
            return self._sorted(lambda key: key.name == name.lower())
        return self._sorted(lambda key: isinstance(host, str) and key.host == host.lower())

    def _open(
        self, sealed: bytes, routing: dict[str, object], keys: list[NodeKey], depth: int
    ) -> Layer:
        ephemeral = from_hex(routing.get("ephemeral_key"))
        if ephemeral is None or len(ephemeral) != 32:
            raise OnionError(f"layer {depth} names no ephemeral key")
        for node in keys:
            key = self._derive(node, ephemeral)
            plaintext = key and unseal(key, sealed)
            if key and plaintext is not None:
                return _read_layer(depth, node, key, plaintext)
        raise OnionError(f"no known key opens layer {depth}")

    def _derive(self, node: NodeKey, ephemeral: bytes) -> bytes | None:
        known = (node.private, ephemeral)
        if known not in self._known:
            if self._left <= 0:
                raise OnionError("too many keys were tried")
            self._left -= 1
            self._known[known] = derive_key(node.private, ephemeral, self._salt)
        return self._known[known]


def derive_key(private: bytes, public: bytes, salt: bytes) -> bytes | None:
    """Return the AES-256 key of a layer; ``None`` for a public key of low order (RFC 7748 §6.1)."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

    try:
        shared = X25519PrivateKey.from_private_bytes(private).exchange(
            X25519PublicKey.from_public_bytes(public)
        )
    except ValueError:
        return None
    return hmac.new(salt, shared, hashlib.sha256).digest()


def unseal(key: bytes, sealed: bytes) -> bytes | None:
    """Return the plaintext of ``IV || ciphertext || tag``; ``None`` where it does not verify."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if len(sealed) < _IV + _TAG:
        return None
    try:
        return AESGCM(key).decrypt(sealed[:_IV], sealed[_IV:], None)
    except InvalidTag:
        return None


def split_frame(frame: bytes) -> tuple[bytes, dict[str, object], int]:
    """Return the inner part, the JSON, and where the JSON starts; raises :class:`OnionError`."""
    size = int.from_bytes(frame[:4], "little", signed=True)
    if len(frame) < 4 or not 0 <= size <= len(frame) - 4:
        raise OnionError("the length of a frame leads beyond it")
    return frame[4 : 4 + size], _object(frame[4 + size :]), 4 + size


def split_text(plaintext: bytes) -> tuple[dict[str, object], tuple[int, int], bytes, int]:
    """Read version-4 text: its JSON, where that lies, the body and where it starts."""
    if plaintext[:1] != b"l" or plaintext[-1:] != b"e":
        raise OnionError("a server's layer is no version-4 text")
    start, end = _run(plaintext, 1)
    body_start = body_end = end
    if plaintext[end : end + 1] != b"e":
        body_start, body_end = _run(plaintext, end)
    return _object(plaintext[start:end]), (start, end), plaintext[body_start:body_end], body_start


def _run(data: bytes, position: int) -> tuple[int, int]:
    colon = data.find(b":", position, position + _MAX_DIGITS + 1)
    digits = data[position:colon]
    if colon < 0 or not digits.isdigit() or colon + 1 + int(digits) > len(data) - 1:
        raise OnionError("a length of version-4 text leads beyond it")
    return colon + 1, colon + 1 + int(digits)


def _read_layer(depth: int, node: NodeKey, key: bytes, plaintext: bytes) -> Layer:
    if plaintext[:1] == b"l" and plaintext[-1:] == b"e":
        routing, at, body, body_at = split_text(plaintext)
        return Layer(
            depth=depth, node=node, key=key, plaintext=plaintext, kind="server",
            routing=routing, routing_at=at, body=body, body_at=body_at,
        )  # fmt: skip
    inner, routing, at_json = split_frame(plaintext)
    is_relay = "ephemeral_key" in routing
    if not is_relay and "headers" not in routing:
        raise OnionError(f"layer {depth} says neither where to go nor that it is the last")
    return Layer(
        depth=depth, node=node, key=key, plaintext=plaintext, kind="relay" if is_relay else "node",
        routing=routing, routing_at=(at_json, len(plaintext)),
        body=b"" if is_relay else inner, body_at=4,
    )  # fmt: skip


def _object(data: bytes) -> dict[str, object]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise OnionError("the JSON of a layer cannot be read") from None
    if not isinstance(value, dict):
        raise OnionError("the JSON of a layer is no object")
    return value
