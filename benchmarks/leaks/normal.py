"""Normal forms: what programs make of a value before they write, hash or pack it."""

from __future__ import annotations

import ipaddress
import unicodedata
import uuid
from collections.abc import Iterator

from .subject import Value

GMAIL = ("gmail.com", "googlemail.com")
"""Domains whose letter boxes ignore dots (help pages of the service)."""


def squeeze(text: str) -> str:
    """Leave out everything but letters and digits."""
    return "".join(char for char in text if char.isalnum())


def hashed(value: Value) -> list[bytes]:
    """Return what services hash: the value and its normal forms."""
    text = value.text
    found: list[str] = [text, text.lower(), text.upper(), text.strip()]
    if value.kind == "email":
        found += list(_mails(text))
    elif value.kind == "phone":
        found += value.digits
    elif value.kind == "mac":
        digits = text.replace(":", "")
        found += [digits, digits.upper(), text.upper(), text.replace(":", "-").upper()]
    elif value.kind == "ad_id":
        found += [text.replace("-", ""), text.replace("-", "").upper()]
    elif value.kind == "address":
        found.append(ipaddress.ip_address(text).exploded)
    else:
        found += [squeeze(text), squeeze(text).lower()]
        found += [unicodedata.normalize(form, text) for form in ("NFC", "NFD")]
    data = [item.encode() for item in found]
    raw = packed(value)
    return list(dict.fromkeys(data + ([raw] if raw else [])))


def _mails(text: str) -> Iterator[str]:
    local, _, domain = text.partition("@")
    plain = local.partition("+")[0]
    for name in (local, plain):
        yield f"{name}@{domain}".lower()
        yield f"{name}@{domain}".upper()
        if domain in GMAIL:
            yield f"{name.replace('.', '')}@{domain}".lower()


def packed(value: Value) -> bytes | None:
    """Return the bytes that a value names; None: it is a text."""
    if value.kind == "address":
        return ipaddress.ip_address(value.text).packed
    if value.kind == "mac":
        return bytes.fromhex(value.text.replace(":", ""))
    if value.kind == "ad_id":
        return uuid.UUID(value.text).bytes
    if value.kind in ("account_id", "contact_id", "android_id"):
        return bytes.fromhex(value.text)
    return None


def written(value: Value) -> Iterator[tuple[str, str]]:
    """Yield (family, text): further ways in which values of the kind are usually written."""
    text = value.text
    if value.kind == "address":
        yield from _addresses(text)
    elif value.kind == "mac":
        yield from _macs(text)
    elif value.kind == "ad_id":
        yield "case", "{" + text.upper() + "}"
        yield "plain", f"urn:uuid:{text}"
        yield "squeezed", text.replace("-", "").upper()
        yield "squeezed", text.replace("-", "_")
    elif value.kind == "phone":
        for number in value.numbers:
            yield "plain", number
    elif value.kind == "email":
        for mail in _mails(text):
            yield "case", mail
        yield "plain", f"<{text}>"
        yield "plain", f"mailto:{text}"
    elif value.kind in ("account_id", "contact_id", "android_id"):
        yield "plain", "0x" + text
        yield "case", text.upper()
    elif value.kind == "display_name":
        for form in ("NFC", "NFD"):
            for case in (text, text.upper(), text.lower()):
                yield "case", unicodedata.normalize(form, case)
    if " " in text.strip() and not value.low:
        for mark in ("-", "_", "+", ".", ",", "  ", "\t", "\n"):
            yield "squeezed", mark.join(text.split())
    if not value.low:
        yield "plain", f" {text}\t"


def _addresses(text: str) -> Iterator[tuple[str, str]]:
    address = ipaddress.ip_address(text)
    raw = address.packed
    big, little = (int.from_bytes(raw, order) for order in ("big", "little"))
    yield "integer-address", str(big)
    yield "integer-address", str(little)
    yield "integer-address", f"0x{big:0{2 * len(raw)}x}"
    yield "integer-address", f"0x{big:0{2 * len(raw)}X}"
    yield "reversed", address.reverse_pointer
    if address.version == 6:
        yield from _addresses6(text, address.exploded)
        return
    octets = list(raw)
    words = raw.hex(":", 2)
    yield "plain", f"::ffff:{text}"
    yield "case", f"::FFFF:{text}"
    yield "plain", f"::ffff:{words}"
    yield "plain", f"0:0:0:0:0:ffff:{words}"
    yield "plain", f"0000:0000:0000:0000:0000:ffff:{words}"
    yield "plain", f"64:ff9b::{words}"
    yield "plain", ".".join(f"{octet:03}" for octet in octets)
    yield "plain", ".".join(f"0{octet:o}" for octet in octets)
    yield "plain", ".".join(f"0x{octet:x}" for octet in octets)
    yield "plain", ".".join(f"0x{octet:02X}" for octet in octets)
    yield "integer-address", f"0{big:o}"
    yield "squeezed", "-".join(map(str, octets))
    yield "squeezed", "ip-" + "-".join(map(str, octets))
    yield "squeezed", str(octets)
    yield "plain", f"{text}:443"
    yield "plain", f"{text}/32"
    if big >= 1 << 31:
        yield "integer-address", str(big - (1 << 32))


def _addresses6(text: str, exploded: str) -> Iterator[tuple[str, str]]:
    yield "plain", exploded
    yield "case", exploded.upper()
    yield "case", text.upper()
    yield "plain", ":".join(f"{int(word, 16):x}" for word in exploded.split(":"))
    yield "plain", f"[{text}]:443"
    yield "plain", f"{text}%eth0"
    yield "plain", f"{text}/64"
    words = [int(word, 16) for word in exploded.split(":")]
    tail = ".".join(str(byte) for word in words[6:] for byte in (word >> 8, word & 0xFF))
    yield "plain", ":".join(f"{word:x}" for word in words[:6]) + f":{tail}"
    yield "squeezed", text.replace(":", "-") + ".ipv6-literal.net"


def _macs(text: str) -> Iterator[tuple[str, str]]:
    digits = text.replace(":", "")
    yield "case", text.upper()
    yield "squeezed", text.replace(":", "-").upper()
    yield "squeezed", text.replace(":", "-")
    yield "squeezed", f"{digits[:4]}.{digits[4:8]}.{digits[8:]}"
    yield "squeezed", text.replace(":", " ").upper()
    yield "squeezed", f"{digits[:6]}-{digits[6:]}".upper()
    yield "squeezed", digits.upper()
    yield "integer-address", str(int(digits, 16))
    yield "plain", ":".join(f"{int(pair, 16):x}" for pair in text.split(":"))
    raw = bytes.fromhex(digits)
    eui = bytes([raw[0] ^ 2]) + raw[1:3] + b"\xff\xfe" + raw[3:]
    groups = [int.from_bytes(eui[at : at + 2], "big") for at in range(0, 8, 2)]
    yield "plain", "fe80::" + ":".join(f"{group:x}" for group in groups)


def bytes_of(value: Value) -> Iterator[tuple[str, bytes]]:
    """Yield (name, bytes): what binary protocols carry for a value that is no text."""
    raw = packed(value)
    if raw is None:
        return
    yield "packed", raw
    if value.kind == "ad_id":
        yield "packed guid", uuid.UUID(value.text).bytes_le
    if value.kind == "address":
        yield "packed little", raw[::-1]
        if len(raw) == 4:
            yield "packed mapped", b"\0" * 10 + b"\xff\xff" + raw
    if value.kind == "mac":
        yield "packed eui", bytes([raw[0] ^ 2]) + raw[1:3] + b"\xff\xfe" + raw[3:]
