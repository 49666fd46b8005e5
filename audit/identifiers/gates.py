"""Gates: short patterns that tell where a decoder may have work, found in the values' own pass.

A gate costs nothing where it does not stand; each decoder names the gates that open it. Patterns
are in the syntax that hyperscan and Python's ``re`` share.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import Final

LONG_RUN: Final = 16
"""Letters of base64 from which a run is decoded wherever it stands."""
SHORT_RUN: Final = 8
"""Letters from which a run is decoded where a value may be in it, or compressed data."""
RUN_ALPHABET: Final = "A-Za-z0-9+/_-"
"""Letters of base64 and base64url (RFC 4648), and so of base32 and hexadecimal text."""
_BASE64: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BASE32: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True, slots=True)
class Gate:
    """One pattern."""

    name: str
    pattern: str
    before: str = ""
    """Class of bytes that must not stand before the pattern; ``''``: any may."""
    width: int = 0
    """Bytes of the pattern, where a decoder needs its beginning (events tell the end)."""
    reach: int = 512
    """Bytes around the pattern that its decoder looks at, where they were searched before."""
    once: bool = False
    """Whether only the first match of a pass is told: where nearly every byte may match."""


def _first_bytes() -> frozenset[int]:
    """Return the bytes that short compressed data begins with.

    Deflate: one last block, of fixed codes (low bits 011) or stored (RFC 1951 §3.2.3). zlib: 0x78
    (RFC 1950). Brotli: an odd window size code, then the first meta-block (RFC 7932 §9.1, §9.2).
    """
    deflate = {byte for byte in range(256) if byte & 7 == 3} | {1}
    brotli = {high << 4 | low for high in (0, 1, 8) for low in range(3, 16, 2)}
    return frozenset(deflate | brotli | {0x78})


PACKED_FIRST: Final = _first_bytes()
"""First bytes of short compressed data."""
LETTERS: Final = frozenset(_BASE64.encode() + b"%\\&=")
"""First bytes of text that is encoded itself, or escaped."""
DYNAMIC_FIRST: Final = frozenset(byte for byte in range(256) if byte & 7 == 5)
"""First bytes of deflate in one last block of codes of its own, which takes a dozen bytes."""


def _pairs(letters: str, bits: int, firsts: frozenset[int], *, fold: bool = False) -> str:
    """Return a pattern of two letters whose bits begin with one of some bytes."""
    grouped: defaultdict[str, list[str]] = defaultdict(list)
    for first, letter in enumerate(letters):
        seconds = "".join(
            other
            for second, other in enumerate(letters)
            if (first << bits | second) >> (2 * bits - 8) & 0xFF in firsts
        )
        if seconds:
            grouped[seconds].append(letter)
    parts = [
        f"[{_class(''.join(group), fold)}][{_class(seconds, fold)}]"
        for seconds, group in grouped.items()
    ]
    return "(?:" + "|".join(parts) + ")"


def _class(letters: str, fold: bool) -> str:
    text = letters.lower() if fold else letters
    return text.replace("/", "/_").replace("+", "+\\-")


def _hex_pairs() -> str:
    grouped: defaultdict[str, list[str]] = defaultdict(list)
    for high in range(16):
        lows = "".join(format(low, "x") for low in range(16) if high << 4 | low in PACKED_FIRST)
        grouped[lows].append(format(high, "x"))
    parts = [f"[{_both(''.join(highs))}][{_both(lows)}]" for lows, highs in grouped.items() if lows]
    return "(?:" + "|".join(parts) + ")"


def _both(digits: str) -> str:
    return digits + "".join(digit.upper() for digit in digits if digit.isalpha())


_H: Final = "[0-9A-Fa-f]"
_SHORT: Final = SHORT_RUN - 2
_GROUPS: Final = f"(?:{_H}{{2}}[\\-:. ,+]){{3}}{_H}{{2}}|{_H}{{4}}[\\-:. ]{_H}{{4}}"
GATES: Final = (
    Gate("run", f"[{RUN_ALPHABET}]{{{LONG_RUN}}}", before=RUN_ALPHABET, width=LONG_RUN),
    Gate(
        "token",
        f"{_pairs(_BASE64, 6, PACKED_FIRST | LETTERS)}[{RUN_ALPHABET}]{{{_SHORT}}}",
        before="A-Za-z0-9",
        width=SHORT_RUN,
        reach=SHORT_RUN,
    ),
    Gate(
        "token",
        f"{_hex_pairs()}{_H}{{{_SHORT}}}",
        before="A-Za-z0-9",
        width=SHORT_RUN,
        reach=SHORT_RUN,
    ),
    Gate(
        "token",
        f"{_pairs(_BASE32, 5, PACKED_FIRST)}[A-Z2-7]{{{_SHORT}}}",
        before="A-Za-z0-9",
        width=SHORT_RUN,
        reach=SHORT_RUN,
    ),
    Gate(
        "token",
        f"{_pairs(_BASE32, 5, PACKED_FIRST, fold=True)}[a-z2-7]{{{_SHORT}}}",
        before="A-Za-z0-9",
        width=SHORT_RUN,
        reach=SHORT_RUN,
    ),
    Gate("percent", f"%{_H}{{2}}"),
    Gate("percent-u", f"%u{_H}{{4}}"),
    Gate("plus", "=[A-Za-z0-9%._~*!'()\\-]{1,16}\\+[A-Za-z0-9%(+]"),
    Gate("escaped", "\\\\[uxU\"'\\\\/bfnrt0-3]"),
    Gate("quoted", "=[0-9A-F]{2}[^=&]{0,6}=[0-9A-F]{2}|=(?:20|3D|09|0A|0D|2E)|=\\r?\\n"),
    Gate("html", "&(?:#[0-9xX]|[A-Za-z]{2}[0-9A-Za-z]{0,6};)"),
    Gate("utf16", "(?:[\\t\\n\\r\\x20-\\xff]\\x00){3}", once=True),
    Gate("hex-groups", f"(?:{_GROUPS})", before="0-9A-Fa-f"),
    Gate("hex-groups", f"0[xX]{_H}{{2}}[\\s,;]{{1,2}}0[xX]{_H}{{2}}"),
    Gate("gzip", "\\x1f\\x8b\\x08", width=3),
    Gate("zstd", "\\x28\\xb5\\x2f\\xfd", width=4),
    Gate("zlib", "\\x78[\\x01\\x5e\\x9c\\xda]", width=2),
    Gate("zip", "PK\\x03\\x04", width=4),
)
"""Every gate; several may have one name."""
MAGICS: Final = (
    ("gzip", b"\x1f\x8b\x08"),
    ("zstd", b"\x28\xb5\x2f\xfd"),
    ("zlib", b"\x78\x01"),
    ("zlib", b"\x78\x5e"),
    ("zlib", b"\x78\x9c"),
    ("zlib", b"\x78\xda"),
    ("zip", b"PK\x03\x04"),
)
"""The gates that are a few bytes, by these: gate, and how what it opens begins."""


@cache
def _patterns(name: str) -> tuple[tuple[re.Pattern[bytes], int], ...]:
    return tuple((to_pattern(gate), gate.width) for gate in GATES if gate.name == name)


def to_pattern(gate: Gate) -> re.Pattern[bytes]:
    """Return a gate for Python's ``re``."""
    return re.compile(((f"(?<![{gate.before}])" if gate.before else "") + gate.pattern).encode())


def stands(name: str, data: bytes) -> bool:
    """Whether a pattern of a gate stands anywhere in some bytes."""
    return any(pattern.search(data) for pattern, _ in _patterns(name))


def marks_of(name: str, data: bytes) -> list[int]:
    """Return where the patterns of a gate end in some bytes (begin, if they have a width)."""
    return sorted(
        {
            match.end() - width
            for pattern, width in _patterns(name)
            for match in pattern.finditer(data)
        }
    )
