"""JA3 (Salesforce, 2017) and JA4 (FoxIO, 2023, the TLS client part) of a ClientHello."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, Literal

from audit.readers.tlshello import ClientHello

_VERSION_CODES: Final = {
    0x0304: "13", 0x0303: "12", 0x0302: "11", 0x0301: "10", 0x0300: "s3", 0x0002: "s2",
    0xFEFF: "d1", 0xFEFD: "d2", 0xFEFC: "d3",
}  # fmt: skip
_GREASE: Final = frozenset(0x0A0A + 0x1010 * number for number in range(16))
_SEEN: Final = 4096
"""Fingerprints remembered: clients greet alike again and again."""
_Numbers = tuple[int, ...]


def is_grease(number: int) -> bool:
    """Whether a 16-bit value is reserved to be ignored (RFC 8701)."""
    return number in _GREASE


def ja3(hello: ClientHello) -> str:
    """Return the JA3 digest: MD5 over version, ciphers, extensions, groups, point formats."""
    return _ja3(
        hello.version,
        _plain(hello.ciphers),
        _plain(kind for kind, _ in hello.extensions),
        _plain(hello.numbers(10, width=2, prefix=2)),
        _plain(hello.numbers(11, width=1, prefix=1)),
    )


def ja4(hello: ClientHello, carrier: Literal["t", "q", "d"] = "t") -> str:
    """Return the JA4 fingerprint; ``carrier``: TCP, QUIC or DTLS."""
    return _ja4(
        carrier,
        hello.version,
        _plain(hello.numbers(43, width=2, prefix=1)),
        _plain(hello.ciphers),
        _plain(kind for kind, _ in hello.extensions),
        _plain(hello.numbers(13, width=2, prefix=2)),
        _alpn(hello),
    )


def _plain(numbers: Iterable[int]) -> _Numbers:
    return tuple([number for number in numbers if number not in _GREASE])


@lru_cache(maxsize=_SEEN)
def _ja3(version: int, *lists: _Numbers) -> str:
    text = ",".join([str(version), *("-".join(map(str, values)) for values in lists)])
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@lru_cache(maxsize=_SEEN)
def _ja4(
    carrier: str,
    version: int,
    offered: _Numbers,
    ciphers: _Numbers,
    kinds: _Numbers,
    signatures: _Numbers,
    alpn: str,
) -> str:
    code = _VERSION_CODES.get(max(offered, default=version), "00")
    if carrier == "d" and offered:
        code = _VERSION_CODES.get(min(offered), "00")  # DTLS counts its versions downwards
    named = "d" if 0 in kinds else "i"
    counts = f"{min(len(ciphers), 99):02d}{min(len(kinds), 99):02d}"
    extensions = _hex(sorted(kind for kind in kinds if kind not in {0, 16}))
    tail = f"{extensions}_{_hex(signatures)}" if signatures else extensions
    head = f"{carrier}{code}{named}{counts}{alpn}"
    return f"{head}_{_digest(_hex(sorted(ciphers)))}_{_digest(tail if kinds else '')}"


def _hex(values: Iterable[int]) -> str:
    return ",".join([f"{value:04x}" for value in values])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12] if text else "0" * 12


def _alpn(hello: ClientHello) -> str:
    data = hello.extension(16) or b""
    first = data[3 : 3 + data[2]] if len(data) > 3 else b""
    if not first:
        return "00"
    ends = bytes((first[0], first[-1]))
    if ends.isalnum():
        return ends.decode("ascii")
    text = first.hex()
    return text[0] + text[-1]
