"""What a value may be packed into before it is sent: formats, archives and compressions."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import io
import json
import random
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote_from_bytes

FILLER: Final = ("build", "channel", "event", "screen", "seq", "state", "theme", "v")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """Bytes on their way out, and how they came to be."""

    data: bytes
    is_text: bool
    field: str
    """Name of the field that the value has, where a container names fields."""
    chain: tuple[str, ...] = ()
    """Containers and auxiliary encodings, outermost first."""
    content_type: str | None = None
    encoding: str | None = None
    """Content coding that HTTP would declare for the outermost step."""
    is_number: bool = False

    def wrapped(self, step: str, data: bytes, **changes: Any) -> Parcel:
        """Return the parcel with one more step around it."""
        fresh = {"is_text": False, "content_type": None, "encoding": None, "is_number": False}
        return replace(self, data=data, chain=(step, *self.chain), **{**fresh, **changes})

    def quoted(self, safe: str) -> Parcel:
        """Return the parcel percent-encoded, itself where that changes nothing."""
        data = quote_from_bytes(self.data, safe=safe).encode()
        return self if data == self.data else self.wrapped("percent", data, is_text=True)

    def as_text(self) -> Parcel:
        """Return the parcel fit for a place that takes text: base64 where it is none."""
        if self.is_text:
            return self
        return self.wrapped("base64", base64.b64encode(self.data), is_text=True)


def _extras(rng: random.Random) -> dict[str, Any]:
    names = rng.sample(FILLER, rng.randint(0, 3))
    return {name: rng.choice((1, 7, True, "ok", "main", None)) for name in names}


def _shuffled(pairs: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    items = list(pairs.items())
    rng.shuffle(items)
    return dict(items)


def _object(parcel: Parcel, value: Any, rng: random.Random) -> Any:
    """Return a structure that holds the value somewhere."""
    inner: Any = _shuffled({parcel.field: value, **_extras(rng)}, rng)
    for _ in range(rng.randint(0, 2)):
        inner = {rng.choice(("ctx", "props", "data")): inner} if rng.random() < 0.6 else [inner]
    return inner


def _json(parcel: Parcel, rng: random.Random) -> Parcel:
    parcel = parcel.as_text()
    text = parcel.data.decode()
    value: Any = int(text) if parcel.is_number and rng.random() < 0.5 else text
    data = json.dumps(_object(parcel, value, rng), ensure_ascii=rng.random() < 0.5)
    return parcel.wrapped("json", data.encode(), is_text=True, content_type="application/json")


def _form(parcel: Parcel, rng: random.Random) -> Parcel:
    parcel = parcel.quoted(safe="/")
    pairs = _shuffled({parcel.field: parcel.data.decode(), **_extras(rng)}, rng)
    text = "&".join(f"{name}={value}" for name, value in pairs.items())
    return parcel.wrapped(
        "form",
        text.encode(),
        is_text=True,
        content_type="application/x-www-form-urlencoded",
    )


def _multipart(parcel: Parcel, rng: random.Random) -> Parcel:
    mark = f"----part{rng.getrandbits(64):016x}"
    kind = "text/plain" if parcel.is_text else "application/octet-stream"
    parts = [
        f'Content-Disposition: form-data; name="{parcel.field}"; filename="d.bin"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
        if not parcel.is_text or rng.random() < 0.3
        else f'Content-Disposition: form-data; name="{parcel.field}"\r\n\r\n'
    ]
    head = f"--{mark}\r\n".encode()
    other = f'Content-Disposition: form-data; name="{rng.choice(FILLER)}"\r\n\r\n1\r\n'.encode()
    data = head + other + head + parts[0].encode() + parcel.data + f"\r\n--{mark}--\r\n".encode()
    return parcel.wrapped("multipart", data, content_type=f"multipart/form-data; boundary={mark}")


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _protobuf(parcel: Parcel, rng: random.Random) -> Parcel:
    def field(number: int, data: bytes) -> bytes:
        return _varint(number << 3 | 2) + _varint(len(data)) + data

    number = rng.randint(2, 40)
    message = b"\x08" + _varint(rng.randint(1, 5000)) + field(number, parcel.data)
    if rng.random() < 0.4:
        message = field(rng.randint(1, 9), message) + field(15, b"release")
    return parcel.wrapped("protobuf", message, content_type="application/x-protobuf")


def _native(parcel: Parcel) -> str | bytes:
    return parcel.data.decode() if parcel.is_text else parcel.data


def _msgpack(parcel: Parcel, rng: random.Random) -> Parcel:
    import msgpack

    data: bytes = msgpack.packb(_object(parcel, _native(parcel), rng))
    return parcel.wrapped("msgpack", data, content_type="application/msgpack")


def _cbor(parcel: Parcel, rng: random.Random) -> Parcel:
    import cbor2

    data: bytes = cbor2.dumps(_object(parcel, _native(parcel), rng))
    return parcel.wrapped("cbor", data, content_type="application/cbor")


def _jwt(parcel: Parcel, rng: random.Random) -> Parcel:
    parcel = parcel.as_text()

    def part(data: bytes) -> bytes:
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    claims = _shuffled({parcel.field: parcel.data.decode(), "iat": 1_790_000_000}, rng)
    head = part(b'{"alg":"HS256","typ":"JWT"}') + b"." + part(json.dumps(claims).encode())
    signature = hmac.digest(rng.randbytes(32), head, hashlib.sha256)
    data = head + b"." + part(signature)
    return parcel.wrapped("jwt", data, is_text=True, content_type="application/jwt")


def _data_url(parcel: Parcel, rng: random.Random) -> Parcel:
    kind = "text/plain" if parcel.is_text else "application/octet-stream"
    if parcel.is_text and rng.random() < 0.4:
        head, inner = f"data:{kind},", parcel.quoted(safe="")
    else:
        head = f"data:{kind};base64,"
        inner = parcel.wrapped("base64", base64.b64encode(parcel.data), is_text=True)
    data = head.encode() + inner.data
    return inner.wrapped("data-url", data, is_text=True, content_type="text/plain")


def _zip(parcel: Parcel, rng: random.Random) -> Parcel:
    buffer = io.BytesIO()
    method = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("meta.txt", "1")
        archive.writestr(rng.choice(("log.txt", "d/event", "report.bin")), parcel.data)
    return parcel.wrapped("zip", buffer.getvalue(), content_type="application/zip")


def _gzip(parcel: Parcel, rng: random.Random) -> Parcel:
    data = gzip.compress(parcel.data, compresslevel=rng.randint(1, 9))
    return _pressed(parcel, "gzip", data, "gzip")


def _zlib(parcel: Parcel, rng: random.Random) -> Parcel:
    return _pressed(parcel, "zlib", zlib.compress(parcel.data, rng.randint(1, 9)), "deflate")


def _deflate(parcel: Parcel, rng: random.Random) -> Parcel:
    press = zlib.compressobj(rng.randint(1, 9), wbits=-15)
    return _pressed(parcel, "deflate", press.compress(parcel.data) + press.flush(), "deflate")


def _br(parcel: Parcel, rng: random.Random) -> Parcel:
    import brotli

    data: bytes = brotli.compress(parcel.data, quality=rng.randint(1, 9))
    return _pressed(parcel, "br", data, "br")


def _zstd(parcel: Parcel, rng: random.Random) -> Parcel:
    import zstandard

    data = zstandard.ZstdCompressor(level=rng.randint(1, 9)).compress(parcel.data)
    return _pressed(parcel, "zstd", data, "zstd")


def _pressed(parcel: Parcel, step: str, data: bytes, coding: str) -> Parcel:
    # the type stays that of what was compressed: HTTP would declare both
    return parcel.wrapped(step, data, content_type=parcel.content_type, encoding=coding)


CONTAINERS: Final[Mapping[str, Callable[[Parcel, random.Random], Parcel]]] = {
    "json": _json,
    "form": _form,
    "multipart": _multipart,
    "protobuf": _protobuf,
    "msgpack": _msgpack,
    "cbor": _cbor,
    "jwt": _jwt,
    "data-url": _data_url,
    "zip": _zip,
    "gzip": _gzip,
    "zlib": _zlib,
    "deflate": _deflate,
    "br": _br,
    "zstd": _zstd,
}
COMPRESSIONS: Final = ("gzip", "zlib", "deflate", "br", "zstd")
UNMARKED: Final = ("br",)
"""Compressions without any mark of their own: sent only where HTTP declares them."""
