"""Spellings of network and hardware addresses.

Text forms of IPv6: RFC 4291 §2.2 and RFC 5952; mapped addresses: RFC 4291 §2.5.5.2, RFC 6052;
reverse names: RFC 1035 §3.5, RFC 3596 §2.5; modified EUI-64: RFC 4291, appendix A.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Literal

from audit.identifiers.spelling import Rule, Spelling

_MAC = re.compile(r"[0-9A-Fa-f]{12}\Z")


def spell_address(value: str) -> list[Spelling]:
    """Spell an IPv4 or IPv6 address; nothing for a text that is none."""
    text = value.strip().strip("[]").split("%")[0].split("/")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return []
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return _version6(address) + (spell_address(str(mapped)) if mapped else [])
    return _version4(address)


def _text(text: str, rule: Rule, *, digest: bool = False) -> Spelling:
    return Spelling(text.encode(), "plain", "field" if len(text) < 6 else rule, digest=digest)


def _integer(text: str, rule: Rule) -> Spelling:
    return Spelling(text.encode(), "integer-address", "field" if len(text) < 6 else rule)


def _raw(data: bytes, *, integer: bool = False, digest: bool = False) -> Spelling:
    return Spelling(
        data,
        "integer-address" if integer else "packed-address",
        "raw" if len(data) >= 6 else "field",
        caseless=False,
        digest=digest,
    )


def _version4(address: ipaddress.IPv4Address) -> list[Spelling]:
    packed = address.packed
    octets = list(packed)
    dotted = str(address)
    mapped = ipaddress.IPv6Address(b"\0" * 10 + b"\xff\xff" + packed)
    found = [
        _text(dotted, "address4", digest=True),
        _text(".".join(f"{octet:03d}" for octet in octets), "address4"),
        _text(".".join(f"0{octet:o}" for octet in octets), "address4"),
        _text(".".join(f"0x{octet:02x}" for octet in octets), "word"),
        _text(".".join(f"0x{octet:x}" for octet in octets), "word"),
        Spelling(dotted[::-1].encode(), "reversed", "address4"),
        Spelling(".".join(map(str, octets[::-1])).encode(), "reversed", "address4"),
        Spelling("".join(f"{octet:03d}" for octet in octets).encode(), "squeezed", "digits"),
        _raw(packed, digest=True),
        _raw(mapped.packed, digest=True),
    ]
    found += [
        Spelling(separator.join(map(str, octets)).encode(), "squeezed", "address4")
        for separator in ("-", "_", ",", ", ", ":", " ")
    ]
    signed = [octet - 256 if octet > 127 else octet for octet in octets]
    if signed != octets:
        found += [
            Spelling(separator.join(map(str, signed)).encode(), "squeezed", "address4")
            for separator in (",", ", ")
        ]
    dotted = mapped.packed[:12].hex(":", 2) + f":{ipaddress.IPv4Address(packed)}"
    found += [_text(text, "address6") for text in (*_texts6(mapped), dotted)]
    sixth = packed.hex(":", 2)
    found.append(Spelling(f"2002:{sixth}:".encode(), "plain", "free"))  # 6to4 (RFC 3056)
    nat64 = ipaddress.IPv6Address(b"\0\x64\xff\x9b" + b"\0" * 8 + packed)
    written = (nat64.compressed, f"64:ff9b::{sixth}", f"0:0:0:0:0:ffff:{sixth}")
    found += [_text(text, "address6") for text in written]
    found += _integers4(packed)
    return found


def _integers4(packed: bytes) -> Iterator[Spelling]:
    for order in (packed, packed[::-1]):
        number = int.from_bytes(order, "big")
        yield _integer(str(number), "digits")
        yield _integer(order.hex(), "hex")
        yield _integer(f"0{number:o}", "digits")
        yield _raw(_varint(number), integer=True)
        if number >= 1 << 31:
            negative = number - (1 << 32)
            yield _integer(str(negative), "digits")
            yield Spelling(
                _varint(negative % (1 << 64)), "integer-address", "field", caseless=False
            )
        signed = number - (1 << 32) if number >= 1 << 31 else number
        yield _raw(_varint(((signed << 1) ^ (signed >> 31)) % (1 << 32)), integer=True)
    yield _raw(packed[::-1], integer=True)


def _varint(number: int) -> bytes:
    """Encode as protobuf does: seven bits a byte, lowest first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _version6(address: ipaddress.IPv6Address) -> list[Spelling]:
    packed = address.packed
    nibbles = packed.hex()
    found = [_text(address.compressed, "address6", digest=True)]
    found += [_text(text, "address6", digest=text == address.exploded) for text in _texts6(address)]
    found += [
        Spelling(text[::-1].encode(), "reversed", "address6")
        for text in (address.compressed, address.exploded)
    ]
    found += [
        Spelling(".".join(nibbles[::-1]).encode(), "reversed", "word"),
        Spelling(address.compressed.replace(":", "-").encode(), "squeezed", "word"),
        Spelling(address.exploded.replace(":", "-").encode(), "squeezed", "word"),
        Spelling(nibbles.encode(), "squeezed", "hex", digest=True),
        Spelling(nibbles[::-1].encode(), "reversed", "hex"),
        _integer(str(int.from_bytes(packed, "big")), "digits"),
        _integer(str(int.from_bytes(packed, "little")), "digits"),
        _integer(packed[::-1].hex(), "hex"),
        _raw(packed, digest=True),
        _raw(packed[::-1], integer=True),
    ]
    return found


def _texts6(address: ipaddress.IPv6Address) -> Iterator[str]:
    """Yield every legal text of an IPv6 address: zeros kept or not, ``::`` wherever it may be."""
    words = [int.from_bytes(address.packed[at : at + 2], "big") for at in range(0, 16, 2)]
    runs = [
        (start, end)
        for start in range(8)
        for end in range(start + 1, 9)
        if not any(words[start:end])
        and (start == 0 or words[start - 1])
        and (end == 8 or words[end])
    ]
    tail = str(ipaddress.IPv4Address(address.packed[12:]))
    for style in ("x", "04x"):
        groups = [format(word, style) for word in words]
        yield ":".join(groups)
        yield ":".join((*groups[:6], tail))
        for start, end in runs:
            yield ":".join(groups[:start]) + "::" + ":".join(groups[end:])
            if end <= 6:
                yield ":".join(groups[:start]) + "::" + ":".join((*groups[end:6], tail))


def spell_mac(value: str) -> list[Spelling]:
    """Spell a hardware address; nothing for a text that is none."""
    digits = re.sub(r"[-:. ]", "", value.strip())
    if not _MAC.match(digits):
        return []
    raw = bytes.fromhex(digits)
    pairs = [digits[at : at + 2].lower() for at in range(0, 12, 2)]
    words = [digits[at : at + 4].lower() for at in range(0, 12, 4)]
    joined = [separator.join(pairs) for separator in ("-", ":", ".", " ", "_")]
    joined += [separator.join(words) for separator in (".", ":", "-")]
    joined += [separator.join((digits[:6], digits[6:])).lower() for separator in "-:"]
    found = [
        Spelling(text.encode(), _mac_form(text, value), "mac", digest=text[2] in ":-")
        for text in joined
    ]
    found += [Spelling(text[::-1].encode(), "reversed", "mac") for text in joined[:2]]
    found += [
        Spelling(digits.lower().encode(), _mac_form(digits, value), "hex", digest=True),
        Spelling(digits.lower()[::-1].encode(), "reversed", "hex"),
        Spelling(":".join(f"{octet:x}" for octet in raw).encode(), "squeezed", "mac"),
        _integer(str(int.from_bytes(raw, "big")), "digits"),
        _integer(str(int.from_bytes(raw, "little")), "digits"),
        _raw(raw, digest=True),
        _raw(raw[::-1], integer=True),
    ]
    found += [
        Spelling(separator.join(map(str, raw)).encode(), "squeezed", "digits")
        for separator in (",", ", ")
    ]
    eui = bytes([raw[0] ^ 2]) + raw[1:3] + b"\xff\xfe" + raw[3:]
    groups = [int.from_bytes(eui[at : at + 2], "big") for at in range(0, 8, 2)]
    found.append(_raw(eui))
    found += [
        Spelling(":".join(format(group, style) for group in groups).encode(), "plain", "free")
        for style in ("x", "04x")
    ]
    return found


def _mac_form(text: str, value: str) -> Literal["plain", "squeezed"]:
    return "plain" if text == value.lower() else "squeezed"
