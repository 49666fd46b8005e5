"""Parameters of storage calls, checked as the storage server checks them, and their signatures.

Source: storage server ``rpc/client_rpc_endpoints.cpp`` (``load_pk``, ``load_pk_signature``).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit.lab.keys import to_x25519_public

_HASH = re.compile(r"[A-Za-z0-9+/]{43}\Z")
_NUMBER = re.compile(r"-?[0-9]{1,19}\Z")


class RefusedError(Exception):
    """The call is answered with an error; ``status`` is its HTTP status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def bad(text: str) -> RefusedError:
    """Return the error for parameters that are none."""
    return RefusedError(400, f"invalid request: {text}")


@dataclass(frozen=True, slots=True)
class Params:
    """The parameters of one call; every getter raises :class:`RefusedError`."""

    values: Mapping[str, Any]

    def text(self, *names: str) -> str | None:
        """Return a text given under exactly one of the names, ``None`` where it is absent."""
        given = [name for name in names if self.values.get(name) is not None]
        if len(given) > 1:
            raise bad(f"Cannot specify both '{given[0]}' and '{given[1]}'")
        if not given:
            return None
        value = self.values[given[0]]
        if not isinstance(value, str):
            raise bad(f"Invalid value given for '{given[0]}'")
        return value

    def number(self, name: str, *, or_text: bool = False) -> int | None:
        """Return a whole number of 64 bits; where ``or_text``, also one written as text."""
        value = self.values.get(name)
        if value is None:
            return None
        if or_text and isinstance(value, str) and _NUMBER.match(value):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not -(2**63) <= value < 2**63:
            raise bad(f"Invalid value given for '{name}'")
        return value

    def flag(self, name: str) -> bool:
        """Return a truth value, false where it is absent."""
        value = self.values.get(name, False)
        if not isinstance(value, bool | int):
            raise bad(f"Invalid value given for '{name}'")
        return bool(value)

    def required(self, name: str) -> int:
        """Return a whole number that must be there."""
        value = self.number(name)
        if value is None:
            raise bad(f"Required field '{name}' missing")
        return value

    def account(self) -> bytes:
        """Return prefix and key of the account (33 bytes) the call is about."""
        text = self.text("pubkey", "pubKey")
        if text is None:
            raise bad("Required field 'pubkey' missing")
        try:
            raw = bytes.fromhex(text) if len(text) == 66 else b""
        except ValueError:
            raw = b""
        if len(raw) != 33:
            raise bad("Pubkey must be 66 hex digits (33 bytes) long")
        return raw

    def namespace(self) -> int:
        """Return the namespace, 0 where none is given."""
        value = self.number("namespace") or 0
        if not -32_768 <= value <= 32_767:
            raise bad("Invalid value given for 'namespace': out of range")
        return value

    def namespace_or_all(self) -> int | None:
        """Return the namespace, ``None`` for ``"all"``."""
        return None if self.values.get("namespace") == "all" else self.namespace()

    def hashes(self) -> list[str]:
        """Return the list of message hashes."""
        values = self.values.get("messages")
        if not isinstance(values, list) or not values:
            raise bad("messages does not contain any message hashes")
        if not all(isinstance(value, str) and _HASH.match(value) for value in values):
            raise bad("invalid message hash")
        return values

    def data(self, limit: int) -> bytes:
        """Return the decoded ``data`` of at most ``limit`` bytes."""
        text = self.text("data")
        if text is None:
            raise bad("Required field 'data' missing")
        if len(text) > limit // 3 * 4:
            raise bad(f"Message body exceeds maximum allowed length of {limit} bytes")
        try:
            return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        except (binascii.Error, ValueError):
            raise bad("Invalid 'data' value: not base64 encoded") from None

    def is_signed(self) -> bool:
        """Whether anything of a signature is given."""
        names = ("pubkey_ed25519", "signature", "timestamp")
        return any(self.values.get(name) is not None for name in names)

    def check_signature(self, method: str, *parts: object) -> None:
        """Check the account's Ed25519 signature over the method and the parts' texts."""
        account = self.account()
        signature = self._signature()
        key = account[1:]
        owner = self.text("pubkey_ed25519")
        if owner is not None:
            if account[0] != 5:
                raise bad("pubkey_ed25519 is only permitted for 05[...] pubkeys")
            key = self._owner_key(method, owner, account)
        message = (method + "".join(map(str, parts))).encode()
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
        except (InvalidSignature, ValueError):
            raise RefusedError(401, f"{method} signature verification failed") from None

    def _signature(self) -> bytes:
        text = self.text("signature")
        if text is None:
            raise bad("Required field 'signature' missing")
        try:
            signature = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        except (binascii.Error, ValueError):
            signature = b""
        if len(signature) != 64:
            raise bad("invalid signature: expected base64 encoded Ed25519 signature")
        return signature

    @staticmethod
    def _owner_key(method: str, owner: str, account: bytes) -> bytes:
        try:
            key = bytes.fromhex(owner)
            belongs = len(key) == 32 and to_x25519_public(key) == account[1:]
        except ValueError:
            raise bad("invalid pubkey_ed25519: value is not hex") from None
        if not belongs:
            raise RefusedError(401, f"{method} signature verification failed")
        return key
