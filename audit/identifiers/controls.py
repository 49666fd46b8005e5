"""Controls of the detector: one planted value per form and container, and one per identifier.

They are searched for by the same database, on the same way, as the subject's values. A decoder
that does not work loses its control; then nothing may pass on the absence of hits.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from audit.bundle.identity import Identifier
from audit.tables.vocabulary import Form, Location


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlResult:
    """One control, and whether it was found as what it is."""

    name: str
    """What was planted, such as ``base64 at offset 1`` or ``container gzip``."""
    form: Form
    found: bool


@dataclass(frozen=True, slots=True)
class Control:
    """A planted value: bytes, and how the hit in them must read."""

    name: str
    data: bytes
    value: int
    """Index of the identifier that must be found."""
    form: Form
    chain: tuple[str, ...] | None
    """Chain of the hit; None: any."""
    location: Location = "body"


def control_identifiers(key: bytes) -> tuple[Identifier, Identifier]:
    """Return the two values that controls plant: a text and an address that no one has.

    The address is of 240.0.0.0/4, reserved since RFC 1112.
    """
    digest = hashlib.sha256(b"audit: control\0" + key).digest()
    text = f"Control {digest[:6].hex()} Walnut {digest[6:9].hex()}Z"
    address = ".".join(map(str, (240 | digest[9] & 15, 128 | digest[10], digest[11], digest[12])))
    return Identifier("message", text), Identifier("address", address)


def make_controls(identifiers: Sequence[Identifier], own: int) -> list[Control]:
    """Return every control.

    The last two identifiers are those of :func:`control_identifiers`, the first ``own`` those of
    the subject.
    """
    text_index, address_index = len(identifiers) - 2, len(identifiers) - 1
    text = identifiers[text_index].value
    address = identifiers[address_index].value
    packed = bytes(map(int, address.split(".")))
    found = [
        Control(name, data, text_index, form, chain) for name, form, chain, data in _forms(text)
    ]
    found += [
        Control("packed-address", packed, address_index, "packed-address", ()),
        Control(
            "integer-address",
            str(int.from_bytes(packed, "big")).encode(),
            address_index,
            "integer-address",
            (),
        ),
    ]
    found += [
        Control(f"container {name}", make(text.encode()), text_index, "plain", (name,))
        for name, make in _TEXT_CONTAINERS.items()
    ]
    found += [
        Control(f"container {name}", make(packed), address_index, "packed-address", (name,))
        for name, make in _BINARY_CONTAINERS.items()
    ]
    found.append(
        Control(
            "container data-url",
            b"data:text/plain;base64," + base64.b64encode(text.encode()),
            text_index,
            "base64",
            ("data-url",),
        )
    )
    found += [
        Control("form in json", _form_in_json(text), text_index, "plain", ("json", "form")),
        Control("digest, deep", _deep(text), text_index, "sha256", _DEEP),
        Control(
            "labels of a name",
            _labels(base64.b32encode(text.encode()).rstrip(b"=").lower()) + b".control.example",
            text_index,
            "base32",
            (),
            location="dns",
        ),
        Control(
            "segment of a path",
            b"/v1/" + base64.b64encode(packed) + b"/x",
            address_index,
            "packed-address",
            ("base64",),
            location="path",
        ),
    ]
    found += [
        Control(
            f"identifier {item.kind}",
            item.value.encode("utf-8", "surrogatepass"),
            index,
            "plain",
            None,
        )
        for index, item in enumerate(identifiers[:own])
    ]
    return found


_Planted = tuple[str, Form, tuple[str, ...], bytes]


def _forms(text: str) -> list[_Planted]:
    plain = text.encode()
    percent = [_percent(plain)]
    for _ in range(2):
        percent.append(percent[-1].replace(b"%", b"%25"))
    marked = b"??>" + plain
    found: list[_Planted] = [
        ("plain", "plain", (), plain),
        ("case", "case", (), plain.upper()),
        ("squeezed", "squeezed", (), plain.replace(b" ", b"")),
        ("reversed", "reversed", (), plain[::-1]),
        ("percent", "percent", (), percent[0]),
        ("percent twice", "percent", ("percent",), percent[1]),
        ("percent three times", "percent", ("percent", "percent"), percent[2]),
        ("base64", "base64", (), base64.b64encode(plain + b"?" * (-len(plain) % 3))),
        ("base64url", "base64url", (), base64.urlsafe_b64encode(marked).rstrip(b"=")),
        ("base32", "base32", (), base64.b32encode(plain)),
        ("hex", "hex", (), plain.hex().encode()),
        ("hex in capitals", "hex", (), plain.hex().upper().encode()),
        ("hex with separators", "hex", (), plain.hex(":").encode()),
        ("utf16", "utf16", (), plain.decode().encode("utf-16-le")),
        ("utf16 big-endian", "utf16", (), plain.decode().encode("utf-16-be")),
        ("escaped", "escaped", (), b"".join(b"\\u%04x" % byte for byte in plain)),
        ("escaped by escape()", "escaped", (), b"".join(b"%%u%04X" % byte for byte in plain)),
        ("quoted-printable", "escaped", (), b"".join(b"=%02X" % byte for byte in plain)),
        ("html", "html", (), b"".join(b"&#%d;" % byte for byte in plain)),
    ]
    found += [
        (f"base64 at offset {shift}", "base64", (), base64.b64encode(_shifted(plain, shift)))
        for shift in (1, 2)
    ]
    return found + _digests(plain)


def _shifted(plain: bytes, shift: int) -> bytes:
    text = b"? "[:shift] + plain
    return text + b"?" * (-len(text) % 3)


def _percent(data: bytes) -> bytes:
    return b"".join(b"%%%02X" % byte for byte in data)


def _labels(text: bytes) -> bytes:
    """Cut a text into the labels of a name, shorter than they may be."""
    return b".".join(text[at : at + 24] for at in range(0, len(text), 24))


def _digests(plain: bytes) -> list[_Planted]:
    found: list[_Planted] = []
    forms: tuple[tuple[str, Form, tuple[str, ...]], ...] = (
        ("md5", "md5", ()),
        ("sha1", "sha1", ()),
        ("sha224", "sha256", ("sha224",)),
        ("sha256", "sha256", ()),
        ("sha384", "sha512", ("sha384",)),
        ("sha512", "sha512", ()),
    )
    for name, form, steps in forms:
        digest = hashlib.new(name, plain, usedforsecurity=False).digest()
        found.append((name, form, ("hex", *steps), digest.hex().encode()))
        found.append((f"{name} as bytes", form, steps, digest))
    digest = hashlib.sha256(plain).digest()
    found.append(("sha256 in base64", "sha256", ("base64",), base64.b64encode(digest)))
    return found


_DEEP: Final = ("gzip", "json", "base64", "zlib", "json", "percent", "hex")


def _form_in_json(text: str) -> bytes:
    return json.dumps({"q": "a=1&b=" + text.replace(" ", "+")}).encode()


def _deep(text: str) -> bytes:
    """Put a digest into every sort of container, one inside the other."""
    digest = _percent(hashlib.sha256(text.encode()).hexdigest().encode())
    inner = zlib.compress(json.dumps({"a": digest.decode()}).encode())
    encoded = base64.b64encode(inner).decode()
    return gzip.compress(json.dumps([encoded]).encode(), mtime=0)


def _brotli(data: bytes) -> bytes:
    import brotli

    packed: bytes = brotli.compress(data, quality=1)
    return packed


def _zstd(data: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor(level=1).compress(data)


def _deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(1, wbits=-15)
    return packer.compress(data) + packer.flush()


def _zip(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("member"), data)
    return file.getvalue()


def _multipart(data: bytes) -> bytes:
    head = b'--x1\r\nContent-Disposition: form-data; name="field"\r\n\r\n'
    return head + data + b"\r\n--x1--\r\n"


def _jwt(data: bytes) -> bytes:
    parts = (b'{"alg":"none"}', json.dumps(data.decode()).encode())
    return b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts) + b"."


_TEXT_CONTAINERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "zlib": zlib.compress,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
    "zip": _zip,
    "json": lambda data: json.dumps({"a": [{"b": data.decode()}]}).encode(),
    "form": lambda data: b"a=1&b=" + data.replace(b" ", b"+"),
    "multipart": _multipart,
    "jwt": _jwt,
}
"""Name in chains -> a container around a text."""
_BINARY_CONTAINERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "protobuf": lambda data: b"\x08\x01\x12" + bytes([len(data)]) + data,
    "msgpack": lambda data: b"\x82\xa1a\xc3\xa1b\xc4" + bytes([len(data)]) + data,
    "cbor": lambda data: b"\xa2\x61a\xf5\x61b" + bytes([0x40 | len(data)]) + data,
}
"""Name in chains -> a container around bytes that count only as a whole field."""
