"""An independent generator: plants a value in a form, in containers, and makes clean look-alikes.

It shares no code with the product: encoders are those of the standard library, msgpack, cbor2,
brotli and zstandard, or written anew here from the formats' own texts.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import ipaddress
import json
import quopri
import random
import struct
import urllib.parse
import uuid
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import brotli
import cbor2
import msgpack
import zstandard

SUBJECT = {
    "address": "198.18.77.203",
    "mac": "02:1b:4f:9a:3c:d7",
    "host_name": "desk-qv7t2k",
    "device_model": "Nimbus Slate 9 Pro",
    "serial": "C02XK1ABJG5J",
    "ad_id": "38400000-8cf0-11bd-b23e-10b96e4ef00d",
    "android_id": "9774d56d682e549c",
    "email": "Quentin.Vale+canary@mail.example",
    "phone": "+4930123498765",
    "account_id": "05" + hashlib.sha256(b"account").hexdigest(),
    "contact_id": "05" + hashlib.sha256(b"contact").hexdigest(),
    "display_name": "Zoë Quill 7f3a",
    "message": "meet me at the quay tonight 8812",
    "attachment": "line one of the attachment\nline two 44c1",
    "attachment_name": "harbour plan 81d0.txt",
    "recovery_phrase": "abandon ability able about above absent absorb abstract absurd abuse",
    "locale": "pt-BR",
    "time_zone": "America/Manaus",
    "user_name": "marvin",
    "user_agent": "Quaywalker/3.7 (Nimbus; build 9c1f)",
}
"""kind -> value. ``locale``, ``time_zone`` and ``user_name`` are of low entropy."""
SUBJECT6 = "2001:db8:0:4f1::9a:3cd7"
LOW = ("locale", "time_zone", "user_name")


@dataclass(frozen=True)
class Planted:
    """Bytes that stand for a value, and how they were made."""

    kind: str
    forms: tuple[str, ...]
    """Names of the form that are right."""
    data: bytes
    text: bool
    """Whether the bytes are text, so that a text container can hold them."""
    way: str
    whole: bool = True
    """Whether the value is the whole of the bytes."""


def planted(kind: str, value: str) -> Iterator[Planted]:
    """Yield a value in every form that the kind has."""
    raw = value.encode()
    squeezed = "".join(char for char in value if char.isalnum())

    def make(way: str, data: bytes | str, *forms: str, text: bool = True, whole: bool = True):
        return Planted(
            kind, forms, data.encode() if isinstance(data, str) else data, text, way, whole
        )

    yield make("plain", raw, "plain")
    for name, changed in (("upper", value.upper()), ("lower", value.lower())):
        yield make(name, changed, "case", "plain")
    if squeezed != value and kind != "address":
        yield make("squeezed", squeezed, "squeezed")
    if value[::-1] != value:
        yield make("reversed", value[::-1], "reversed")
    yield from _encoded(make, raw, value)
    yield from _digested(make, value, squeezed)
    yield from _special(make, kind, value)


def _encoded(make: Callable[..., Planted], raw: bytes, value: str) -> Iterator[Planted]:
    percent = "".join(f"%{byte:02X}" for byte in raw)
    yield make("percent all", percent, "percent")
    yield make("percent lower", percent.lower(), "percent")
    usual = urllib.parse.quote(value, safe="")
    yield make("percent usual", usual, "percent", "plain")
    for layers in (2, 3):
        percent = urllib.parse.quote(percent, safe="")
        yield make(f"percent {layers}", percent, "percent")
        usual = urllib.parse.quote(usual, safe="")
        yield make(f"percent usual {layers}", usual, "percent", "plain")
    either = ("base64", "base64url")
    yield make("base64", base64.b64encode(raw), *either)
    yield make("base64 unpadded", base64.b64encode(raw).rstrip(b"="), *either)
    yield make("base64url", base64.urlsafe_b64encode(raw), *either)
    yield make("base64url unpadded", base64.urlsafe_b64encode(raw).rstrip(b"="), *either)
    for shift in (1, 2):
        shifted = b"~ "[:shift] + raw + b" ~"
        yield make(f"base64 offset {shift}", base64.b64encode(shifted), *either, whole=False)
    yield make("base64 glued", b"id_" + base64.b64encode(b"~" + raw + b"~"), *either, whole=False)
    lines = base64.encodebytes(b"~ " * 40 + raw + b" ~" * 40)
    yield make("base64 lines", lines, *either, whole=False)
    yield make("base32", base64.b32encode(raw), "base32")
    yield make("base32 unpadded", base64.b32encode(raw).rstrip(b"=").lower(), "base32")
    yield make("hex", raw.hex(), "hex")
    yield make("hex upper", raw.hex().upper(), "hex")
    if len(raw) >= 4:
        yield make("hex spaced", raw.hex(" "), "hex")
        yield make("hex colons", raw.hex(":").upper(), "hex")
        yield make("hex 0x", ", ".join(f"0x{byte:02x}" for byte in raw), "hex")
    yield make("utf16 le", value.encode("utf-16-le"), "utf16", text=False)
    yield make("utf16 be", value.encode("utf-16-be"), "utf16", text=False)
    yield make("utf16 bom", value.encode("utf-16"), "utf16", text=False)
    yield make("u escapes", "".join(f"\\u{unit:04x}" for unit in _units(value)), "escaped")
    yield make("x escapes", "".join(f"\\x{byte:02X}" for byte in raw), "escaped")
    yield make("escape()", "".join(f"%u{unit:04X}" for unit in _units(value)), "escaped")
    yield make("html decimal", "".join(f"&#{ord(char)};" for char in value), "html")
    yield make("html hex", "".join(f"&#x{ord(char):X};" for char in value), "html")


def _units(value: str) -> tuple[int, ...]:
    data = value.encode("utf-16-be")
    return struct.unpack(f">{len(data) // 2}H", data)


def _digested(make: Callable[..., Planted], value: str, squeezed: str) -> Iterator[Planted]:
    normal = dict.fromkeys((value, value.lower(), value.upper(), squeezed))
    for text in normal:
        for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512"):
            digest = hashlib.new(name, text.encode()).digest()
            form = {"sha224": "sha256", "sha384": "sha512"}.get(name, name)
            yield make(f"{name} hex", digest.hex(), form)
            if text != value:
                continue
            yield make(f"{name} HEX", digest.hex().upper(), form)
            yield make(f"{name} base64", base64.b64encode(digest), form)
            yield make(f"{name} base64url", base64.urlsafe_b64encode(digest).rstrip(b"="), form)
            yield make(f"{name} raw", digest, form, text=False)
            yield make(f"{name} hex in hex", digest.hex().encode().hex(), form)


def _special(make: Callable[..., Planted], kind: str, value: str) -> Iterator[Planted]:
    if kind == "address":
        yield from _address(make, value)
    elif kind == "mac":
        digits = value.replace(":", "")
        yield make("dashes", value.replace(":", "-").upper(), "plain", "case", "squeezed")
        yield make("dots", f"{digits[:4]}.{digits[4:8]}.{digits[8:]}", "plain", "squeezed")
        yield make("packed", bytes.fromhex(digits), "packed-address", text=False)
        yield make("decimal", str(int(digits, 16)), "integer-address")
        yield make("sha256 digits", hashlib.sha256(digits.upper().encode()).hexdigest(), "sha256")
    elif kind == "phone":
        for text in (
            "+49 30 123498765",
            "030 123498765",
            "030123498765",
            "493012 3498765"[:6] + "3498765",
            "004930123498765",
            "+49-30-123498765",
            "030/123498765",
            "4930123498765",
        ):
            yield make(f"spelled {text}", text, "plain", "squeezed")
        for text in ("4930123498765", "030123498765", "+4930123498765"):
            yield make(f"sha1 {text}", hashlib.sha1(text.encode()).hexdigest(), "sha1")
    elif kind == "email":
        for text in ("quentin.vale+canary@mail.example", "quentin.vale@mail.example"):
            yield make(f"spelled {text}", text, "plain", "case")
            yield make(f"md5 {text}", hashlib.md5(text.encode()).hexdigest(), "md5")
            yield make(
                f"sha256 {text}", hashlib.sha256(text.encode()).digest(), "sha256", text=False
            )
    elif kind == "ad_id":
        yield make("raw", uuid.UUID(value).bytes, "packed-address", text=False)
        yield make("guid", uuid.UUID(value).bytes_le, "packed-address", text=False)
        yield make("braces", "{" + value.upper() + "}", "case", "plain")
    elif kind in ("account_id", "contact_id"):
        yield make("raw", bytes.fromhex(value), "packed-address", text=False)
        yield make("raw base64", base64.b64encode(bytes.fromhex(value)), "packed-address")
    elif " " in value:
        for mark in "-_+.,|\n\t":
            yield make(f"joined by {mark!r}", mark.join(value.split()), "squeezed", "plain")


def _address(make: Callable[..., Planted], value: str) -> Iterator[Planted]:
    address = ipaddress.ip_address(value)
    packed = address.packed
    for order in ("big", "little"):
        number = int.from_bytes(packed, order)
        yield make(f"decimal {order}", str(number), "integer-address")
        yield make(
            f"hex {order}",
            f"0x{number:0{len(packed) * 2}x}",
            "integer-address",
            "squeezed",
            "packed-address",
        )
        yield make(
            f"HEX {order}",
            f"{number:0{len(packed) * 2}X}",
            "integer-address",
            "squeezed",
            "packed-address",
        )
    yield make("packed", packed, "packed-address", text=False)
    for way, data in (
        ("base64", base64.b64encode(packed)),
        ("base32", base64.b32encode(packed)),
        ("escaped", "".join(f"\\x{byte:02x}" for byte in packed).encode()),
        ("percent", "".join(f"%{byte:02x}" for byte in packed).encode()),
        ("base64 twice", base64.b64encode(base64.b64encode(packed))),
        ("hex of base64", base64.b64encode(packed).hex().encode()),
    ):
        yield make(f"packed {way}", data, "packed-address")
    yield make("packed sha256", hashlib.sha256(packed).hexdigest(), "sha256")
    if address.version == 4:
        octets = list(packed)
        for text in (
            f"::ffff:{value}",
            ".".join(f"{octet:03}" for octet in octets),
            ".".join(f"0x{octet:x}" for octet in octets),
            ".".join(f"0{octet:o}" for octet in octets),
            str(ipaddress.IPv6Address(b"\0" * 10 + b"\xff\xff" + packed).exploded),
        ):
            yield make(f"spelled {text}", text, "plain")
        for mark in ("-", "_"):
            yield make(f"joined {mark}", mark.join(map(str, octets)), "squeezed")
        yield make("array", f"[{','.join(map(str, octets))}]", "squeezed")
        yield make("arpa", ".".join(map(str, octets[::-1])) + ".in-addr.arpa", "reversed")
    else:
        for text in (
            address.exploded,
            address.exploded.upper(),
            "2001:db8::4f1:0:0:9a:3cd7",
            "2001:0DB8:0000:04F1::009A:3CD7",
            "2001:db8:0:4f1:0:0:9a:3cd7",
            f"[{value}]:443",
        ):
            yield make(f"spelled {text}", text, "plain", "case")
        yield make("digits", packed.hex(), "squeezed")
        yield make("arpa", ".".join(packed.hex()[::-1]) + ".ip6.arpa", "reversed")


Container = Callable[[bytes], bytes]


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(number: int) -> bytes:
    out = b""
    while True:
        number, low = number >> 7, number & 0x7F
        out += bytes([low | (0x80 if number else 0)])
        if not number:
            return out


def _deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def _multipart(data: bytes) -> bytes:
    return (
        b'--bound8\r\nContent-Disposition: form-data; name="one"\r\n\r\n1\r\n--bound8\r\n'
        b'Content-Disposition: form-data; name="two"; filename="f"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n" + data + b"\r\n--bound8--\r\n"
    )


def _zip(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("notes/readme", "nothing here")
        archive.writestr("notes/member", data)
    return file.getvalue()


def _jwt(data: bytes) -> bytes:
    parts = [
        json.dumps({"alg": "HS256", "typ": "JWT"}).encode(),
        json.dumps({"iat": 1700000000, "sub": data.decode()}).encode(),
        hashlib.sha256(b"signature").digest(),
    ]
    return b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)


TEXT_CONTAINERS: dict[str, Container] = {
    "json": lambda data: json.dumps({"v": 3, "user": [{"id": data.decode()}]}).encode(),
    "json utf8": lambda data: json.dumps([data.decode()], ensure_ascii=False).encode(),
    "json key": lambda data: json.dumps({data.decode(): 1}).encode(),
    "json in json": lambda data: json.dumps({"p": json.dumps({"id": data.decode()})}).encode(),
    "json slashes": lambda data: json.dumps({"id": data.decode()}).replace("/", "\\/").encode(),
    "ndjson": lambda data: b'{"a":1}\n' + json.dumps({"id": data.decode()}).encode() + b"\n",
    "form": lambda data: urllib.parse.urlencode({"v": "3", "id": data.decode()}).encode(),
    "jwt": _jwt,
    "bearer": lambda data: b"Bearer " + _jwt(data),
    "xml": lambda data: (
        b"<user><id>" + data.replace(b"&", b"&amp;").replace(b"<", b"&lt;") + b"</id></user>"
    ),
    "url": lambda data: (
        b"https://h.example/p?x=1&id=" + urllib.parse.quote(data, safe="").encode() + b"#top"
    ),
    "jsonp": lambda data: b"cb(" + json.dumps({"id": data.decode()}).encode() + b");",
}
"""Name -> a container that holds text."""
BINARY_CONTAINERS: dict[str, Container] = {
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "zlib stored": lambda data: zlib.compress(data, 0),
    "deflate": _deflate,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "multipart": _multipart,
    "protobuf": lambda data: _field(1, b"\x08\x96\x01") + _field(2, _field(3, data)),
    "grpc": lambda data: struct.pack(">BI", 0, len(_field(3, data))) + _field(3, data),
    "msgpack": lambda data: msgpack.packb({"a": [1, {"id": data}]}),
    "cbor": lambda data: cbor2.dumps({"a": [1, {"id": data}]}),
    "zip": _zip,
    "data-url": lambda data: b"data:image/png;base64," + base64.b64encode(data),
    "base64": base64.b64encode,
    "base64url": lambda data: base64.urlsafe_b64encode(data).rstrip(b"="),
    "base32": base64.b32encode,
    "hex": lambda data: data.hex().encode(),
    "percent": lambda data: "".join(f"%{byte:02X}" for byte in data).encode(),
    "json of base64": lambda data: json.dumps({"b": base64.b64encode(data).decode()}).encode(),
    "form of base64": lambda data: (
        b"a=1&b=" + urllib.parse.quote_plus(base64.b64encode(data)).encode()
    ),
}
"""Name -> a container that holds any bytes."""
TEXT_RESULT = {
    *TEXT_CONTAINERS, "data-url", "base64", "base64url", "base32", "hex", "percent",
    "json of base64", "form of base64",
}  # fmt: skip
"""Containers whose result is text."""


def wrap(data: bytes, text: bool, names: tuple[str, ...]) -> bytes | None:
    """Put bytes into containers, the first name innermost; None where one cannot hold them."""
    for name in names:
        if name in TEXT_CONTAINERS:
            if not text:
                return None
            data = TEXT_CONTAINERS[name](data)
        else:
            data = BINARY_CONTAINERS[name](data)
        text = name in TEXT_RESULT
    return data


def containers() -> tuple[str, ...]:
    """Return the names of all containers."""
    return (*TEXT_CONTAINERS, *BINARY_CONTAINERS)


def look_alikes(value: str, draw: random.Random) -> Iterator[str]:
    """Yield texts that resemble a value and are not it."""
    at = draw.choice([index for index, char in enumerate(value) if char.isalnum()])
    char = value[at]
    pool = "0123456789" if char.isdigit() else "bcdfghjklmnpqrstvwxz"
    changed = draw.choice([other for other in pool if other != char.lower()])
    yield value[:at] + changed + value[at + 1 :]
    yield value[:at] + value[at + 1 :]
    if value[0].isalnum():
        yield draw.choice("123456789") + value
    if value[-1].isalnum():
        yield value + draw.choice("123456789")
    yield value[: len(value) // 2]


def quoted_printable(data: bytes) -> bytes:
    """Encode as MIME quoted-printable."""
    return quopri.encodestring(data)
