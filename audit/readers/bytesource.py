"""Bytes of a capture file by offset: a plain file as it lies, a gzipped one spooled to disk."""

from __future__ import annotations

import os
import tempfile
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Final, Self

import numpy as np

from audit.errors import CaptureError
from audit.readers.recordchunk import TAIL, Bytes

GZIP_MAGIC: Final = b"\x1f\x8b"
INFLATED_LIMIT: Final = 64 << 30
"""Bytes a gzipped capture may inflate to (64 GiB); what is beyond is reported, not read."""
_STEP: Final = 1 << 20


class ByteSource:
    """Random access to the bytes of one file; memory does not grow with the file.

    Raises :class:`CaptureError` on construction where the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self.truncated: list[str] = []
        """What could not be read of a gzipped file, a sentence each."""
        with ExitStack() as stack:
            try:
                file: IO[bytes] = stack.enter_context(path.open("rb"))
                if file.read(2) == GZIP_MAGIC:
                    file.seek(0)
                    file = stack.enter_context(self._inflated(file))
                self._fd = file.fileno()
                self.size = os.fstat(self._fd).st_size
                os.pread(self._fd, 1, 0)
            except OSError as error:
                raise CaptureError(
                    f"the capture cannot be read: {error.strerror or error}", source=str(path)
                ) from None
            self._stack = stack.pop_all()

    def read(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``; fewer only at the end of the file."""
        data = os.pread(self._fd, length, offset)
        while len(data) < length:
            more = os.pread(self._fd, length - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data

    def array(self, offset: int, length: int, into: Bytes | None = None) -> Bytes:
        """Return the same with ``TAIL`` zero bytes behind; in ``into`` where that has the size."""
        length = min(length, max(self.size - offset, 0))
        if into is None or len(into) != length + TAIL:
            into = np.empty(length + TAIL, dtype=np.uint8)
        view, done = into.data[:length], 0
        while done < length:
            count = os.preadv(self._fd, [view[done:]], offset + done)
            if not count:  # the file has become shorter
                return np.append(into[:done], np.zeros(TAIL, dtype=np.uint8))
            done += count
        into[length:] = 0
        return into

    def close(self) -> None:
        """Close the file and remove the spooled copy."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _inflated(self, file: IO[bytes]) -> IO[bytes]:
        spool: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the ExitStack
        written = 0
        try:
            decoder = zlib.decompressobj(31)
            data = file.read(_STEP)
            while data and written < INFLATED_LIMIT:
                piece = decoder.decompress(data, _STEP)
                written += spool.write(piece)
                data = decoder.unconsumed_tail or decoder.unused_data
                if decoder.eof and data:
                    decoder = zlib.decompressobj(31)
                data = data or file.read(_STEP)
            written += spool.write(decoder.flush())
            if data:
                self.truncated.append(f"{self.name} inflates to more than {INFLATED_LIMIT} bytes")
            elif not decoder.eof:
                self.truncated.append(f"{self.name} ends in the middle of its gzip stream")
        except zlib.error as error:
            self.truncated.append(f"{self.name} is damaged gzip after {written} bytes: {error}")
        spool.flush()
        return spool
