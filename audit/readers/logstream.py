"""Log files as blocks of whole lines: plain or packed, of any length, in flat memory.

Lines end with LF alone, so that numbers are those that ``sed -n Np`` counts.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, cast

import zstandard

BLOCK: Final = 1 << 20
"""Bytes read at once."""
MAX_LINE: Final = 1 << 20
"""Bytes of one line; what is longer is looked through, but no line."""
MAX_BYTES: Final = 64 << 30
"""Bytes of one file, unpacked, that are read (64 GiB)."""
_MAGICS: Final = (
    (b"\x1f\x8b", "gz"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zst"),
)
"""First bytes -> how the file is packed (RFC 1952, bzip2, xz 1.1, RFC 8878)."""


@dataclass(frozen=True, slots=True)
class LineBlock:
    """Some whole lines, each with its end, but for the last one of a file and for overlong ones."""

    data: bytes
    first: int
    """Number of the first line, 1-based."""
    offset: int
    """Offset of the first byte in the unpacked file."""
    overlong: bool = False
    """Whether this is a piece of a line that is longer than :data:`MAX_LINE`."""


@dataclass(slots=True)
class LogStream:
    """One log file, read once from beginning to end."""

    path: Path
    size: int = 0
    """Bytes as the file lies there, so far."""
    lines: int = 0
    problem: str | None = None
    """Why the file was not read to its end; ``None``: it was."""
    _digest: Any = field(default_factory=hashlib.sha256)

    @property
    def sha256(self) -> str | None:
        """Digest of the file as it lies there; ``None`` where it was not read to its end."""
        return None if self.problem else str(self._digest.hexdigest())

    def blocks(self) -> Iterator[LineBlock]:
        """Yield the file's lines; sets :attr:`problem` where reading ends before the file does."""
        rest, offset, over = b"", 0, False
        for piece in self._pieces():
            if over:  # inside of a line that was given up
                end = piece.find(b"\n")
                cut = len(piece) if end < 0 else end + 1
                yield LineBlock(piece[:cut], self.lines, offset, overlong=True)
                offset += cut
                piece = piece[cut:]  # noqa: PLW2901 - the rest of it
                over = end < 0
                if not piece:
                    continue
            data = rest + piece if rest else piece
            end = data.rfind(b"\n") + 1
            if end:
                yield self._block(data[:end], offset)
                offset += end
            rest = data[end:]
            if len(rest) > MAX_LINE:
                self.lines += 1
                yield LineBlock(rest, self.lines, offset, overlong=True)
                offset, rest, over = offset + len(rest), b"", True
        if rest:
            yield self._block(rest, offset)

    def _block(self, data: bytes, offset: int) -> LineBlock:
        block = LineBlock(data, self.lines + 1, offset)
        self.lines += data.count(b"\n") + (not data.endswith(b"\n"))
        return block

    def _pieces(self) -> Iterator[bytes]:
        taken = 0
        try:
            with self.path.open("rb") as file:
                source = _Counting(file, self)
                opened = _opened(source, file.peek(8)[:8])
                while data := opened.read(BLOCK):
                    taken += len(data)
                    if taken > MAX_BYTES:
                        self.problem = f"it holds more than {MAX_BYTES} bytes, the rest is not read"
                        return
                    yield data
                while source.read(BLOCK):  # what lies behind the packed data, for the digest
                    pass
        except EOFError:
            self.problem = "it ends in the middle of its packed data"
        except (zlib.error, lzma.LZMAError, ValueError) as error:
            self.problem = f"its packed data are damaged: {error}"
        except OSError as error:
            self.problem = f"it cannot be read: {error.strerror or error}"


class _Counting:
    """A file that counts and digests what is read of it."""

    def __init__(self, file: IO[bytes], stream: LogStream) -> None:
        self._file = file
        self._stream = stream

    def read(self, count: int = -1) -> bytes:
        data = self._file.read(count)
        self._stream.size += len(data)
        self._stream._digest.update(data)  # noqa: SLF001 - its own reader
        return data

    def seekable(self) -> bool:
        return False

    def readable(self) -> bool:
        return True

    @property
    def closed(self) -> bool:
        return False


class _Zstandard:
    """Frames of zstandard one behind the other; a cut one ends in ``EOFError``."""

    def __init__(self, source: _Counting) -> None:
        self._make = zstandard.ZstdDecompressor(max_window_size=1 << 27)
        self._source, self._frame, self._left = source, None, b""

    def read(self, _count: int) -> bytes:
        while True:
            data = self._left or self._source.read(1 << 16)
            self._left = b""
            if not data:
                if self._frame is not None:
                    raise EOFError
                return b""
            frame: Any = self._frame or self._make.decompressobj()
            try:
                found = cast("bytes", frame.decompress(data))
            except zstandard.ZstdError as error:
                raise ValueError(str(error)) from None
            self._left = frame.unused_data if frame.eof else b""
            self._frame = None if frame.eof else frame
            if found:
                return found


def _opened(source: _Counting, head: bytes) -> Any:
    packed = packing_of(head)
    if packed == "gz":
        return gzip.GzipFile(fileobj=cast("Any", source), mode="rb")
    if packed == "bz2":
        return bz2.BZ2File(cast("Any", source))
    if packed == "xz":
        return lzma.LZMAFile(cast("Any", source))
    return _Zstandard(source) if packed == "zst" else source


def packing_of(head: bytes) -> str | None:
    """Return how a file with these first bytes is packed; ``None``: not."""
    return next((name for magic, name in _MAGICS if head.startswith(magic)), None)
