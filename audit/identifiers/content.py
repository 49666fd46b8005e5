"""What captured bytes are once had: readable, mixed, opaque or empty (design §4).

Opaque is what no decoder explains and what looks random; mixed is a readable frame with an opaque
field in it. Fields up to the size of a key or a signature (64 bytes) do not count: nearly every
message holds some.
"""

from __future__ import annotations

import binascii
import math
import re
from collections import Counter
from functools import cache
from typing import Final

from audit.identifiers import compression, frames
from audit.identifiers.piece import Budget, Piece
from audit.identifiers.text import PRINTABLE, is_text
from audit.tables.vocabulary import Content

LARGEST_KEY: Final = 64
"""Bytes up to which a random field is taken for a key, digest or signature (Ed25519: 64)."""
MAX_LAYERS: Final = 6
"""Containers inside one another that are opened."""
SAMPLE: Final = 1 << 16
"""Bytes of a field whose letters are counted."""
WINDOW: Final = 256
"""Bytes whose letters are counted together: a shorter random stretch is at most a key."""
SHORTEST: Final = 16
"""Bytes under which only the number of different ones is looked at."""
SLACK: Final = 0.35
"""Bits by which the entropy of random bytes may lie under its mean: about ten deviations at 256
bytes, three at 64."""
SHORTEST_TEXT: Final = 4
"""Bytes of a readable field from which it is no chance."""
LARGEST_PARSED: Final = 96
"""Bytes up to which random ones parse as a binary format now and then."""
MAX_FIELDS: Final = 20_000
"""Fields of one body that are judged."""

_MEDIA: Final = (
    b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"OggS", b"fLaC", b"ID3", b"wOFF",
    b"wOF2", b"\x00\x00\x01\x00", b"%PDF-", b"\x1aE\xdf\xa3", b"\x7fELF", b"\x00asm", b"Rar!\x1a",
    b"\x00\x01\x00\x00", b"OTTO", b"II*\x00", b"MM\x00*", b"BZh", b"\xfd7zXZ\x00", b"7z\xbc\xaf",
)  # fmt: skip
"""First bytes of formats that everybody can open: images, sound, fonts, documents, archives."""
_HEADS: Final = (
    ((b"PK\x03\x04",), compression.decode_zip),
    ((b"\x1f\x8b\x08",), compression.decode_gzip),
    ((b"\x28\xb5\x2f\xfd",), compression.decode_zstd),
    ((b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"), compression.decode_zlib),
)
_RUN: Final = re.compile(rb"[A-Za-z0-9+/_-]{87,}={0,2}")
_LETTERS: Final = bytes(
    1 if (chr(byte).isalnum() and byte < 128) or chr(byte) in "+/_-" else 0 for byte in range(256)
)
_LONG_RUN: Final = b"\1" * 87
_PRINTED: Final = bytes(1 if byte in PRINTABLE else 0 for byte in range(256))
_LONG_TEXT: Final = b"\1" * 16
_SHARES: Final = (0.0, *(count * math.log2(count) for count in range(1, WINDOW + 1)))
"""n log2 n: the entropy of a block is log2 of its size less the mean of these over its bytes."""
_HEX: Final = re.compile(rb"[0-9A-Fa-f]+\Z")
_URL: Final = bytes.maketrans(b"-_", b"+/")
_RANK: Final[dict[Content, int]] = {"empty": 0, "readable": 1, "mixed": 2, "opaque": 3}


def classify_content(
    data: bytes, *, content_encoding: tuple[str, ...] = (), content_type: str | None = None
) -> Content:
    """Judge the content of a body, message or stream."""
    if not data:
        return "empty"
    piece = Piece(data, field=True)
    piece.hint = (content_type or "").lower()
    if content_encoding:
        opened = compression.decode_declared(piece, content_encoding)
        if opened is not None:
            piece = opened
    return _judge(piece.data, piece.hint, 0, Budget())


def _judge(data: bytes, hint: str, layer: int, budget: Budget) -> Content:
    if not data:
        return "empty"
    if not budget.spend(len(data)) or layer > MAX_LAYERS:
        return "opaque"
    if data.startswith(_MEDIA) or data[4:8] == b"ftyp":
        return "readable"
    if is_text(data):
        return _judge_text(data, layer, budget)
    piece = Piece(data, field=True)
    piece.budget = budget
    inner = [_judge(content, "", layer + 1, budget) for content in _contents(piece)]
    if inner:
        worst = max(inner, key=_RANK.__getitem__)
        return worst if len(inner) == 1 or worst != "opaque" else "mixed"
    frame = frames.find_frame(data, hint)
    if frame is not None and _plausible(frame, data):
        return _judge_fields(frame, data, layer, budget)
    return _judge_binary(data)


def _contents(piece: Piece) -> list[bytes]:
    """Return what a piece holds that is compressed as a whole."""
    data = piece.data
    for heads, decoder in _HEADS:
        if data.startswith(heads):
            found = [child.data for child in decoder(piece, (0,)) if child.end >= len(data) - 8]
            if found:
                return found
    return [child.data for child in compression.decode_headerless(piece)]


def _judge_text(data: bytes, layer: int, budget: Budget) -> Content:
    worst: Content = "readable"
    if len(data) < len(_LONG_RUN) or _LONG_RUN not in data.translate(_LETTERS):
        return worst
    for count, match in enumerate(_RUN.finditer(data)):
        text = match[0].rstrip(b"=")
        if count >= MAX_FIELDS:
            return "mixed"
        if (
            data[match.end() : match.end() + 1] == b"."
            or data[match.start() - 1 : match.start()] == b"."
        ):
            continue  # parts of a JWT and its signature
        if _HEX.match(text):
            decoded = bytes.fromhex(text[: len(text) & ~1].decode("ascii"))
        else:
            length = len(text) - (len(text) % 4 == 1)
            decoded = binascii.a2b_base64(text[:length].translate(_URL) + b"==")
        if len(decoded) > LARGEST_KEY and _looks_like_text(text) is False:
            inner = _judge(decoded, "", layer + 1, budget)
            if inner in ("mixed", "opaque"):
                worst = "opaque" if match.end() - match.start() >= len(data.strip()) else "mixed"
    return worst


def _looks_like_text(run: bytes) -> bool:
    """Whether a run of letters is a path or a long name rather than encoded bytes."""
    separators = sum(run.count(mark) for mark in (b"/", b"-", b"_"))
    return separators * 12 > len(run) and not any(char in run for char in b"+=")


def _judge_fields(frame: frames.Frame, data: bytes, layer: int, budget: Budget) -> Content:
    worst: Content = "readable"
    for leaf in frame.leaves[:MAX_FIELDS]:
        size = leaf.end - leaf.start
        if leaf.type in ("key", "head", "number") or size == 0:
            continue
        content = data[leaf.start : leaf.end]
        if is_text(content):
            inner = _judge_text(content, layer + 1, budget)
        elif size <= LARGEST_KEY or size == len(data):
            continue
        else:
            inner = _judge(content, "", layer + 1, budget)
        if _RANK[inner] > _RANK[worst]:
            worst = "mixed"
    if worst == "mixed" and _readable_share(frame, data) == 0:
        return "opaque"
    return worst


def _readable_share(frame: frames.Frame, data: bytes) -> int:
    return sum(
        leaf.end - leaf.start
        for leaf in frame.leaves
        if leaf.type in ("number", "key")
        or (leaf.type in ("text", "bytes") and is_text(data[leaf.start : leaf.end]))
    )


def _plausible(frame: frames.Frame, data: bytes) -> bool:
    """Whether bytes that parse as a binary format are so by more than chance."""
    if any(
        leaf.end - leaf.start >= SHORTEST_TEXT
        and leaf.type != "number"
        and is_text(data[leaf.start : leaf.end])
        for leaf in frame.leaves
    ):
        return True
    return frame.name == "multipart" or len(data) > LARGEST_PARSED or not _is_random(data)


def _judge_binary(data: bytes) -> Content:
    """Judge bytes that no decoder explains: by how evenly their values are spread."""
    if not _is_random(data):
        return "readable"
    head = _LONG_TEXT in data[:SAMPLE].translate(_PRINTED)
    is_read = head or (len(data) > SAMPLE and _LONG_TEXT in data[-SAMPLE:].translate(_PRINTED))
    return "mixed" if is_read else "opaque"


def _is_random(data: bytes) -> bool:
    """Whether any stretch of the bytes has the entropy of random ones."""
    if len(data) < SHORTEST:
        return len(set(data)) * 4 > len(data) * 3
    for start in range(0, min(len(data), SAMPLE), WINDOW):
        block = data[start : start + WINDOW]
        if start and len(block) < LARGEST_KEY:
            break
        size = len(block)
        spread = sum(map(_SHARES.__getitem__, Counter(block).values()))
        if math.log2(size) - spread / size > _expected(size) - SLACK:
            return True
    return False


@cache
def _expected(size: int) -> float:
    """Return the mean entropy of ``size`` random bytes, as their counts show it, in bits.

    Each of the 256 values stands there as often as a Poisson variable of mean size / 256 says.
    """
    mean = size / 256
    total = 0.0
    weight = math.exp(-mean)
    for count in range(1, 40):
        weight *= mean / count
        total -= 256 * weight * count / size * math.log2(count / size)
    return total
