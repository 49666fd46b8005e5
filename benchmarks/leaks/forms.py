"""Forms: every way in which one value may be written before it goes into a container."""

from __future__ import annotations

import base64
import hashlib
import html.entities
import quopri
import struct
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass

from . import wire
from .normal import bytes_of, hashed, packed, squeeze, written
from .subject import Value

DIGESTS = {
    "md5": "md5", "sha1": "sha1", "sha224": "sha256", "sha256": "sha256",
    "sha384": "sha512", "sha512": "sha512",
}  # fmt: skip
"""Algorithm -> the form of the closed vocabulary that it belongs to."""


@dataclass(frozen=True)
class Form:
    """A value, written in one way."""

    family: str
    """Name in the closed vocabulary of forms."""
    name: str
    """Which way of that form."""
    data: bytes
    is_text: bool = True
    """Whether the bytes are UTF-8 text, so that a text format can hold them as they are."""
    whole: bool = True
    """Whether a decoder gives back the value and nothing else."""


def forms(value: Value) -> list[Form]:
    """Return every form of a value, one of each name."""
    found: dict[str, Form] = {}
    for form in _forms(value):
        if form.data and (form.whole or not value.low):
            found.setdefault(form.name, form)
    return list(found.values())


def digests(value: Value) -> Iterator[Form]:
    """Yield every digest of every normal form, in every writing."""
    for number, data in enumerate(hashed(value)):
        for form in _digested(data):
            yield Form(form.family, f"{form.name} of normal form {number}", form.data, form.is_text)


def spellings(value: Value) -> Iterator[Form]:
    """Yield further usual writings of a value, as text, and what binary protocols carry."""
    for number, (family, text) in enumerate(written(value)):
        yield Form(family, f"spelling {number} {text!r}", text.encode())
    for name, data in bytes_of(value):
        yield Form("packed-address", name, data, is_text=False)
    yield from _numbers(value)


def _forms(value: Value) -> Iterator[Form]:
    text, raw = value.text, value.text.encode()
    yield Form("plain", "plain", raw)
    yield Form("case", "upper", text.upper().encode())
    yield Form("case", "lower", text.lower().encode())
    yield Form("case", "swapped", text.swapcase().encode())
    if len(squeeze(text)) >= 4 and squeeze(text) != text and value.text.count(".") != 3:
        yield Form("squeezed", "squeezed", squeeze(text).encode())
    yield Form("reversed", "reversed", text[::-1].encode())
    yield from _percent(text)
    yield from _base64(raw, text)
    yield from _base32_and_hex(raw)
    yield from _wide(text)
    yield from _escaped(text, raw)
    yield from _entities(text)
    yield from _digested(raw)
    for name, data in bytes_of(value):
        yield Form("packed-address", name, data, is_text=False)
    if value.kind == "address":
        yield from _integers(value)


def _percent(text: str) -> Iterator[Form]:
    raw = text.encode()
    every = "".join(f"%{byte:02X}" for byte in raw)
    usual = urllib.parse.quote(text, safe="")
    marks = "".join(
        char if char.isalnum() and at % 3 else "".join(f"%{byte:02x}" for byte in char.encode())
        for at, char in enumerate(text)
    )
    yield Form("percent", "percent all", every.encode())
    yield Form("percent", "percent all, lower case", every.lower().encode())
    yield Form("percent", "percent mixed", marks.encode())
    yield Form("percent", "percent usual", usual.encode())
    yield Form("percent", "percent with plus", urllib.parse.quote_plus(text).encode())
    for layers in (2, 3):
        every = urllib.parse.quote(every, safe="")
        usual = urllib.parse.quote(usual, safe="")
        yield Form("percent", f"percent all, {layers} layers", every.encode())
        yield Form("percent", f"percent usual, {layers} layers", usual.encode())


def _base64(raw: bytes, text: str) -> Iterator[Form]:
    standard, safe = base64.b64encode(raw), base64.urlsafe_b64encode(raw)
    yield Form("base64", "base64", standard)
    yield Form("base64", "base64, no padding", standard.rstrip(b"="))
    yield Form("base64url", "base64url", safe)
    yield Form("base64url", "base64url, no padding", safe.rstrip(b"="))
    for shift in (1, 2):
        moved = b"~?"[:shift] + raw + b" ~"
        name = f"at offset {shift}"
        yield Form("base64", f"base64 {name}", base64.b64encode(moved), whole=False)
        yield Form("base64url", f"base64url {name}", base64.urlsafe_b64encode(moved), whole=False)
    long = b"= " * 30 + raw + b" =" * 30
    yield Form("base64", "base64 in lines of 76", base64.encodebytes(long), whole=False)
    crlf = base64.encodebytes(long).replace(b"\n", b"\r\n")
    yield Form("base64", "base64 in lines, CRLF", crlf, whole=False)
    yield Form("base64", "base64 twice", base64.b64encode(standard))
    quoted = urllib.parse.quote(standard.decode(), safe="").encode()
    yield Form("base64", "base64 in percent", quoted)
    yield Form("base64", "base64 of percent", base64.b64encode(urllib.parse.quote(text).encode()))


def _base32_and_hex(raw: bytes) -> Iterator[Form]:
    padded = base64.b32encode(raw)
    yield Form("base32", "base32", padded)
    yield Form("base32", "base32, no padding", padded.rstrip(b"="))
    yield Form("base32", "base32, lower case", padded.lower().rstrip(b"="))
    yield Form("hex", "hex", raw.hex().encode())
    yield Form("hex", "hex, upper case", raw.hex().upper().encode())
    yield Form("hex", "hex with 0x", b"0x" + raw.hex().encode())
    yield Form("hex", "hex with colons", raw.hex(":").encode())
    yield Form("hex", "hex with spaces", raw.hex(" ").upper().encode())
    yield Form("hex", "hex as a list", ", ".join(f"0x{byte:02x}" for byte in raw).encode())


def _wide(text: str) -> Iterator[Form]:
    yield Form("utf16", "UTF-16 LE", text.encode("utf-16-le"), is_text=False)
    yield Form("utf16", "UTF-16 BE", text.encode("utf-16-be"), is_text=False)
    marked = b"\xff\xfe" + text.encode("utf-16-le")
    yield Form("utf16", "UTF-16 with mark", marked, is_text=False)


def units(text: str) -> tuple[int, ...]:
    """Return the units of a text in UTF-16."""
    data = text.encode("utf-16-be")
    return struct.unpack(f">{len(data) // 2}H", data)


def _escaped(text: str, raw: bytes) -> Iterator[Form]:
    wide = [f"\\u{unit:04x}" for unit in units(text)]
    yield Form("escaped", "u escapes", "".join(wide).encode())
    yield Form(
        "escaped", "u escapes, upper case", "".join(wide).upper().replace("\\U", "\\u").encode()
    )
    if text.isascii():
        some = "".join(c if c.isalnum() else f"\\u{ord(c):04X}" for c in text)
        yield Form("escaped", "u escapes of signs", some.encode())
    yield Form("escaped", "x escapes", "".join(f"\\x{byte:02x}" for byte in raw).encode())
    braces = "".join(f"\\u{{{ord(char):x}}}" for char in text)
    yield Form("escaped", "u escapes in braces", braces.encode())
    yield Form("escaped", "octal escapes", "".join(f"\\{byte:03o}" for byte in raw).encode())
    script = "".join(f"%u{unit:04X}" for unit in units(text))
    yield Form("escaped", "escape()", script.encode())
    every = "".join(f"={byte:02X}" for byte in raw)
    yield Form("escaped", "quoted-printable, all", every.encode())
    usual = quopri.encodestring(raw, quotetabs=True)
    yield Form("escaped", "quoted-printable", usual)


def _entities(text: str) -> Iterator[Form]:
    yield Form("html", "decimal entities", "".join(f"&#{ord(char)};" for char in text).encode())
    yield Form("html", "hexadecimal entities", "".join(f"&#x{ord(c):X};" for c in text).encode())
    padded = "".join(f"&#{ord(char):07d};" for char in text)
    yield Form("html", "padded entities", padded.encode())
    names = {char: name for name, char in html.entities.html5.items() if name.endswith(";")}
    named = "".join(
        char if char.isalnum() or char not in names else f"&{names[char]}" for char in text
    )
    if named != text:
        yield Form("html", "named entities", named.encode())


def _digested(data: bytes) -> Iterator[Form]:
    for name, family in DIGESTS.items():
        digest = hashlib.new(name, data).digest()
        yield Form(family, f"{name} hex", digest.hex().encode())
        yield Form(family, f"{name} hex, upper case", digest.hex().upper().encode())
        yield Form(family, f"{name} base64", base64.b64encode(digest))
        yield Form(family, f"{name} base64url", base64.urlsafe_b64encode(digest).rstrip(b"="))
        yield Form(family, f"{name} raw", digest, is_text=False)


def _integers(value: Value) -> Iterator[Form]:
    raw = packed(value) or b""
    for order in ("big", "little"):
        number = int.from_bytes(raw, order)
        yield Form("integer-address", f"decimal, {order}-endian", str(number).encode())
        digits = f"{number:0{2 * len(raw)}x}"
        yield Form("integer-address", f"hexadecimal, {order}-endian", f"0x{digits}".encode())


def _numbers(value: Value) -> Iterator[Form]:
    """Yield integer addresses as the numbers of binary formats, in a message of their own."""
    raw = packed(value)
    if value.kind != "address" or raw is None or len(raw) != 4:
        return
    for order in ("big", "little"):
        number = int.from_bytes(raw, order)
        made = {
            "JSON number": b'{"v":1,"ip":%d}' % number,
            "protobuf varint": wire.protobuf_varint(2, number),
            "protobuf fixed32": wire.protobuf_fixed32(2, number),
            "msgpack uint32": wire.msgpack({"v": 1, "ip": number}),
            "CBOR uint32": wire.cbor({"v": 1, "ip": number}),
        }
        for name, data in made.items():
            yield Form("integer-address", f"{name}, {order}", b"%s" % data, name[:4] == "JSON")
