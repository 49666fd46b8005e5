"""Compressed data: gzip, zlib, headerless deflate, Brotli, Zstandard and ZIP, bounded.

Formats: RFC 1950, 1951, 1952, 7932, 8878; ZIP: APPNOTE.TXT §4.3.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from audit.identifiers.gates import PACKED_FIRST
from audit.identifiers.piece import Budget, Piece

_GZIP: Final = b"\x1f\x8b\x08"
MAX_MEMBERS: Final = 2_000
"""Members of one ZIP, and compressed stretches inside one piece, that are opened."""
SMALL: Final = 64
"""Bytes under which Brotli is tried only behind the first byte that short data of it has."""
_BROTLI_CHUNK: Final = 32
"""Bytes of Brotli that are fed at once: a handful of them can end a block of 16 MiB (RFC 7932
§9.2), and the library cannot be stopped inside them."""
_SMALL_CHUNK: Final = 1 << 10


@dataclass(frozen=True, slots=True)
class Inflated:
    """What a decoder made."""

    data: bytes
    used: int
    """Encoded bytes that it took."""
    complete: bool
    """Whether the encoded data came to its own end."""
    cut: bool = False
    """Whether a bound stopped it."""
    partial: bool = False
    """Whether the encoded data ended, without an error, before its own end."""


def inflate(data: bytes, start: int, window: int, limit: int) -> Inflated | None:
    """Decompress gzip (``window`` 31), zlib (15) or headerless deflate (-15) from an offset."""
    decoder = zlib.decompressobj(window)
    view = memoryview(data)[start:]
    out: list[bytes] = []
    size = 0
    try:
        chunk = decoder.decompress(view, limit + 1)
        while chunk:
            out.append(chunk)
            size += len(chunk)
            if size > limit:
                return Inflated(b"".join(out)[:limit], len(view), False, cut=True)
            if decoder.eof:
                break
            chunk = decoder.decompress(decoder.unconsumed_tail, limit + 1 - size)
    except zlib.error:
        return None
    used = len(view) - len(decoder.unused_data)
    if not out and not decoder.eof:
        return None
    return Inflated(b"".join(out), used, decoder.eof, partial=not decoder.eof)


def inflate_gzip(data: bytes, start: int, limit: int) -> Inflated | None:
    """Decompress gzip, all members of it."""
    first = inflate(data, start, 31, limit)
    while first and first.complete and data[start + first.used :][:3] == _GZIP:
        more = inflate(data, start + first.used, 31, limit - len(first.data))
        if more is None:
            break
        first = Inflated(first.data + more.data, first.used + more.used, more.complete, more.cut)
    return first


def inflate_zstd(data: bytes, start: int, limit: int) -> Inflated | None:
    """Decompress one Zstandard frame.

    It is fed in small pieces: a block of 4 bytes gives up to 128 KiB (RFC 8878 §3.1.1.2), so that
    one piece gives at most :data:`MAX_OUTPUT` bytes, as the library cannot be stopped inside it.
    """
    import zstandard

    decoder = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
    out: list[bytes] = []
    size = 0
    try:
        for at in range(start, len(data), _SMALL_CHUNK):
            packed = data[at : at + _SMALL_CHUNK]
            chunk = decoder.decompress(packed)
            out.append(chunk)
            size += len(chunk)
            if size > limit:
                return Inflated(b"".join(out)[:limit], len(data) - start, False, cut=True)
            if decoder.eof:
                used = at + len(packed) - len(decoder.unused_data) - start
                return Inflated(b"".join(out), used, True)
    except zstandard.ZstdError:
        return None
    return Inflated(b"".join(out), len(data) - start, False, partial=True) if size else None


def inflate_brotli(data: bytes, start: int, limit: int) -> Inflated | None:
    """Decompress Brotli; whatever follows the stream makes it none."""
    import brotli

    decoder = brotli.Decompressor()
    out: list[bytes] = []
    size = 0
    try:
        for at in range(start, len(data), _BROTLI_CHUNK):
            chunk = decoder.process(data[at : at + _BROTLI_CHUNK])
            out.append(chunk)
            size += len(chunk)
            if size > limit:
                return Inflated(b"".join(out)[:limit], len(data) - start, False, cut=True)
    except brotli.error:
        return None
    finished = bool(decoder.is_finished())
    return Inflated(b"".join(out), len(data) - start, finished, partial=not finished)


def inflate_headerless(data: bytes, start: int, limit: int) -> Inflated | None:
    return inflate(data, start, -15, limit)


def inflate_zlib(data: bytes, start: int, limit: int) -> Inflated | None:
    return inflate(data, start, 15, limit)


Inflater = Callable[[bytes, int, int], Inflated | None]
"""(bytes, offset, most bytes to give) -> what came out; None: not of this format."""
INFLATERS: Final[dict[str, Inflater]] = {
    "gzip": inflate_gzip,
    "zlib": inflate_zlib,
    "deflate": inflate_headerless,
    "br": inflate_brotli,
    "zstd": inflate_zstd,
}
"""Name in chains -> decoder."""
CODINGS: Final[dict[str, tuple[str, ...]]] = {
    "gzip": ("gzip",),
    "x-gzip": ("gzip",),
    "deflate": ("zlib", "deflate"),
    "br": ("br",),
    "zstd": ("zstd",),
}
"""Content coding (RFC 9110 §8.4.1) -> decoders that may open it."""


def decode_declared(piece: Piece, codings: tuple[str, ...]) -> Piece | None:
    """Undo declared content codings, last applied first; None where they do not hold."""
    current = piece
    for coding in reversed(codings):
        name = coding.strip().lower()
        if name in ("identity", "", "aws-chunked"):
            continue
        opened = _open_declared(current, name)
        if opened is None:
            return None if current is piece else current
        current = opened
    return None if current is piece else current


def _open_declared(piece: Piece, name: str) -> Piece | None:
    for step in CODINGS.get(name, ()):
        done = INFLATERS[step](piece.data, 0, piece.budget.allowed(len(piece.data)))
        if done is not None and done.data:
            _note(piece.budget, done, name)
            if done.partial:
                piece.budget.cut[f"a body declared as {name} ends early"] = None
            return _child(piece, 0, done, step, end=len(piece.data))
    return None


def decode_gzip(piece: Piece, starts: Sequence[int]) -> Iterator[Piece]:
    """Open gzip wherever it begins, and what its header says."""
    if starts[0] == 0 and len(piece.data) > 10:
        yield from _gzip_names(piece)
    yield from _open_at(piece, starts, "gzip")


def decode_zlib(piece: Piece, starts: Sequence[int]) -> Iterator[Piece]:
    """Open zlib wherever it begins."""
    yield from _open_at(piece, starts, "zlib")


def decode_zstd(piece: Piece, starts: Sequence[int]) -> Iterator[Piece]:
    """Open Zstandard wherever it begins."""
    yield from _open_at(piece, starts, "zstd")


def _open_at(piece: Piece, starts: Sequence[int], step: str) -> Iterator[Piece]:
    data = piece.data
    if len(starts) > MAX_MEMBERS:
        piece.budget.cut["more compressed stretches in one payload than are opened"] = None
    after = 0
    for start in starts[:MAX_MEMBERS]:
        if start < after:
            continue
        done = INFLATERS[step](data, start, piece.budget.allowed(len(data) - start))
        if done is None or not (done.complete or done.cut or (done.partial and start == 0)):
            continue
        _note(piece.budget, done, step)
        if done.complete:
            after = start + done.used
            piece.covered = piece.covered or (start == 0 and done.used == len(data))
        yield _child(piece, start, done, step)


def _gzip_names(piece: Piece) -> Iterator[Piece]:
    """Yield what a gzip header holds besides its fixed part (RFC 1952 §2.3.1)."""
    flags = piece.data[3]
    if not flags & 0x1C:
        return
    at = 10
    if flags & 4:
        at += 2 + int.from_bytes(piece.data[10:12], "little")
    for flag in (8, 16):
        if flags & flag:
            at = piece.data.find(b"\0", at) + 1
    if at > 10:
        yield Piece(piece.data[10:at].strip(b"\0"), piece, 10, at, "gzip", field=True)


def decode_headerless(piece: Piece) -> Iterator[Piece]:
    """Try headerless deflate and Brotli on a whole field of bytes: nothing marks them."""
    data = piece.data
    if len(data) < 3:
        return
    if _may_be_deflate(data):
        yield from _try_whole(piece, "deflate")
    if len(data) >= SMALL or data[0] in PACKED_FIRST:
        yield from _try_whole(piece, "br")


def _may_be_deflate(data: bytes) -> bool:
    """Whether the first block can be one of deflate's (RFC 1951 §3.2.3, §3.2.4)."""
    kind = data[0] >> 1 & 3
    if kind == 0:
        size = int.from_bytes(data[1:3], "little")
        return len(data) >= 5 and size ^ 0xFFFF == int.from_bytes(data[3:5], "little")
    return kind == 1 or (kind == 2 and len(data) >= 12)


def _try_whole(piece: Piece, step: str) -> Iterator[Piece]:
    done = INFLATERS[step](piece.data, 0, piece.budget.allowed(len(piece.data)))
    if done is None or not done.data:
        return
    if done.cut or (done.complete and done.used == len(piece.data)):
        _note(piece.budget, done, step)
        yield _child(piece, 0, done, step)


def decode_zip(piece: Piece, starts: Sequence[int]) -> Iterator[Piece]:
    """Open the members of ZIP archives."""
    data = piece.data
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, RuntimeError, OverflowError):
        return
    start = starts[0]
    piece.covered = start == 0
    names = "\n".join(member.filename for member in members).encode("utf-8", "replace")
    told = [archive.comment, *(member.comment for member in members)]
    names = b"\n".join((names, *filter(None, told)))
    yield Piece(names, piece, start, len(data), "zip", field=True)
    if len(members) > MAX_MEMBERS:
        piece.budget.cut["more members in one ZIP than are opened"] = None
    for member in members[:MAX_MEMBERS]:
        limit = piece.budget.allowed(member.compress_size)
        try:
            with archive.open(member) as file:
                content = file.read(limit + 1)
        except RuntimeError:  # encrypted, or packed in a way that the library does not know
            piece.budget.cut["a member of a ZIP could not be opened"] = None
            continue
        except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, OSError):
            if piece.depth == 0:  # deeper, it may be damaged by the way it was read alone
                piece.budget.cut["a member of a ZIP could not be opened"] = None
            continue
        done = Inflated(content[:limit], len(data) - start, True, cut=len(content) > limit)
        _note(piece.budget, done, "zip")
        child = _child(piece, start, done, "zip", end=len(data))
        child.name = member.filename
        yield child


def _child(piece: Piece, start: int, done: Inflated, step: str, *, end: int | None = None) -> Piece:
    last = start + done.used if end is None else end
    return Piece(done.data, piece, start, last, step, field=True)


def _note(budget: Budget, done: Inflated, step: str) -> None:
    if done.cut:
        budget.cut[f"{step} data gives more bytes than are searched"] = None
