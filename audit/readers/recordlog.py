"""Logs whose records are no lines of their own kind: journald's export, and CSV.

journald export: ``NAME=value`` lines, or ``NAME``, a little-endian length of eight bytes and that
many bytes; an empty line ends an entry (systemd.io, Journal Export Formats).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from audit.readers.logline import LineFormat, Parsed, from_record
from audit.readers.logtime import TimeReader

MAX_ENTRY: Final = 4 << 20
"""Bytes of one entry of a journal; journald itself keeps less of a line."""
_FIELD: Final = re.compile(rb"[A-Z_][A-Z0-9_]{0,63}=")
_NAME: Final = re.compile(rb"[A-Z_][A-Z0-9_]{0,63}\Z")
_KEPT: Final = frozenset(
    ["MESSAGE", "_HOSTNAME", "__REALTIME_TIMESTAMP", "SYSLOG_IDENTIFIER", "_CMDLINE"]
)


def is_export(head: bytes) -> bool:
    """Whether a file begins as an export of journald does."""
    return bool(re.match(rb"(?:__CURSOR|__REALTIME_TIMESTAMP)=", head.lstrip(b"\n")))


def journald_blocks(pieces: Iterable[bytes]) -> Iterator[dict[str, object] | None]:
    """Yield the entries of an export; ``None`` for one that cannot be read, or is cut."""
    entry: dict[str, object] | None = {}
    data, at = b"", 0
    for piece in pieces:
        data, at = data[at:] + piece, 0
        while True:
            taken, entry, done = _field(data, at, entry)
            if taken == 0:
                break
            at += taken
            if done and entry != {}:
                yield entry
            if done:
                entry = {}
        if len(data) - at > MAX_ENTRY:
            line = data.rfind(b"\n", at) + 1
            at, entry = line or len(data) - 1, None  # of a line without end its last byte stays
    if len(data) > at:
        entry = None
    if entry != {}:
        yield entry


def _field(
    data: bytes, at: int, entry: dict[str, object] | None
) -> tuple[int, dict[str, object] | None, bool]:
    """Take one field: bytes taken (0: more are needed), the entry, whether it is at its end."""
    end = data.find(b"\n", at)
    if end < 0:
        return 0, entry, False
    line, taken = data[at:end], end + 1 - at
    if not line:
        return 1, entry, True
    if _FIELD.match(line):
        name, _, value = line.partition(b"=")
        return taken, _put(entry, name, value), False
    if _NAME.match(line):
        size = int.from_bytes(data[end + 1 : end + 9], "little")
        if size > MAX_ENTRY:
            return taken, None, False
        if len(data) < end + 10 + size:
            return 0, entry, False
        value = data[end + 9 : end + 9 + size]
        return taken + 9 + size, _put(entry, line, value), False
    return taken, None, False


def _put(entry: dict[str, object] | None, name: bytes, value: bytes) -> dict[str, object] | None:
    key = name.decode("ascii")
    if entry is not None and (key in _KEPT or not key.startswith("_")):
        numbers = key.startswith("__")
        entry[key] = value.decode("latin-1") if numbers or key == "_HOSTNAME" else value
    return entry


HEADER: Final = Parsed(ts=None, why="it is the header")
"""Stands for the line that names the columns."""


def csv_format(columns: Sequence[str], sample: Sequence[bytes]) -> LineFormat:
    """Return the format of comma-separated lines; without ``columns`` the first line names them."""
    names = list(columns)
    header = b""
    if not names and sample:
        header = sample[0]
        names = next(csv.reader([header.decode("utf-8", "replace").strip("\ufeff\r")]), [])

    def parse(line: bytes, times: TimeReader) -> Parsed | None:
        if header and line == header.rstrip(b"\r"):
            return HEADER
        try:
            found = next(csv.reader([line.decode("utf-8", "surrogateescape")], strict=True))
        except (csv.Error, StopIteration):
            return None
        if len(found) != len(names):
            return None
        return from_record(dict(zip(names, found, strict=True)), times)

    return LineFormat(name="CSV of these columns", dataset="csv", parse=parse)
