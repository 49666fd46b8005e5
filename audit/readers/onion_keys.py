"""``onion-keys.json``: the private keys of the nodes whose onion layers a capture may open."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from audit.errors import CaptureError
from audit.readers.endpoint import split_endpoint

SCHEMA: Final = "audit/onion-keys@1"
MAX_KEYS: Final = 4096
"""Nodes whose keys are taken; a lab has a dozen."""
_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeKey:
    """One node that peels layers."""

    private: bytes = field(repr=False)
    """X25519 private key, 32 bytes (RFC 7748)."""
    name: str = ""
    """What routing names the node by: its Ed25519 public key, hex, lower case; empty: nothing."""
    host: str | None = None
    """DNS name or address of the node; ``None``: not known."""
    port: int | None = None


def read_node_keys(path: Path) -> list[NodeKey]:
    """Read a key file; raises :class:`CaptureError` naming the entry that is wrong."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CaptureError(f"the onion keys cannot be read: {error}", source=path.name) from None
    entries = data.get("keys") if isinstance(data, dict) else None
    if not isinstance(data, dict) or data.get("schema") != SCHEMA or not isinstance(entries, list):
        raise CaptureError(f"not a key file of schema {SCHEMA}", source=path.name)
    if len(entries) > MAX_KEYS:
        raise CaptureError(f"more than {MAX_KEYS} onion keys", source=path.name)
    return [_key(entry, f"{path.name}:{n}") for n, entry in enumerate(entries, start=1)]


def _key(entry: object, place: str) -> NodeKey:
    found = entry if isinstance(entry, dict) else {}
    private, name = found.get("x25519_private"), found.get("ed25519_public", "")
    endpoint = found.get("endpoint", "")
    if not all(isinstance(value, str) for value in (private, name, endpoint)):
        raise CaptureError("a key is not {x25519_private, ed25519_public, endpoint}", source=place)
    secret = from_hex(private)
    if secret is None or len(secret) != _KEY_BYTES:
        raise CaptureError("an X25519 private key is not 64 hex digits", source=place)
    host, port = split_endpoint(endpoint) or (None, None)
    return NodeKey(private=secret, name=name.lower(), host=host, port=port)


def from_hex(text: object) -> bytes | None:
    """Return the bytes of hex text; ``None`` for anything else."""
    if not isinstance(text, str):
        return None
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None
