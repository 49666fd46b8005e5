"""From the secrets of a key log to the keys of records (RFC 8446 §7, RFC 5246 §6.3)."""

from __future__ import annotations

import hashlib
import hmac

from audit.readers.tlsciphers import (
    Opener,
    Suite,
    Tls12AeadOpener,
    Tls12CbcOpener,
    Tls13Opener,
)


def expand_label(secret: bytes, label: str, length: int, digest: str) -> bytes:
    """Return HKDF-Expand-Label with an empty context (RFC 8446 §7.1)."""
    name = b"tls13 " + label.encode()
    info = length.to_bytes(2, "big") + bytes((len(name),)) + name + b"\0"
    return hkdf_expand(secret, info, length, digest)


def hkdf_expand(secret: bytes, info: bytes, length: int, digest: str) -> bytes:
    """Return HKDF-Expand (RFC 5869 §2.3)."""
    out, block, counter = b"", b"", 1
    while len(out) < length:
        block = hmac.digest(secret, block + info + bytes((counter,)), digest)
        out += block
        counter += 1
    return out[:length]


def tls13_opener(suite: Suite, secret: bytes) -> Opener:
    """Return what opens the records under one traffic secret."""
    return Tls13Opener(
        suite,
        expand_label(secret, "key", suite.key_bytes, suite.hash),
        expand_label(secret, "iv", 12, suite.hash),
    )


def next_secret(suite: Suite, secret: bytes) -> bytes:
    """Return the traffic secret after a KeyUpdate (RFC 8446 §7.2)."""
    return expand_label(secret, "traffic upd", hashlib.new(suite.hash).digest_size, suite.hash)


def tls12_openers(
    suite: Suite, master: bytes, client_random: bytes, server_random: bytes, *, mac_last: bool
) -> tuple[Opener, Opener]:
    """Return what opens the client's and the server's records; ``mac_last``: RFC 7366 agreed."""
    mac_bytes = {"": 0, "sha1": 20, "sha256": 32, "sha384": 48}[suite.mac]
    iv_bytes = {"chacha": 12, "cbc": 0}.get(suite.kind, 4)
    sizes = [mac_bytes, mac_bytes, suite.key_bytes, suite.key_bytes, iv_bytes, iv_bytes]
    seed = b"key expansion" + server_random + client_random
    block = _prf(master, seed, sum(sizes), suite.hash)
    parts, at = [], 0
    for size in sizes:
        parts.append(block[at : at + size])
        at += size
    if suite.kind == "cbc":
        return (
            Tls12CbcOpener(suite, parts[2], parts[0], mac_last=mac_last),
            Tls12CbcOpener(suite, parts[3], parts[1], mac_last=mac_last),
        )
    return (
        Tls12AeadOpener(suite, parts[2], parts[4]),
        Tls12AeadOpener(suite, parts[3], parts[5]),
    )


def _prf(secret: bytes, seed: bytes, length: int, digest: str) -> bytes:
    """TLS 1.2's P_hash (RFC 5246 §5)."""
    out, chain = b"", seed
    while len(out) < length:
        chain = hmac.digest(secret, chain, digest)
        out += hmac.digest(secret, chain + seed, digest)
    return out[:length]
