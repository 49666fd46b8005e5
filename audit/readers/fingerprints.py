"""JA3 (Salesforce, 2017) and JA4 (FoxIO, 2023, the TLS client part) of a ClientHello."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Literal

from audit.readers.tlshello import ClientHello

_VERSION_CODES = {
    0x0304: "13", 0x0303: "12", 0x0302: "11", 0x0301: "10", 0x0300: "s3", 0x0002: "s2",
    0xFEFF: "d1", 0xFEFD: "d2", 0xFEFC: "d3",
}  # fmt: skip


def is_grease(number: int) -> bool:
    """Whether a 16-bit value is reserved to be ignored (RFC 8701)."""
    return number & 0x0F0F == 0x0A0A and number >> 8 == number & 0xFF


def ja3(hello: ClientHello) -> str:
    """Return the JA3 digest: MD5 over version, ciphers, extensions, groups, point formats."""
    lists = (
        hello.ciphers,
        [kind for kind, _ in hello.extensions],
        hello.numbers(10, width=2, prefix=2),
        hello.numbers(11, width=1, prefix=1),
    )
    fields = [str(hello.version)]
    fields += ["-".join(str(value) for value in values if not is_grease(value)) for values in lists]
    return hashlib.md5(",".join(fields).encode(), usedforsecurity=False).hexdigest()


def ja4(hello: ClientHello, carrier: Literal["t", "q", "d"] = "t") -> str:
    """Return the JA4 fingerprint; ``carrier``: TCP, QUIC or DTLS."""
    ciphers = sorted(_hex(hello.ciphers))
    kinds = [kind for kind, _ in hello.extensions if not is_grease(kind)]
    offered = [item for item in hello.numbers(43, width=2, prefix=1) if not is_grease(item)]
    version = _VERSION_CODES.get(max(offered, default=hello.version), "00")
    if carrier == "d" and offered:
        version = _VERSION_CODES.get(min(offered), "00")  # DTLS counts its versions downwards
    named = "d" if 0 in kinds else "i"
    counts = f"{min(len(ciphers), 99):02d}{min(len(kinds), 99):02d}"
    extensions = ",".join(sorted(_hex(kind for kind in kinds if kind not in {0, 16})))
    signatures = ",".join(_hex(hello.numbers(13, width=2, prefix=2)))
    tail = f"{extensions}_{signatures}" if signatures else extensions
    head = f"{carrier}{version}{named}{counts}{_alpn(hello)}"
    return f"{head}_{_digest(','.join(ciphers))}_{_digest(tail if kinds else '')}"


def _hex(values: Iterable[int]) -> list[str]:
    return [f"{value:04x}" for value in values if not is_grease(value)]


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
