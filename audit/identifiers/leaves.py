"""Every single value that captured bytes hold, with the path to it.

The decoders and structures are those of the search (:mod:`audit.identifiers.frames`,
:mod:`audit.identifiers.compression`): declared and sniffed compression, JSON, forms, multipart,
protocol buffers by field number, MessagePack, CBOR, JSON Web Tokens, base64 of any of these.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from audit.identifiers.binary import Leaf
from audit.identifiers.compression import INFLATERS, decode_declared
from audit.identifiers.frames import BINARY, Frame, find_frame
from audit.identifiers.piece import Budget, Piece
from audit.identifiers.text import is_text

MAX_NESTED: Final = 5
"""Structures and encodings inside one another that are opened."""
LONGEST: Final = 4096
"""Characters of a value; what is longer is content, no identifier."""
LONGEST_BYTES: Final = 128
"""Bytes of a value that is no text."""
MAX_LEAVES: Final = 50_000
"""Values of one payload."""
LARGEST: Final = 8 << 20
"""Bytes of one payload, decoded, that are taken apart."""
_MAGIC: Final = ((b"\x1f\x8b\x08", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"\x78", "zlib"))
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")
_JWT: Final = re.compile(rb"(eyJ[\w-]{8,})\.([\w-]{8,})\.[\w-]*")
_URL: Final = str.maketrans("-_", "+/")


@dataclass(frozen=True, slots=True)
class FieldValue:
    """One value."""

    path: str
    """JSON path, key, field number ...; ``''``: the payload itself."""
    text: str
    """The value as text; bytes that are none as hexadecimal digits."""
    is_name: bool = False
    """Whether it is the name of a field."""


class Cut:
    """Says whether something was left out."""

    def __init__(self) -> None:
        self.reasons: dict[str, None] = {}


def leaves_of(
    data: bytes, encodings: tuple[str, ...] = (), hint: str = "", cut: Cut | None = None
) -> Iterator[FieldValue]:
    """Yield every value of some bytes, in bounded steps; ``cut`` takes what a bound left out."""
    cut = cut or Cut()
    if encodings:
        opened = decode_declared(Piece(data), encodings)
        data = opened.data if opened is not None else data
    if len(data) > LARGEST:
        cut.reasons["a body is too large to be taken apart into values"] = None
        return
    for number, value in enumerate(_open(data, hint, "", 0)):
        if number >= MAX_LEAVES:
            cut.reasons["a body holds more values than are compared"] = None
            return
        yield value


def _open(data: bytes, hint: str, path: str, depth: int) -> Iterator[FieldValue]:
    if not data or depth > MAX_NESTED:
        return
    for magic, name in _MAGIC:
        if data.startswith(magic):
            done = INFLATERS[name](data, 0, Budget().allowed(len(data)))
            if done is not None and done.complete:
                yield from _open(done.data[:LARGEST], "", path, depth + 1)
                return
    frame = find_frame(data, hint)
    if frame is not None and frame.leaves and _is_apt(frame, data):
        yield from _of_frame(frame, data, path, depth)
        return
    yield from _single(data, path, depth)


def _is_apt(frame: Frame, data: bytes) -> bool:
    """Whether a structure is more than chance: a short number reads as protocol buffers too."""
    if frame.name not in BINARY or frame.name == "multipart":
        return True
    return len(data) >= 8 or any(leaf.type in ("text", "key") for leaf in frame.leaves)


def _of_frame(frame: Frame, data: bytes, path: str, depth: int) -> Iterator[FieldValue]:
    for leaf in frame.leaves:
        inner = data[leaf.start : leaf.end]
        here = f"{path} > {leaf.path}" if path else leaf.path
        if leaf.type == "head":
            continue
        if leaf.type == "key":
            yield FieldValue(here, _text(inner), is_name=True)
        elif leaf.type == "number":
            yield FieldValue(here, _number(frame, leaf, inner))
        elif frame.name == "form":
            decoded = unquote_to_bytes(inner.replace(b"+", b" "))
            yield from _open(decoded, "", here, depth + 1)
        elif frame.name == "json":
            yield from _open(_unescaped(inner), "", here, depth + 1)
        else:
            yield from _open(inner, "", here, depth + 1)


def _number(frame: Frame, leaf: Leaf, data: bytes) -> str:
    if frame.name == "json":
        return _text(data)
    if frame.name == "protobuf":
        if leaf.end - leaf.start in (4, 8) and not _is_varint(data):
            return str(int.from_bytes(data, "little"))
        return str(sum((byte & 0x7F) << 7 * at for at, byte in enumerate(data)))
    return str(int.from_bytes(data, "big"))


def _is_varint(data: bytes) -> bool:
    return all(byte & 0x80 for byte in data[:-1]) and data[-1] < 0x80


def _unescaped(data: bytes) -> bytes:
    if b"\\" not in data:
        return data
    try:
        text = json.loads(b'"' + data + b'"', strict=False)
    except ValueError:
        return data
    return str(text).encode("utf-8", "surrogatepass")


def _single(data: bytes, path: str, depth: int) -> Iterator[FieldValue]:
    """Yield a field that has no structure of its own, or what its encoding hides."""
    if len(data) > LONGEST:
        return
    bare = data.strip()
    token = _JWT.fullmatch(bare)
    if token:
        for name, part in (("jwt.header", token[1]), ("jwt.payload", token[2])):
            decoded = _decoded(part)
            if decoded is not None:
                yield from _open(decoded, "json", f"{path} > {name}".strip(" >"), depth + 1)
        return
    if b"%" in bare:
        plain = unquote_to_bytes(bare)
        if plain != bare and is_text(plain):
            yield from _open(plain, "", path, depth + 1)
            return
    if _BASE64.fullmatch(bare):
        decoded = _decoded(bare)
        if decoded is not None and _tells_more(decoded):
            yield from _open(decoded, "", f"{path} > base64".strip(" >"), depth + 1)
            return
    if is_text(bare):
        yield FieldValue(path, _text(bare))
    elif len(data) <= LONGEST_BYTES:
        yield FieldValue(path, data.hex())


def _decoded(data: bytes) -> bytes | None:
    text = data.decode("ascii").rstrip("=").translate(_URL)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _tells_more(decoded: bytes) -> bool:
    """Whether base64 hides something with a structure, or plain text."""
    if decoded.startswith(tuple(magic for magic, _ in _MAGIC[:2])):
        return True
    if not is_text(decoded) or not decoded.isascii():
        return False
    return decoded[:1] in b"{[" or len(decoded) >= 12


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")[:LONGEST]
