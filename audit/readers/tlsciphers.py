"""Cipher suites whose records can be opened, and the protection of single records.

TLS 1.3: RFC 8446 §5.2 and §7; TLS 1.2: RFC 5246 §6.2.3, RFC 5288 (GCM), RFC 7905 (ChaCha20),
RFC 7366 (encrypt-then-MAC).
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import aead

Kind = Literal["gcm", "chacha", "ccm", "ccm8", "cbc"]


@dataclass(frozen=True, slots=True)
class Suite:
    """How one cipher suite protects records."""

    kind: Kind
    key_bytes: int
    hash: str
    """Hash of the key schedule."""
    mac: str = ""
    """Hash of the record MAC (CBC only)."""


def _suites() -> dict[int, Suite]:
    found = {
        0x1301: Suite("gcm", 16, "sha256"),
        0x1302: Suite("gcm", 32, "sha384"),
        0x1303: Suite("chacha", 32, "sha256"),
        0x1304: Suite("ccm", 16, "sha256"),
        0x1305: Suite("ccm8", 16, "sha256"),
    }
    found |= dict.fromkeys(range(0xCCA8, 0xCCAF), Suite("chacha", 32, "sha256"))
    gcm = (*range(0x009C, 0x00AE, 2), *range(0xC02B, 0xC033, 2))
    found |= dict.fromkeys(gcm, Suite("gcm", 16, "sha256"))
    found |= dict.fromkeys((number + 1 for number in gcm), Suite("gcm", 32, "sha384"))
    for numbers, suite in (
        ((0x002F, 0x0033, 0xC009, 0xC013), Suite("cbc", 16, "sha256", "sha1")),
        ((0x0035, 0x0039, 0xC00A, 0xC014), Suite("cbc", 32, "sha256", "sha1")),
        ((0x003C, 0x0067, 0xC023, 0xC027), Suite("cbc", 16, "sha256", "sha256")),
        ((0x003D, 0x006B), Suite("cbc", 32, "sha256", "sha256")),
        ((0xC024, 0xC028), Suite("cbc", 32, "sha384", "sha384")),
    ):
        found |= dict.fromkeys(numbers, suite)
    return found


SUITES: Final = _suites()
"""Number of the suite (IANA TLS Cipher Suites) -> its protection."""


class Opener(Protocol):
    """Opens the records of one direction, one key."""

    def open(self, sequence: int, header: bytes, fragment: bytes) -> bytes | None:
        """Return the plaintext of a record, ``None`` where key or sequence do not fit."""


def _aead(suite: Suite, key: bytes) -> aead.AESGCM | aead.ChaCha20Poly1305 | aead.AESCCM:
    from cryptography.hazmat.primitives.ciphers import aead

    if suite.kind == "gcm":
        return aead.AESGCM(key)
    if suite.kind == "chacha":
        return aead.ChaCha20Poly1305(key)
    return aead.AESCCM(key, tag_length=8 if suite.kind == "ccm8" else 16)


def _unsealed(
    cipher: aead.AESGCM | aead.ChaCha20Poly1305 | aead.AESCCM,
    nonce: bytes,
    data: bytes,
    associated: bytes,
) -> bytes | None:
    from cryptography.exceptions import InvalidTag

    try:
        return cipher.decrypt(nonce, data, associated)
    except (InvalidTag, ValueError):
        return None


class Tls13Opener:
    """AEAD with the record header as associated data; the plaintext ends in its content type."""

    def __init__(self, suite: Suite, key: bytes, iv: bytes) -> None:
        self._cipher = _aead(suite, key)
        self._iv = int.from_bytes(iv, "big")

    def open(self, sequence: int, header: bytes, fragment: bytes) -> bytes | None:
        """Return the inner plaintext, padding included."""
        nonce = (self._iv ^ sequence).to_bytes(12, "big")
        return _unsealed(self._cipher, nonce, fragment, header)


class Tls12AeadOpener:
    """GCM and CCM with an explicit nonce of 8 bytes, ChaCha20 without."""

    def __init__(self, suite: Suite, key: bytes, iv: bytes) -> None:
        self._cipher = _aead(suite, key)
        self._iv = iv
        self._tag = 8 if suite.kind == "ccm8" else 16
        self._is_chacha = suite.kind == "chacha"

    def open(self, sequence: int, header: bytes, fragment: bytes) -> bytes | None:
        """Return the plaintext."""
        if self._is_chacha:
            nonce = (int.from_bytes(self._iv, "big") ^ sequence).to_bytes(12, "big")
        else:
            nonce, fragment = self._iv + fragment[:8], fragment[8:]
        size = len(fragment) - self._tag
        if size < 0 or len(nonce) != 12:
            return None
        associated = sequence.to_bytes(8, "big") + header[:3] + size.to_bytes(2, "big")
        return _unsealed(self._cipher, nonce, fragment, associated)


class Tls12CbcOpener:
    """AES-CBC with an explicit IV and HMAC, MAC-then-encrypt or encrypt-then-MAC."""

    def __init__(self, suite: Suite, key: bytes, mac_key: bytes, *, mac_last: bool) -> None:
        self._key = key
        self._mac_key = mac_key
        self._mac = suite.mac
        self._size = {"sha1": 20, "sha256": 32, "sha384": 48}[suite.mac]
        self._mac_last = mac_last

    def open(self, sequence: int, header: bytes, fragment: bytes) -> bytes | None:
        """Return the plaintext if its MAC is right."""
        if self._mac_last:
            sealed, mac = fragment[: -self._size], fragment[-self._size :]
            if mac != self._digest(sequence, header, sealed):
                return None
            return self._decrypted(sealed)
        inner = self._decrypted(fragment)
        if inner is None or len(inner) < self._size:
            return None
        text, mac = inner[: -self._size], inner[-self._size :]
        return text if mac == self._digest(sequence, header, text) else None

    def _digest(self, sequence: int, header: bytes, data: bytes) -> bytes:
        size = len(data).to_bytes(2, "big")
        message = sequence.to_bytes(8, "big") + header[:3] + size + data
        return hmac.digest(self._mac_key, message, self._mac)

    def _decrypted(self, data: bytes) -> bytes | None:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        if len(data) < 32 or len(data) % 16:
            return None
        cipher = Cipher(algorithms.AES(self._key), modes.CBC(data[:16])).decryptor()
        text = cipher.update(data[16:]) + cipher.finalize()
        padding = text[-1] + 1
        return text[:-padding] if padding <= len(text) else None
