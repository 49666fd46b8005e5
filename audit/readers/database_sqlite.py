"""SQLite: copied with write-ahead log and journal, then opened, read only.

Opening a database in place may write beside it (``-shm``, ``-wal``, a journal rolled back), so that
nothing is opened where it lies. File layout: https://www.sqlite.org/fileformat2.html
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
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
            self.files = copy_files(path, self._folder / path.name, COMPANIONS)
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


def copy_files(path: Path, target: Path, endings: Sequence[str]) -> tuple[ReadFile, ...]:
    """Copy a database and what lies beside it, and say what was copied.

    ``endings`` tell the files beside it by their names. Raises :class:`CaptureError` for what
    cannot be read, and where any of them was written to meanwhile: what one file hands on to
    another, already copied, would be in neither copy.
    """
    try:
        before = _states(path, endings)
        found = [
            _copy(path.with_name(path.name + ending), target.with_name(target.name + ending))
            for ending in before
        ]
        after = _states(path, endings)
    except OSError as error:
        why = error.strerror or "it cannot be read"
        raise CaptureError(f"the database cannot be copied: {why}", source=path.name) from None
    if before != after:
        raise CaptureError(
            "the database was written to while it was copied",
            source=path.name,
            hint="stop its writer, or take a snapshot or '.backup' of it",
        )
    return tuple(found)


def _states(path: Path, endings: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return ending of each file that is there -> when it was written to, and its size."""
    states = {}
    for ending in ("", *endings):
        file = path.with_name(path.name + ending)
        if not ending or file.is_file():
            state = file.stat()
            states[ending] = state.st_mtime_ns, state.st_size
    return states


def _copy(path: Path, target: Path) -> ReadFile:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as source, target.open("wb") as copy:
        while data := source.read(_STEP):
            copy.write(data)
            digest.update(data)
            size += len(data)
    return ReadFile(name=path.name, sha256=digest.hexdigest(), bytes=size)


def quoted(name: str) -> str:
    """Return a name as SQL quotes it."""
    return '"' + name.replace('"', '""') + '"'


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")
