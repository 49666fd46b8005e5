"""A database's tables as evidence: rows with ages and identifiers, never the values themselves.

What could not be read, dated or understood is a row with the reason in ``unsure``.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path
from typing import Final

from audit.bundle.layout import SERVER
from audit.bundle.server import ReadItem, ServerPart
from audit.errors import CaptureError, UsageError
from audit.readers.database_access import Access, Pace, Table, is_file, path_of
from audit.readers.database_controls import missing_controls
from audit.readers.database_notes import TableNotes, left_elsewhere
from audit.readers.database_roles import Roles, copies_of, roles_of
from audit.readers.database_rows import TableRows
from audit.readers.database_search import CellSearch
from audit.readers.database_table import TableReader
from audit.readers.logtime import Clock, TimeReader
from audit.readers.providers import email_hash
from audit.readers.serverlogs import ServerOptions
from audit.tables.frames import Row
from audit.tables.reference import quoted_name
from audit.yamlfile.sources import SourceEntry

SKEW_S: Final = 300.0
"""Seconds that a database's clock may be away from ours before its ages are in doubt."""
MAX_TABLES: Final = 2_000


def read_database(entry: SourceEntry, options: ServerOptions, part: ServerPart) -> None:
    """Read the database that a source names, if it names one, into the part.

    Raises :class:`UsageError` for a database that is not there or cannot be opened.
    """
    database = database_of(entry)
    if database is None:
        return
    access = open_database(database, options.base)
    try:
        place = _free_place(f"{SERVER}/{entry.name or entry.role}", part)
        _DatabaseReader(entry, place, access, options, part).run()
    finally:
        access.close()
    part.missing = tuple(dict.fromkeys((*part.missing, *missing_controls())))


def _free_place(folder: str, part: ServerPart) -> str:
    """Return the name of a database in references, that of no other: with a number, if need be."""
    known = [item.name for item in part.items if item.kind in {"database", "table"}]
    places = chain([folder], (f"{folder}-{number}" for number in count(2)))
    return next(
        place for place in places if not any(name.startswith(f"{place}/") for name in known)
    )


def check_database(entry: SourceEntry, base: Path) -> None:
    """Refuse a database that is not there, and what has no effect on one, before anything is read.

    Raises :class:`UsageError`.
    """
    for option, is_set in (("patterns", entry.patterns), ("copy", entry.copy_files)):
        if is_set:
            raise UsageError(
                f"'{option}' has no effect on a database",
                source=entry.name or entry.role,
                hint="name its logs and files in a source of their own",
            )
    database = database_of(entry)
    if database is not None and is_file(database):
        _file_of(database, base)


def _file_of(database: str, base: Path) -> Path:
    path = base / path_of(database)
    if not path.is_file():
        raise UsageError(
            "there is no such database", source=path.name, hint="paths are relative to the file"
        )
    return path


def database_of(entry: SourceEntry) -> str | None:
    """Return path or URL of a source's database; ``None``: it has none.

    Raises :class:`UsageError` where the environment lacks the variable that is to hold it.
    """
    if entry.database_env is None:
        return entry.database
    found = os.environ.get(entry.database_env)
    if not found:
        raise UsageError(
            "the environment variable with the database's URL is not set",
            source=entry.database_env,
            hint=f"export {entry.database_env}=postgresql://...",
        )
    return found


def open_database(database: str, base: Path) -> Access:
    """Open a database so that nothing can be written to it.

    A path is relative to ``base``. Raises :class:`UsageError` for what cannot be opened.
    """
    try:
        if not is_file(database):
            from audit.readers.database_server import ServerAccess

            return ServerAccess(database)
        return _open_file(_file_of(database, base))
    except CaptureError as error:
        raise UsageError(error.message, source=error.source, hint=error.hint) from None
    except OSError as error:
        raise UsageError(
            f"the database cannot be read: {error.strerror or error}", source=Path(database).name
        ) from None


def _open_file(path: Path) -> Access:
    from audit.readers.database_sqlite import MAGIC, SqliteAccess

    with path.open("rb") as file:
        start = file.read(len(MAGIC))
    if start[8:12] == b"DUCK":
        from audit.readers.database_server import DuckdbAccess

        return DuckdbAccess(path)
    if start and start != MAGIC:
        raise CaptureError("this is no SQLite file", source=path.name)
    return SqliteAccess(path)


@dataclass(slots=True)
class _DatabaseReader:
    entry: SourceEntry
    place: str
    access: Access
    options: ServerOptions
    part: ServerPart
    _skew: float = 0.0
    _tables: list[TableRows] = field(default_factory=list)
    _copies: set[str] = field(default_factory=set)

    def run(self) -> None:
        self._clock()
        for file in self.access.files:
            self.part.items.append(
                ReadItem(
                    source=self.entry.role,
                    name=f"{self.place}/{quoted_name(file.name)}",
                    kind="database",
                    sha256=file.sha256,
                    bytes=file.bytes,
                )
            )
        try:
            tables = self.access.tables()
        except CaptureError as error:
            self._unsure(self.place, f"its tables cannot be listed: {error.message}")
            return
        self._named(tables)
        if len(tables) > MAX_TABLES:
            self._unsure(self.place, f"it has more tables than the {MAX_TABLES} that are read")
        total = sum(self._table(table, tables) for table in tables[:MAX_TABLES])
        if not total:
            self._unsure(self.place, "no row was read of this database: it shows nothing")
        left_elsewhere(self._tables, self._copies)
        for table in self._tables:
            for row in table.rows():
                self.part.add("db_records", row)
        self.part.limits += [f"{self.place}: {said}" for said in self.access.limits]

    def _clock(self) -> None:
        before = time.time()
        theirs = self.access.clock()
        if theirs is None:
            return
        self._skew = theirs - (before + time.time()) / 2
        if abs(self._skew) < 1:
            self.part.limits.append(f"{self.place}: the database's clock and ours agree")
            return
        side = "ahead of" if self._skew > 0 else "behind"
        said = f"the database's clock is {abs(self._skew):.0f} s {side} ours"
        self.part.limits.append(f"{self.place}: {said}")
        if abs(self._skew) > SKEW_S:
            self._unsure(self.place, f"{said}, so that ages are off by as much")

    def _named(self, tables: list[Table]) -> None:
        """Say which tables of ``sources.yaml`` are not there: the wrong place, or dropped."""
        there = {table.label for table in tables} | {table.name for table in tables}
        for name in self.entry.tables:
            if name not in there:
                self._unsure(
                    self.place, "the source names this table, and it is not there", table=name
                )

    def _table(self, table: Table, tables: list[Table]) -> int:
        rule = self.entry.tables.get(table.label) or self.entry.tables.get(table.name)
        place = f"{self.place}/{quoted_name(table.label)}"
        if table.unreadable is not None:
            self._unsure(place, f"it cannot be read: {table.unreadable}", table=table.label)
            return 0
        roles = roles_of(table, rule)
        reader = self._reader(table, roles, place)
        problem = self._rows(reader)
        if problem is not None:
            why = f"after {reader.count} rows it could not be read on: {problem}"
            self._unsure(place, why, table=table.label)
        hits = reader.search.finish()
        self._hits(hits)
        self.part.truncated += [f"{place}: {said}" for said in reader.search.truncated]
        if rule is not None and rule.ignore:
            self._ignored(reader, place, is_hit=bool(hits))
            return reader.count
        notes = TableNotes(reader, self.entry, is_named=rule is not None)
        for why in notes.unsure(problem):
            self._unsure(place, why, table=table.label)
        self.part.limits += [f"{place}: {said}" for said in notes.limits()]
        self.part.truncated += [f"{place}: {said}" for said in notes.truncated(problem)]
        copied = copies_of(table, tables)
        if copied is not None:
            self._copies.add(table.label)
            of = f" of {copied}" if copied else ""
            self.part.limits.append(f"{place}: by its name it holds a copy{of}")
        self._keep(reader, place, is_whole=problem is None)
        return reader.count

    def _reader(self, table: Table, roles: Roles, place: str) -> TableReader:
        detector = self.options.detector
        own = frozenset(
            email_hash(item.value) for item in detector.identity.identifiers if item.kind == "email"
        )
        base: Row = {
            "capture": self.options.capture,
            "source": self.entry.role,
            "table": table.label,
        }
        return TableReader(
            table=table,
            roles=roles,
            rows=TableRows(base=base, place=place, own=own),
            times=TimeReader(Clock(zone=self.entry.time_zone)),
            search=CellSearch(detector=detector, place=place, label=table.label),
            utc_types=self.access.utc_types,
            read_at=self.options.read_at + max(self._skew, 0.0),
            own=frozenset(address.encode() for address in self.entry.own_addresses),
        )

    def _rows(self, reader: TableReader) -> str | None:
        """Read all rows; return why they ended early, if they did."""
        pace = Pace()
        try:
            for batch in self.access.batches(reader.table, pace):
                reader.read(batch, pace)
        except CaptureError as error:
            return error.message
        return None

    def _ignored(self, reader: TableReader, place: str, *, is_hit: bool) -> None:
        said = (
            f"{reader.count} rows are left out, as the source says that it holds nothing of people"
        )
        self.part.limits.append(f"{place}: {said}")
        if is_hit:
            self._unsure(
                place,
                "the source says that it is of nobody, and a value of the subject stands in it",
                table=reader.table.label,
            )

    def _keep(self, reader: TableReader, place: str, *, is_whole: bool) -> None:
        self._tables.append(reader.rows)
        kinds = sorted(reader.search.kinds)
        self.part.items.append(
            ReadItem(
                source=self.entry.role,
                name=place,
                kind="table",
                sha256=reader.digest() if is_whole else None,
                lines=reader.count,
                dated=reader.count - reader.undated - reader.future,
                tied=tuple(f"the subject's {kind}" for kind in kinds),
            )
        )

    def _hits(self, hits: list[Row]) -> None:
        for row in hits:
            self.part.add(
                "identifier_hits",
                row
                | {
                    "capture": self.options.capture,
                    "source": self.entry.role,
                    "direction": "received",
                },
            )

    def _unsure(self, place: str, why: str, *, table: str | None = None) -> None:
        self.part.add(
            "db_records",
            {
                "capture": self.options.capture,
                "ref": place,
                "source": self.entry.role,
                "table": table,
                "records": 0,
                "unsure": why,
            },
        )
