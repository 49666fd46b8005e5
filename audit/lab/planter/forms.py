"""Ways to write a value, one function a form of the closed vocabulary."""

from __future__ import annotations

import base64
import hashlib
import html
import ipaddress
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

from audit.tables.vocabulary import Form

LOW_ENTROPY: Final = frozenset({"locale", "time_zone"})
"""Kinds whose values many people share: only their place gives them meaning."""
SHORT_BYTES: Final = 8
"""Values below are planted as whole fields of a telling name only, like those of low entropy."""
AFFIX_CHARS: Final = 12
"""Values from which a form may have other text around it before it is encoded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One value to plant."""

    kind: str
    value: str

    @property
    def is_weak(self) -> bool:
        """Whether it means something only as a whole field of a telling name."""
        return self.kind in LOW_ENTROPY or len(self.value.encode()) < SHORT_BYTES

    @property
    def ipv4(self) -> ipaddress.IPv4Address | None:
        try:
            return ipaddress.IPv4Address(self.value) if self.kind == "address" else None
        except ValueError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """A value in one form, and what may be done with it."""

    data: bytes
    is_text: bool = True
    """Printable ASCII or UTF-8: fit for places that take text."""
    whole: bool = False
    """Counts only as a whole decoded field."""
    is_number: bool = False
    """Digits that may stand as a number."""
    note: str = ""
    """Which of several ways of the form was taken."""


def encode(form: Form, subject: Subject, rng: random.Random) -> Encoded | None:
    """Write a value in a form; ``None`` where the pair makes no sense."""
    if subject.is_weak and form not in {"plain", "percent"}:
        return None
    encoded = _FORMS[form](subject, rng)
    return replace(encoded, whole=True) if encoded and subject.is_weak else encoded


def _plain(subject: Subject, rng: random.Random) -> Encoded:
    del rng
    return Encoded(data=subject.value.encode())


def _case(subject: Subject, rng: random.Random) -> Encoded | None:
    value = subject.value
    if subject.kind in {"mac", "address"}:  # written in either case as a matter of course
        return None
    ways = {text for text in (value.upper(), value.lower(), value.swapcase()) if text != value}
    # letters whose case cannot be told back (ß, Turkish i) make a pair of no sense
    ways = {text for text in ways if text.casefold() == value.casefold()}
    return Encoded(data=rng.choice(sorted(ways)).encode()) if ways else None


def _squeezed(subject: Subject, rng: random.Random) -> Encoded | None:
    del rng
    text = "".join(char for char in subject.value if char.isalnum())
    if subject.kind == "address" or text == subject.value or len(text) < SHORT_BYTES:
        return None
    return Encoded(data=text.encode())


def _reversed(subject: Subject, rng: random.Random) -> Encoded | None:
    del rng
    text = subject.value[::-1]
    return Encoded(data=text.encode()) if text != subject.value else None


def _percent(subject: Subject, rng: random.Random) -> Encoded:
    layers = rng.choice((1, 1, 2))  # a form or a query may add one; three in all are promised
    text = "".join(f"%{byte:02X}" for byte in subject.value.encode())
    for _ in range(layers - 1):
        text = quote(text, safe="")
    return Encoded(data=text.encode(), note=f"{layers} layers")


def _around(subject: Subject, rng: random.Random, *, special: bool = False) -> bytes:
    """Return the value with other text around it, so that encodings start at any offset.

    ``special``: the text before it has characters that the two alphabets of base64 write apart.
    """
    value = subject.value.encode()
    if special:
        return rng.choice((b"~~>", b"??>", b"?~?")) + rng.choice((b"", b"|", b"| ")) + value
    if len(subject.value) < AFFIX_CHARS:
        return value
    before, after = rng.choice((b"", b":", b"k:", b"id ", b"u/ ")), rng.choice((b"", b";", b" ;v2"))
    return before + value + after


def _base64(subject: Subject, rng: random.Random) -> Encoded:
    text = base64.b64encode(_around(subject, rng))
    if b"=" in text:
        return Encoded(data=text)
    # without padding, only these characters tell it from the URL alphabet
    return Encoded(data=base64.b64encode(_around(subject, rng, special=True)))


def _base64url(subject: Subject, rng: random.Random) -> Encoded:
    text = base64.urlsafe_b64encode(_around(subject, rng, special=True)).rstrip(b"=")
    return Encoded(data=text)


def _base32(subject: Subject, rng: random.Random) -> Encoded:
    text = base64.b32encode(subject.value.encode())
    if rng.random() < 0.5:
        text = text.rstrip(b"=")
    return Encoded(data=text)


def _hex(subject: Subject, rng: random.Random) -> Encoded:
    text = _around(subject, rng).hex()
    return Encoded(data=(text if rng.random() < 0.7 else text.upper()).encode())


def _utf16(subject: Subject, rng: random.Random) -> Encoded:
    codec = rng.choice(("utf-16-le", "utf-16-be"))
    mark = "\ufeff" if rng.random() < 0.3 else ""
    return Encoded(data=(mark + subject.value).encode(codec), is_text=False, note=codec)


def _escaped(subject: Subject, rng: random.Random) -> Encoded:
    raw = subject.value.encode("utf-16-be")
    units = [int.from_bytes(raw[index : index + 2], "big") for index in range(0, len(raw), 2)]
    style = "\\u{:04X}" if rng.random() < 0.3 else "\\u{:04x}"
    return Encoded(data="".join(style.format(unit) for unit in units).encode())


def _html(subject: Subject, rng: random.Random) -> Encoded | None:
    style = rng.choice(("&#{};", "&#x{:x};", "named"))
    if style == "named":
        text = html.escape(subject.value)
        return Encoded(data=text.encode(), note=style) if text != subject.value else None
    text = "".join(style.format(ord(char)) for char in subject.value)
    return Encoded(data=text.encode(), note=style)


def _packed(subject: Subject, rng: random.Random) -> Encoded | None:
    del rng
    address = subject.ipv4
    return Encoded(data=address.packed, is_text=False, whole=True) if address else None


def _integer(subject: Subject, rng: random.Random) -> Encoded | None:
    del rng
    address = subject.ipv4
    if address is None:
        return None
    return Encoded(data=str(int(address)).encode(), whole=True, is_number=True)


def _digest(name: str) -> Callable[[Subject, random.Random], Encoded]:
    def encode_digest(subject: Subject, rng: random.Random) -> Encoded:
        text = subject.value
        if subject.kind in {"email", "mac"} and rng.random() < 0.5:
            text = text.lower()
        digest = hashlib.new(name, text.encode(), usedforsecurity=False).digest()
        way = rng.choice(("hex", "hex", "upper", "base64", "raw"))
        written = {
            "hex": digest.hex().encode(),
            "upper": digest.hex().upper().encode(),
            "base64": base64.b64encode(digest),
            "raw": digest,
        }[way]
        return Encoded(data=written, is_text=way != "raw", note=way)

    return encode_digest


_FORMS: Final[Mapping[Form, Callable[[Subject, random.Random], Encoded | None]]] = {
    "plain": _plain,
    "case": _case,
    "squeezed": _squeezed,
    "reversed": _reversed,
    "percent": _percent,
    "base64": _base64,
    "base64url": _base64url,
    "base32": _base32,
    "hex": _hex,
    "utf16": _utf16,
    "escaped": _escaped,
    "html": _html,
    "packed-address": _packed,
    "integer-address": _integer,
    "md5": _digest("md5"),
    "sha1": _digest("sha1"),
    "sha256": _digest("sha256"),
    "sha512": _digest("sha512"),
}
