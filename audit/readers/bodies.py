"""Content codings of HTTP bodies (RFC 9110 §8.4) undone within a bound, and JSON made canonical."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import Final

from audit.identifiers.content import classify_content
from audit.tables.vocabulary import Content

MAX_DECODED: Final = 16 * 2**20
"""Bytes that a body may grow to; a longer one is no JSON to the tables."""
MAX_JSON: Final = 8 * 2**20
"""Bytes of JSON that are parsed into a column."""
_BROTLI_STEP: Final = 32
"""Bytes given to the decoder at once: seven or so make one block of up to 16 MiB (RFC 7932 §9.2),
and it cannot be stopped inside one call."""
_MAX_REMEMBERED: Final = 4 * 2**20
"""Bytes of bodies whose judgement is remembered: clients send the same ones again and again."""
_LONGEST_REMEMBERED: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Judged:
    """What a body is."""

    json: str | None
    """As canonical JSON; ``None``: it is none."""
    content: Content


class _Memory:
    """Judgements of the bodies seen last, as many as a bound of bytes allows."""

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, tuple[str, ...], str | None], Judged] = {}
        self._size = 0

    def judge(self, body: bytes, encodings: tuple[str, ...], kind: str | None) -> Judged:
        key = (body, encodings, kind)
        judged = self._known.get(key)
        if judged is None:
            judged = _judge(body, encodings, kind)
            self._size += len(body)
            if self._size > _MAX_REMEMBERED:
                self._known.clear()
                self._size = len(body)
            self._known[key] = judged
        return judged


_memory: Final = _Memory()


def judge_body(body: bytes, encodings: tuple[str, ...] = (), kind: str | None = None) -> Judged:
    """Judge a body with its content codings and its declared media type."""
    if len(body) > _LONGEST_REMEMBERED:
        return _judge(body, encodings, kind)
    return _memory.judge(body, encodings, kind)


def _judge(body: bytes, encodings: tuple[str, ...], kind: str | None) -> Judged:
    decoded = decode_body(body, encodings)
    if decoded is None:
        content = classify_content(body, content_encoding=encodings, content_type=kind)
        return Judged(None, content)
    return Judged(canonical_json(decoded), classify_content(decoded, content_type=kind))


def decode_body(body: bytes, encodings: tuple[str, ...]) -> bytes | None:
    """Undo the content codings, last one first.

    ``None`` where a coding is unknown, the bytes are not what was declared, or the result would
    pass :data:`MAX_DECODED`.
    """
    for encoding in reversed(encodings):
        decoded = _decode(body, encoding)
        if decoded is None:
            return None
        body = decoded
    return body


def canonical_json(body: bytes) -> str | None:
    """Return an object or list as JSON text with sorted keys and no spaces, else ``None``.

    Numbers that JSON does not have, lone words and texts beyond :data:`MAX_JSON` are no JSON here.
    """
    start = body[:64].lstrip(b" \t\r\n\xef\xbb\xbf")[:1]
    if start not in {b"{", b"["} or len(body) > MAX_JSON:
        return None
    try:
        value = _decoder.decode(body.decode(json.detect_encoding(body), "surrogatepass"))
        return _encoder.encode(value)
    except (ValueError, RecursionError):
        return None


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON")


_decoder: Final = json.JSONDecoder(parse_constant=_refuse)
_encoder: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


def _decode(body: bytes, encoding: str) -> bytes | None:
    if encoding in {"gzip", "x-gzip"}:
        return _inflate(body, zlib.MAX_WBITS | 16)
    if encoding == "deflate":
        zlib_wrapped = _inflate(body, zlib.MAX_WBITS)
        return zlib_wrapped if zlib_wrapped is not None else _inflate(body, -zlib.MAX_WBITS)
    if encoding == "br":
        return _unbrotli(body)
    if encoding == "zstd":
        return _unzstd(body)
    return None


def _inflate(body: bytes, window: int) -> bytes | None:
    decoder = zlib.decompressobj(window)
    try:
        decoded = decoder.decompress(body, MAX_DECODED + 1)
    except zlib.error:
        return None
    return decoded if decoder.eof and len(decoded) <= MAX_DECODED else None


def _unbrotli(body: bytes) -> bytes | None:
    import brotli

    decoder = brotli.Decompressor()
    parts: list[bytes] = []
    size = 0
    try:
        for start in range(0, len(body), _BROTLI_STEP):
            parts.append(decoder.process(body[start : start + _BROTLI_STEP]))
            size += len(parts[-1])
            if size > MAX_DECODED:
                return None
        return b"".join(parts) if decoder.is_finished() else None
    except brotli.error:
        return None


def _unzstd(body: bytes) -> bytes | None:
    import zstandard

    try:
        with zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(body) as reader:
            decoded = reader.read(MAX_DECODED + 1)
    except zstandard.ZstdError:
        return None
    return decoded if len(decoded) <= MAX_DECODED else None
