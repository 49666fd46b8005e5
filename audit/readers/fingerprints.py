"""JA3 (Salesforce, 2017) and JA4 (FoxIO, 2023, the TLS client part) of a ClientHello."""

from __future__ import annotations

import hashlib
import struct
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
_SHORT: Final = 2048
"""Bytes and numbers of a hello up to which its fingerprint is remembered."""
_Numbers = tuple[int, ...]


def is_grease(number: int) -> bool:
    """Whether a 16-bit value is reserved to be ignored (RFC 8701)."""
    return number in _GREASE


def ja3(hello: ClientHello) -> str:
    """Return the JA3 digest: MD5 over version, ciphers, extensions, groups, point formats."""
    own, suites = hello.by_kind, hello.suites
    kinds = tuple([kind for kind, _ in hello.extensions])
    groups, formats = own.get(10, b""), own.get(11, b"")
    is_short = len(suites) + len(kinds) + len(groups) + len(formats) <= _SHORT
    made = _ja3_of if is_short else _ja3_of.__wrapped__
    return made(hello.version, suites, kinds, groups, formats)


def ja4(hello: ClientHello, carrier: Literal["t", "q", "d"] = "t") -> str:
    """Return the JA4 fingerprint; ``carrier``: TCP, QUIC or DTLS."""
    own, suites = hello.by_kind, hello.suites
    kinds = tuple(sorted([kind for kind, _ in hello.extensions]))
    lists = own.get(43, b""), own.get(13, b""), own.get(16, b"")
    is_short = len(suites) + len(kinds) + sum(map(len, lists)) <= _SHORT
    made = _ja4_of if is_short else _ja4_of.__wrapped__
    return made(carrier, hello.version, suites, kinds, *lists)


@lru_cache(maxsize=_SEEN)
def _ja3_of(version: int, suites: bytes, kinds: _Numbers, groups: bytes, formats: bytes) -> str:
    lists = _numbers(suites, 2), kinds, _numbers(groups[2:], 2), _numbers(formats[1:], 1)
    text = ",".join([str(version), *("-".join(map(str, _plain(values))) for values in lists)])
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@lru_cache(maxsize=_SEEN)
def _ja4_of(
    carrier: str,
    version: int,
    suites: bytes,
    kinds: _Numbers,
    versions: bytes,
    signatures: bytes,
    alpn: bytes,
) -> str:
    """``kinds`` are sorted."""
    offered, ciphers = _plain(_numbers(versions[1:], 2)), _plain(_numbers(suites, 2))
    kinds, signed = _plain(kinds), _plain(_numbers(signatures[2:], 2))
    code = _VERSION_CODES.get(max(offered, default=version), "00")
    if carrier == "d" and offered:
        code = _VERSION_CODES.get(min(offered), "00")  # DTLS counts its versions downwards
    named = "d" if 0 in kinds else "i"
    counts = f"{min(len(ciphers), 99):02d}{min(len(kinds), 99):02d}"
    extensions = _hex([kind for kind in kinds if kind not in {0, 16}])
    tail = f"{extensions}_{_hex(signed)}" if signed else extensions
    head = f"{carrier}{code}{named}{counts}{_alpn(alpn)}"
    return f"{head}_{_digest(_hex(sorted(ciphers)))}_{_digest(tail if kinds else '')}"


def _numbers(data: bytes, width: int) -> _Numbers:
    """Return the big-endian numbers that follow one another; a cut last one is left out."""
    count = len(data) // width
    return struct.unpack(f"!{count}{'H' if width == 2 else 'B'}", data[: count * width])


def _plain(numbers: Iterable[int]) -> _Numbers:
    return tuple([number for number in numbers if number not in _GREASE])


def _hex(values: Iterable[int]) -> str:
    return ",".join([f"{value:04x}" for value in values])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12] if text else "0" * 12


def _alpn(data: bytes) -> str:
    first = data[3 : 3 + data[2]] if len(data) > 3 else b""
    if not first:
        return "00"
    ends = bytes((first[0], first[-1]))
    if ends.isalnum():
        return ends.decode("ascii")
    text = first.hex()
    return text[0] + text[-1]
