"""SQLite: copied with write-ahead log and journal, then opened, read only.

Opening a database in place may write beside it (``-shm``, ``-wal``, a journal rolled back), so that
nothing is opened where it lies. File layout: https://www.sqlite.org/fileformat2.html
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import quote

from audit.errors import CaptureError
from audit.readers.database_access import Column, Pace, ReadFile, Table, Values

MAGIC: Final = b"SQLite format 3\0"
COMPANIONS: Final = ("-wal", "-journal")
"""What may lie beside a database and holds pages of it."""
_STEP: Final = 1 << 20


class SqliteAccess:
    """One SQLite file, read from a copy."""

    system = "SQLite"
    utc_types: tuple[str, ...] = ()

    def __init__(self, path: Path) -> None:
        """Copy and open; raises :class:`CaptureError`."""
        self.limits: list[str] = []
        self._name = path.name
        self._folder = Path(tempfile.mkdtemp(prefix="audit-database-"))
        try:
            self.files = copy_database(path, self._folder)
            self._connection = self._open(self._folder / path.name)
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    def _open(self, copy: Path) -> sqlite3.Connection:
        try:
            # Once for the copy to take in its log or journal, then read only.
            with closing(sqlite3.connect(copy)) as once:
                once.execute("SELECT count(*) FROM sqlite_master").fetchone()
            address = f"file:{quote(str(copy))}?mode=ro"
            connection = sqlite3.connect(address, uri=True, check_same_thread=False)
            connection.execute("PRAGMA query_only=ON")
            connection.execute("PRAGMA trusted_schema=OFF")
            connection.text_factory = bytes
        except sqlite3.Error as error:
            raise self._problem(error) from None
        return connection

    def clock(self) -> None:
        """Say that a file has no clock of its own."""

    def tables(self) -> list[Table]:
        """Return every table, those of full-text search and the like included."""
        try:
            found = self._connection.execute(
                "SELECT name FROM sqlite_master WHERE type='table' ORDER BY name"
            ).fetchall()
            return [self._table(bytes(name).decode("utf-8", "replace")) for (name,) in found]
        except (sqlite3.Error, TypeError) as error:
            raise self._problem(error) from None

    def _table(self, name: str) -> Table:
        try:
            told = self._connection.execute(f"PRAGMA table_xinfo({quoted(name)})").fetchall()
        except sqlite3.Error as error:
            return Table(name=name, unreadable=str(error))
        columns = tuple(
            Column(name=_text(row[1]), type=_text(row[2]).lower()) for row in told if row[6] != 1
        )
        keyed = sorted((row[5], _text(row[1])) for row in told if row[5])
        return Table(name=name, columns=columns, key=tuple(column for _, column in keyed))

    def batches(self, table: Table, pace: Pace) -> Iterator[list[Values]]:
        """Yield the rows by their primary key; texts and blobs both as the bytes that lie there."""
        columns = ", ".join(quoted(column.name) for column in table.columns)
        order = ", ".join(quoted(column) for column in table.key)
        query = f"SELECT {columns} FROM {quoted(table.name)}"  # noqa: S608 - quoted names
        try:
            cursor = self._connection.execute(f"{query} ORDER BY {order}" if order else query)
            while rows := cursor.fetchmany(pace.rows):
                yield rows
        except (sqlite3.Error, OverflowError) as error:
            raise self._problem(error) from None

    def close(self) -> None:
        """Close, and remove the copy."""
        self._connection.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _problem(self, error: Exception) -> CaptureError:
        return CaptureError(f"SQLite cannot read it: {error}", source=self._name)


def copy_database(path: Path, folder: Path) -> tuple[ReadFile, ...]:
    """Copy a database and what lies beside it, and say what was copied.

    Raises :class:`CaptureError` for what is no SQLite file or cannot be read.
    """
    try:
        with path.open("rb") as file:
            start = file.read(len(MAGIC))
        if start and start != MAGIC:
            raise CaptureError("this is no SQLite file", source=path.name)
        found = [copy_file(path, folder / path.name)]
        for ending in COMPANIONS:
            beside = path.with_name(path.name + ending)
            if beside.is_file():
                found.append(copy_file(beside, folder / beside.name))
    except OSError as error:
        why = error.strerror or "it cannot be read"
        raise CaptureError(f"the database cannot be copied: {why}", source=path.name) from None
    return tuple(found)


def copy_file(path: Path, target: Path) -> ReadFile:
    """Copy one file and return its name, digest and size; raises :class:`CaptureError`."""
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as source, target.open("wb") as copy:
            before = path.stat()
            while data := source.read(_STEP):
                copy.write(data)
                digest.update(data)
                size += len(data)
            after = path.stat()
    except OSError as error:
        why = error.strerror or "it cannot be read"
        raise CaptureError(f"the database cannot be copied: {why}", source=path.name) from None
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
        raise CaptureError(
            "the database was written to while it was copied",
            source=path.name,
            hint="stop its writer, or take a snapshot or '.backup' of it",
        )
    return ReadFile(name=path.name, sha256=digest.hexdigest(), bytes=size)


def quoted(name: str) -> str:
    """Return a name as SQL quotes it."""
    return '"' + name.replace('"', '""') + '"'


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")
