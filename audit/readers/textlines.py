"""Files of text as lines with their numbers, gzipped or not, within bounds.

Lines end with LF alone (a CR before it is dropped): any other separator, and NUL, stays in its
line, so that numbers are those that ``sed -n Np`` counts.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, cast

from audit.errors import CaptureError
from audit.tables.extract import Extract

MAX_BYTES: Final = 256 * 2**20
"""Bytes of one file, unpacked, that are read."""
MAX_LINE: Final = 64 * 2**10
"""Bytes of one line; a longer one was written by no device."""
MAX_LINES: Final = 1_000_000
_SHOWN: Final = 10
_GZIP: Final = b"\x1f\x8b"
_ZLIB: Final = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_BOM: Final = b"\xef\xbb\xbf"


class LineProblems:
    """Lines that could not be read, told one by one up to a number, and counted."""

    def __init__(self, file: str, extract: Extract) -> None:
        self.file = file
        self.count = 0
        self.first = ""
        self._truncated = extract.truncated

    def add(self, number: int, why: str) -> None:
        """Note a line that was left out."""
        self.count += 1
        said = f"{self.file}#{number}: line not read: {why}"
        self.first = self.first or said
        if self.count <= _SHOWN:
            self._truncated.append(said)

    def finish(self, *, rows: int) -> None:
        """Count what was not named; raises :class:`CaptureError` where nothing at all was read."""
        if self.count and not rows:
            raise CaptureError(f"no line of the file could be read: {self.first}", source=self.file)
        if self.count > _SHOWN:
            self._truncated.append(f"{self.file}: {self.count} lines were not read in all")


def text_lines(path: Path, problems: LineProblems, extract: Extract) -> Iterator[tuple[int, bytes]]:
    """Yield number and bytes of every line that is not blank.

    Raises :class:`CaptureError` for a file that cannot be opened. What a bound or a damaged end of
    compressed data cut stands in ``extract.truncated``.
    """
    file, taken = problems.file, 0
    try:
        with _opened(path) as source:
            for number in range(1, MAX_LINES + 2):
                line = source.readline(MAX_LINE + 1)
                taken += len(line)
                if not line:
                    return
                if number > MAX_LINES or taken > MAX_BYTES:
                    extract.truncated.append(f"{file} was read to line {number - 1}: it is too big")
                    return
                if len(line) > MAX_LINE and not line.endswith(b"\n"):
                    taken += _skip(source, MAX_BYTES - taken)
                    problems.add(number, f"it is longer than {MAX_LINE} bytes")
                    continue
                line = line.removesuffix(b"\n").removesuffix(b"\r")
                line = line.removeprefix(_BOM) if number == 1 else line
                if line.strip():
                    yield number, line
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        extract.truncated.append(f"{file} ends in damaged compressed data: {error}")
    except OSError as error:
        raise CaptureError(f"the file cannot be read: {error.strerror}", source=file) from None


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        is_packed = file.read(2) == _GZIP
    return cast("IO[bytes]", gzip.open(path, "rb")) if is_packed else path.open("rb")


def _skip(source: IO[bytes], most: int) -> int:
    """Pass over the rest of a line; return how many bytes it had."""
    passed = 0
    while passed <= most:
        part = source.readline(MAX_LINE)
        passed += len(part)
        if not part or part.endswith(b"\n"):
            break
    return passed


def whole_file(path: Path, file: str, limit: int = MAX_BYTES) -> bytes:
    """Return a file's bytes, gzip or zlib undone.

    Raises :class:`CaptureError` for a file that cannot be read, is packed and damaged, or is longer
    than ``limit``.
    """
    try:
        with path.open("rb") as source:
            data = source.read(limit + 1)
    except OSError as error:
        raise CaptureError(f"the file cannot be read: {error.strerror}", source=file) from None
    window = _window(data)
    if window is not None:
        unpacker = zlib.decompressobj(window)
        try:
            data = unpacker.decompress(data, limit + 1)
        except zlib.error as error:
            raise CaptureError(f"its compressed data are damaged: {error}", source=file) from None
        if not unpacker.eof and len(data) <= limit:
            raise CaptureError("it ends in the middle of compressed data", source=file)
    if len(data) > limit:
        raise CaptureError(f"the file is larger than {limit} bytes", source=file)
    return data


def first_bytes(path: Path, count: int) -> bytes:
    """Return the first bytes of a file, gzip or zlib undone as far as possible.

    Raises ``OSError``.
    """
    with path.open("rb") as source:
        data = source.read(count)
    window = _window(data)
    if window is None:
        return data.removeprefix(_BOM)
    try:
        return zlib.decompressobj(window).decompress(data, count).removeprefix(_BOM)
    except zlib.error:
        return data


def _window(data: bytes) -> int | None:
    """Return the ``wbits`` of :mod:`zlib` for packed data; ``None``: not packed."""
    if data.startswith(_GZIP):
        return 31
    return 15 if data.startswith(_ZLIB) else None
