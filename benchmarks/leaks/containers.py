"""Containers: formats that hold a form, one inside the other."""

from __future__ import annotations

import base64
import binascii
import gzip
import html
import io
import json
import random
import struct
import urllib.parse
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import brotli
import zstandard

from . import wire


@dataclass(frozen=True)
class Container:
    """One format."""

    name: str
    make: Callable[[bytes, random.Random], bytes]
    takes_text: bool = False
    """Whether it holds text alone: bytes go into it as base64."""
    gives_text: bool = False
    keeps: bool = True
    """Whether what it holds is a whole field of it."""
    core: bool = False
    """Whether the design names it: these make the full product."""
    media: str = "application/octet-stream"
    """Media type of a body that is of this format."""


def packed_in(draw: random.Random, data: bytes) -> bytes:
    """Encode bytes so that a text format can hold them, as most programs do."""
    return draw.choice((base64.b64encode, base64.urlsafe_b64encode))(data)


def _json(data: bytes, draw: random.Random) -> bytes:
    keys = draw.sample(("v", "user", "props", "ctx", "data", "device"), 3)
    item = {keys[0]: 3, keys[1]: [{"id": data.decode(), "ok": True}], keys[2]: None}
    compact = draw.choice(((",", ":"), (", ", ": ")))
    return json.dumps(item, ensure_ascii=draw.random() < 0.5, separators=compact).encode()


def _json_key(data: bytes, draw: random.Random) -> bytes:
    return json.dumps({"seen": {data.decode(): draw.randint(1, 9)}}).encode()


def _json_in_json(data: bytes, draw: random.Random) -> bytes:
    return json.dumps({"payload": _json(data, draw).decode(), "n": 1}).encode()


def _json_slashes(data: bytes, draw: random.Random) -> bytes:
    return _json(data, draw).replace(b"/", b"\\/")


def _ndjson(data: bytes, draw: random.Random) -> bytes:
    lines = [{"a": 1}, {"id": data.decode(), "t": draw.randint(1, 99)}, {"b": [2]}]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def _graphql(data: bytes, draw: random.Random) -> bytes:
    query = f"mutation {{ add(id: {json.dumps(data.decode())}) {{ ok n{draw.randint(1, 9)} }} }}"
    return json.dumps({"operationName": None, "query": query, "variables": {}}).encode()


def _form(data: bytes, draw: random.Random) -> bytes:
    quote = draw.choice((urllib.parse.quote_from_bytes, _quote_plus))
    return b"v=3&id=" + quote(data, safe="").encode() + b"&t=1"


def _quote_plus(data: bytes, safe: str) -> str:
    return urllib.parse.quote_from_bytes(data, safe=" " + safe).replace(" ", "+")


def _form_key(data: bytes, _: random.Random) -> bytes:
    return b"v=3&" + urllib.parse.quote_from_bytes(data, safe="").encode() + b"=1"


def _multipart(data: bytes, draw: random.Random) -> bytes:
    mark = b"----part%06d" % draw.randint(0, 999_999)
    return b"\r\n".join((
        b"--" + mark, b'Content-Disposition: form-data; name="v"', b"", b"3",
        b"--" + mark, b'Content-Disposition: form-data; name="file"; filename="f.bin"',
        b"Content-Type: application/octet-stream", b"", data, b"--" + mark + b"--", b"",
    ))  # fmt: skip


def _multipart_base64(data: bytes, _: random.Random) -> bytes:
    text = base64.encodebytes(data).replace(b"\n", b"\r\n").rstrip()
    head = b'--b1\r\nContent-Disposition: form-data; name="f"\r\nContent-Transfer-Encoding: base64'
    return head + b"\r\n\r\n" + text + b"\r\n--b1--\r\n"


def _multipart_quoted(data: bytes, _: random.Random) -> bytes:
    text = binascii.b2a_qp(data, quotetabs=True, istext=False).replace(b"=\n", b"=\r\n")
    head = b'--b1\r\nContent-Disposition: form-data; name="f"\r\n'
    return head + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + text + b"\r\n--b1--\r\n"


def _protobuf(data: bytes, draw: random.Random) -> bytes:
    inner = wire.protobuf_bytes(draw.randint(1, 15), data)
    return wire.protobuf_bytes(1, b"\x08\x96\x01") + wire.protobuf_bytes(draw.randint(2, 40), inner)


def _protobuf_flat(data: bytes, draw: random.Random) -> bytes:
    return b"\x08\x01" + wire.protobuf_bytes(draw.randint(2, 15), data) + b"\x18\x07"


def _text_or_bytes(data: bytes) -> str | bytes:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return data
    return text if text.isprintable() else data


def _msgpack(data: bytes, _: random.Random) -> bytes:
    return wire.msgpack({"a": [1, {"id": _text_or_bytes(data)}], "n": "x"})


def _cbor(data: bytes, _: random.Random) -> bytes:
    return wire.cbor({"a": [1, {"id": _text_or_bytes(data)}], "n": "x"})


def _jwt(data: bytes, draw: random.Random) -> bytes:
    parts = [
        json.dumps({"alg": "HS256", "typ": "JWT"}, separators=(",", ":")).encode(),
        json.dumps({"iat": 1_700_000_000, "sub": data.decode()}, separators=(",", ":")).encode(),
        draw.randbytes(32),
    ]
    return b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)


def _data_url(data: bytes, _: random.Random) -> bytes:
    return b"data:application/octet-stream;base64," + base64.b64encode(data)


def _data_url_percent(data: bytes, _: random.Random) -> bytes:
    return b"data:text/plain;charset=utf-8," + urllib.parse.quote_from_bytes(data, safe="").encode()


def _zip(data: bytes, draw: random.Random) -> bytes:
    file = io.BytesIO()
    method = draw.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED))
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in (("notes/readme", b"nothing here"), ("notes/member", data)):
            archive.writestr(zipfile.ZipInfo(name), content, method)  # of 1980, not of now
    return file.getvalue()


def _gzip(data: bytes, draw: random.Random) -> bytes:
    return gzip.compress(data, draw.choice((1, 6, 9)), mtime=0)


def _gzip_members(data: bytes, _: random.Random) -> bytes:
    half = len(data) // 2
    return gzip.compress(data[:half], mtime=0) + gzip.compress(data[half:], mtime=0)


def _deflate(data: bytes, draw: random.Random) -> bytes:
    packer = zlib.compressobj(draw.choice((1, 6, 9)), zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def _zlib(data: bytes, draw: random.Random) -> bytes:
    return zlib.compress(data, draw.choice((0, 1, 6, 9)))


def _brotli(data: bytes, draw: random.Random) -> bytes:
    return brotli.compress(data, quality=draw.choice((1, 5, 11)), lgwin=draw.choice((18, 22)))


def _zstd(data: bytes, draw: random.Random) -> bytes:
    packer = zstandard.ZstdCompressor(level=draw.choice((1, 3, 19)),
                                      write_checksum=draw.random() < 0.5,
                                      write_content_size=draw.random() < 0.5)  # fmt: skip
    return packer.compress(data)


def _zstd_frames(data: bytes, draw: random.Random) -> bytes:
    return _zstd(b"first", draw) + b"\x50\x2a\x4d\x18\x02\0\0\0ab" + _zstd(data, draw)


def _xml(data: bytes, _: random.Random) -> bytes:
    text = html.escape(data.decode(), quote=False)
    return f'<?xml version="1.0"?><user n="1"><id>{text}</id></user>'.encode()


def _attribute(data: bytes, _: random.Random) -> bytes:
    return f'<user id="{html.escape(data.decode())}" n="1"/>'.encode()


def _plist(data: bytes, _: random.Random) -> bytes:
    text = html.escape(data.decode(), quote=False)
    return f"<plist><dict><key>id</key><string>{text}</string></dict></plist>".encode()


def _url(data: bytes, draw: random.Random) -> bytes:
    value = urllib.parse.quote_from_bytes(data, safe="")
    return f"https://h{draw.randint(1, 9)}.example/p?x=1&id={value}#top".encode()


def _jsonp(data: bytes, draw: random.Random) -> bytes:
    return b"cb(" + _json(data, draw) + b");"


def _basic(data: bytes, _: random.Random) -> bytes:
    return b"Basic " + base64.b64encode(data + b":x1")


def _bearer(data: bytes, draw: random.Random) -> bytes:
    return b"Bearer " + _jwt(data, draw)


def _grpc_web(data: bytes, _: random.Random) -> bytes:
    end = b"grpc-status: 0\r\n"
    return wire.grpc(wire.protobuf_bytes(3, data)) + b"\x80" + struct.pack(">I", len(end)) + end


def _grpc_web_text(data: bytes, draw: random.Random) -> bytes:
    return base64.b64encode(_grpc_web(data, draw))


def _prefixed(data: bytes, _: random.Random) -> bytes:
    return b"\x30\x01" + struct.pack(">H", len(data)) + data + b"\0\x02ok"


def _php(data: bytes, _: random.Random) -> bytes:
    return b'a:1:{s:2:"id";s:%d:"%s";}' % (len(data), data)


def _csv(data: bytes, _: random.Random) -> bytes:
    text = data.decode()
    if '"' in text:  # its doubling would change what is escaped in it
        return f"1\t{text}\tx\r\n2\t\ty\r\n".encode()
    return f'1,"{text}",x\r\n2,"",y\r\n'.encode()


def _line(data: bytes, _: random.Random) -> bytes:
    return b"level=info msg=start id=" + data + b" took=3ms"


_TEXT = {"takes_text": True, "gives_text": True}
CONTAINERS = {
    item.name: item
    for item in (
        Container("none", lambda data, _: data, core=True),
        Container("gzip", _gzip, core=True),
        Container("zlib", _zlib, core=True),
        Container("deflate", _deflate, core=True),
        Container("br", _brotli, core=True),
        Container("zstd", _zstd, core=True),
        Container("json", _json, core=True, media="application/json", **_TEXT),
        Container("form", _form, gives_text=True, core=True,
                  media="application/x-www-form-urlencoded"),
        Container("multipart", _multipart, core=True, media="multipart/form-data"),
        Container("protobuf", _protobuf, core=True, media="application/x-protobuf"),
        Container("msgpack", _msgpack, core=True, media="application/msgpack"),
        Container("cbor", _cbor, core=True, media="application/cbor"),
        Container("jwt", _jwt, core=True, **_TEXT),
        Container("data-url", _data_url, gives_text=True, core=True),
        Container("zip", _zip, core=True, media="application/zip"),
        Container("json key", _json_key, keeps=False, media="application/json", **_TEXT),
        Container("json in json", _json_in_json, media="application/json", **_TEXT),
        Container("json, slashes escaped", _json_slashes, media="application/json", **_TEXT),
        Container("ndjson", _ndjson, media="application/x-ndjson", **_TEXT),
        Container("graphql", _graphql, media="application/json", **_TEXT),
        Container("form key", _form_key, gives_text=True, keeps=False,
                  media="application/x-www-form-urlencoded"),
        Container("multipart, base64", _multipart_base64, gives_text=True,
                  media="multipart/form-data"),
        Container("multipart, quoted-printable", _multipart_quoted, gives_text=True,
                  media="multipart/form-data"),
        Container("protobuf, flat", _protobuf_flat, media="application/x-protobuf"),
        Container("gzip, two members", _gzip_members),
        Container("zstd, several frames", _zstd_frames),
        Container("xml", _xml, media="application/xml", **_TEXT),
        Container("xml attribute", _attribute, media="application/xml", **_TEXT),
        Container("plist", _plist, media="application/x-plist", **_TEXT),
        Container("url", _url, gives_text=True),
        Container("jsonp", _jsonp, media="application/javascript", **_TEXT),
        Container("basic", _basic, keeps=False, **_TEXT),
        Container("bearer", _bearer, **_TEXT),
        Container("grpc-web", _grpc_web, media="application/grpc-web+proto"),
        Container("grpc-web-text", _grpc_web_text, gives_text=True,
                  media="application/grpc-web-text"),
        Container("length before", _prefixed, keeps=False),
        Container("php", _php, takes_text=True, gives_text=True),
        Container("csv", _csv, keeps=False, media="text/csv", **_TEXT),
        Container("log line", _line, keeps=False, media="text/plain", **_TEXT),
        Container("data-url, percent", _data_url_percent, gives_text=True),
        Container("base64", lambda data, _: base64.b64encode(data), gives_text=True),
        Container("base64url", lambda data, _: base64.urlsafe_b64encode(data).rstrip(b"="),
                  gives_text=True),
        Container("base32", lambda data, _: base64.b32encode(data), gives_text=True),
        Container("hex", lambda data, _: data.hex().encode(), gives_text=True),
    )
}  # fmt: skip
"""Name -> container."""
CORE = tuple(name for name, item in CONTAINERS.items() if item.core)


@dataclass(frozen=True)
class Wrapped:
    """Bytes in containers."""

    data: bytes
    is_text: bool
    whole: bool
    steps: tuple[str, ...]
    """Every encoding that was put around, innermost first."""
    media: str


def wrap(
    data: bytes, *, is_text: bool, whole: bool, names: tuple[str, ...], draw: random.Random
) -> Wrapped:
    """Put bytes into containers, the first name innermost; bytes go into texts as base64."""
    steps: list[str] = []
    media = "text/plain" if is_text else "application/octet-stream"
    for name in names:
        container = CONTAINERS[name]
        if name == "none":
            continue
        if container.takes_text and not is_text:
            data = packed_in(draw, data)
            steps.append("base64")
        data = container.make(data, draw)
        steps.append(name)
        is_text, media = container.gives_text, container.media
        if media == "multipart/form-data":
            mark = data[2 : data.find(b"\r\n")].decode()
            media = f"{media}; boundary={mark}"
        whole = whole and container.keeps
    return Wrapped(data, is_text, whole, tuple(steps), media)
