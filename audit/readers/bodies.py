"""Content codings of HTTP bodies (RFC 9110 §8.4) undone within a bound, and JSON made canonical."""

from __future__ import annotations

import json
import zlib
from typing import Final

MAX_DECODED: Final = 16 * 2**20
"""Bytes that a body may grow to; a longer one is no JSON to the tables."""
MAX_JSON: Final = 8 * 2**20
"""Bytes of JSON that are parsed into a column."""
_BROTLI_STEP: Final = 256


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
        value = json.loads(body, parse_constant=_refuse)
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (ValueError, RecursionError):
        return None


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON")


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
