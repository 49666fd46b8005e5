"""Locations: where in a message the bytes stand, and what must be done that they may."""

from __future__ import annotations

import base64
import gzip
import random
import re
import urllib.parse
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import brotli
import zstandard

from .containers import Wrapped, packed_in
from .message import Message

Place = Callable[[Message, Wrapped, random.Random], "tuple[str, ...] | None"]
"""Puts bytes into a message; what was put around them, None where they cannot stand there."""
_IN_URL = re.compile(r"(?:[A-Za-z0-9._~!$'()*,;:@/-]|%[0-9A-Fa-f]{2})*\Z")
_IN_QUERY = re.compile(r"(?:[A-Za-z0-9._~!$'()*,;:@/=-]|%[0-9A-Fa-f]{2})*\Z")
_IN_COOKIE = re.compile(r"[!#-+\--:<-\[\]-~]*\Z")
_IN_LABEL = re.compile(r"[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\Z")
LONGEST_NAME = 180
"""Letters that labels before a server's name may have (a name has 253, RFC 1035)."""
LONGEST_HEAD = 6_000
"""Bytes that stand in a line of a head; servers refuse more."""
LONGEST_DATAGRAM = 1_200


@dataclass(frozen=True)
class Location:
    """One place."""

    name: str
    place: Place
    files: tuple[str, ...] = ("http",)
    keeps: bool = True
    """Whether what stands there is a whole field."""
    direction: str = "sent"


def _text(wrapped: Wrapped) -> str:
    return wrapped.data.decode()


def _url_part(
    wrapped: Wrapped, draw: random.Random, allowed: re.Pattern[str]
) -> tuple[str, tuple[str, ...]]:
    """Return bytes as a part of an address, and what that took."""
    if not wrapped.is_text and draw.random() < 0.4:
        text = base64.urlsafe_b64encode(wrapped.data).rstrip(b"=").decode()
        return text, ("base64",)
    if wrapped.is_text and allowed.match(_text(wrapped)):
        return _text(wrapped), ()
    return urllib.parse.quote_from_bytes(wrapped.data, safe=""), ("percent",)


def _path(message: Message, wrapped: Wrapped, draw: random.Random) -> tuple[str, ...] | None:
    text, steps = _url_part(wrapped, draw, _IN_URL)
    if "/" in text or text in (".", ".."):
        text = urllib.parse.quote(text, safe="%").replace("/", "%2F")
    message.path = f"/v1/{text}/sync"
    return steps if len(text) < LONGEST_HEAD else None


def _query(message: Message, wrapped: Wrapped, draw: random.Random) -> tuple[str, ...] | None:
    text, steps = _url_part(wrapped, draw, _IN_QUERY)
    message.query = f"v=3&id={text}&t=1" if draw.random() < 0.7 else f"id={text}"
    return steps if len(text) < LONGEST_HEAD else None


def _query_name(message: Message, wrapped: Wrapped, draw: random.Random) -> tuple[str, ...] | None:
    text, steps = _url_part(wrapped, draw, _IN_URL)
    message.query = f"v=3&{text}=1"
    return steps if len(text) < LONGEST_HEAD else None


def _visible(wrapped: Wrapped, draw: random.Random) -> tuple[str, tuple[str, ...]]:
    """Return bytes as the value of a header."""
    if not wrapped.is_text:
        return packed_in(draw, wrapped.data).decode(), ("base64",)
    text = _text(wrapped)
    if text.strip() == text and (text.isprintable() or not text):
        return text, ()
    return urllib.parse.quote(text, safe=""), ("percent",)


def _header(message: Message, wrapped: Wrapped, draw: random.Random) -> tuple[str, ...] | None:
    text, steps = _visible(wrapped, draw)
    message.headers.append((draw.choice(("X-Client", "X-Ref", "X-Trace-Data")), text))
    return steps if len(text) < LONGEST_HEAD else None


def _cookie_text(wrapped: Wrapped, draw: random.Random) -> tuple[str, tuple[str, ...]]:
    text, steps = _visible(wrapped, draw)
    if _IN_COOKIE.match(text):
        return text, steps
    return urllib.parse.quote(text, safe=""), (*steps, "percent")


def _cookie(message: Message, wrapped: Wrapped, draw: random.Random) -> tuple[str, ...] | None:
    text, steps = _cookie_text(wrapped, draw)
    if "base64" in steps and draw.random() < 0.5:
        text = text.replace("=", "%3D")
    message.headers.append(("Cookie", f"lang=en; ck={text}; n=1"))
    return steps if len(text) < LONGEST_HEAD else None


def _set_cookie(message: Message, wrapped: Wrapped, draw: random.Random) -> tuple[str, ...] | None:
    text, steps = _cookie_text(wrapped, draw)
    message.answer_headers.append(("Set-Cookie", f"ck={text}; Path=/; HttpOnly"))
    return steps if len(text) < LONGEST_HEAD else None


def _referer(message: Message, wrapped: Wrapped, draw: random.Random) -> tuple[str, ...] | None:
    text, steps = _url_part(wrapped, draw, _IN_QUERY)
    message.headers.append(("Referer", f"https://shop.example/p?x=1&id={text}"))
    return steps if len(text) < LONGEST_HEAD else None


def _body(message: Message, wrapped: Wrapped, draw: random.Random) -> tuple[str, ...]:
    message.method, message.body = draw.choice(("POST", "PUT")), wrapped.data
    message.media = "" if draw.random() < 0.2 else wrapped.media
    return ()


_CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "deflate": zlib.compress,
    "deflate, no header": lambda data: zlib.compress(data, wbits=-15),
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


def _coded(message: Message, wrapped: Wrapped, draw: random.Random) -> tuple[str, ...]:
    message.method, message.media = "POST", wrapped.media
    names = draw.choices(sorted(_CODINGS), k=draw.choice((1, 1, 1, 2)))
    message.plain_body, message.body = wrapped.data, wrapped.data
    for name in names:
        message.body = _CODINGS[name](message.body)
    message.coding = tuple(name.partition(",")[0] for name in names)
    return tuple(f"content coding {name}" for name in names)


def _answer(message: Message, wrapped: Wrapped, _: random.Random) -> tuple[str, ...]:
    message.answer, message.answer_media = wrapped.data, wrapped.media
    return ()


def _answer_header(
    message: Message, wrapped: Wrapped, draw: random.Random
) -> tuple[str, ...] | None:
    text, steps = _visible(wrapped, draw)
    message.answer_headers.append(("X-Echo", text))
    return steps if len(text) < LONGEST_HEAD else None


def _websocket(message: Message, wrapped: Wrapped, draw: random.Random) -> tuple[str, ...]:
    message.protocol, message.path = "websocket", "/ws"
    as_text = wrapped.is_text and draw.random() < 0.8
    message.frames = [(True, b'{"t":"hi"}'), (as_text, wrapped.data), (True, b"bye")]
    return ()


def _ws_frames(message: Message, wrapped: Wrapped, draw: random.Random) -> tuple[str, ...]:
    steps = _websocket(message, wrapped, draw)
    message.parts = "frames"
    return (*steps, "split over frames")


def _ws_deflate(message: Message, wrapped: Wrapped, draw: random.Random) -> tuple[str, ...]:
    steps = _websocket(message, wrapped, draw)
    message.parts = "deflate"
    return (*steps, "permessage-deflate")


def _segments(message: Message, wrapped: Wrapped, draw: random.Random) -> tuple[str, ...]:
    _body(message, wrapped, draw)
    message.parts = "segments"
    return ("split over segments",)


def _chunks(message: Message, wrapped: Wrapped, draw: random.Random) -> tuple[str, ...]:
    _body(message, wrapped, draw)
    message.parts = "chunks"
    return ("split over chunks",)


def _trailer(message: Message, wrapped: Wrapped, draw: random.Random) -> tuple[str, ...] | None:
    text, steps = _visible(wrapped, draw)
    if not text.isascii():
        text, steps = urllib.parse.quote(text, safe=""), (*steps, "percent")
    message.method, message.body, message.parts = "POST", b"data", "chunks"
    message.trailers.append(("X-Sum", text))
    return steps if len(text) < LONGEST_HEAD else None


def _labels(message: Message, wrapped: Wrapped, draw: random.Random) -> tuple[str, ...] | None:
    """Put bytes into labels of a name; long ones over several labels of 60 letters."""
    steps: tuple[str, ...] = ()
    if wrapped.is_text and wrapped.data.isascii() and _IN_LABEL.match(_text(wrapped)):
        text = _text(wrapped)
    else:
        if draw.random() < 0.5:
            text, steps = base64.b32encode(wrapped.data).rstrip(b"=").lower().decode(), ("base32",)
        else:
            text, steps = wrapped.data.hex(), ("hex",)
        text = ".".join(text[at : at + 60] for at in range(0, len(text), 60))
    message.label = text
    return steps if len(text) <= LONGEST_NAME else None


def _host(message: Message, wrapped: Wrapped, draw: random.Random) -> tuple[str, ...] | None:
    if wrapped.data.lower() != wrapped.data and wrapped.is_text:
        return None  # programs write names of hosts in lower case
    return _labels(message, wrapped, draw)


def _dns(message: Message, wrapped: Wrapped, draw: random.Random) -> tuple[str, ...] | None:
    message.protocol = "dns"
    return _labels(message, wrapped, draw)


def _sni(message: Message, wrapped: Wrapped, draw: random.Random) -> tuple[str, ...] | None:
    message.protocol = "tls"
    return _host(message, wrapped, draw)


def _tcp(message: Message, wrapped: Wrapped, draw: random.Random) -> tuple[str, ...]:
    message.protocol, message.data = "tcp", wrapped.data
    message.parts = draw.choice(("", "segments"))
    return ("split over segments",) if message.parts else ()


def _udp(message: Message, wrapped: Wrapped, _: random.Random) -> tuple[str, ...] | None:
    message.protocol, message.data = "udp", wrapped.data
    return () if len(wrapped.data) <= LONGEST_DATAGRAM else None


def _onion(message: Message, wrapped: Wrapped, _: random.Random) -> tuple[str, ...]:
    message.data = wrapped.data
    return ("onion request",)


RAW = ("flows", "packets")
LOCATIONS = {
    item.name: item
    for item in (
        Location("path", _path),
        Location("query", _query),
        Location("query name", _query_name, keeps=False),
        Location("header", _header),
        Location("cookie", _cookie),
        Location("referer", _referer),
        Location("host label", _host, keeps=False),
        Location("body", _body),
        Location("coded body", _coded),
        Location("websocket", _websocket),
        Location("response body", _answer, direction="received"),
        Location("response header", _answer_header, direction="received"),
        Location("set-cookie", _set_cookie, direction="received"),
        Location("trailer", _trailer, RAW),
        Location("body over segments", _segments, ("packets",)),
        Location("body over chunks", _chunks, ("packets",)),
        Location("websocket over frames", _ws_frames, ("packets",)),
        Location("websocket, deflated", _ws_deflate, ("packets",)),
        Location("dns label", _dns, RAW, keeps=False),
        Location("server name of TLS", _sni, ("packets",), keeps=False),
        Location("raw tcp", _tcp, RAW),
        Location("raw udp", _udp, RAW),
        Location("onion layer", _onion, ("onion",)),
    )
}
"""Name -> location."""
