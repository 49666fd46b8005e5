"""What the tests of databases read: one source, and the part of a bundle that comes of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from audit.bundle.identity import Identifier, Identity, make_identity
from audit.bundle.server import ServerPart
from audit.identifiers.detector import detector_of
from audit.readers.database import read_database
from audit.readers.serverlogs import ServerOptions
from audit.tables.frames import Row
from audit.yamlfile.sources import SourceEntry

READ_AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
SUBJECT = make_identity(
    [
        Identifier("email", "Quirin.Zobel@mail.example"),
        Identifier("address", "198.51.100.77"),
        Identifier("account_id", "05" + "ab12cd34" * 8),
        Identifier("phone", "+49 1511 2345678"),
    ]
)


def make_sqlite(
    path: Path, script: str, rows: Iterable[tuple[str, Sequence[tuple[object, ...]]]] = ()
) -> Path:
    """Write a database: a script, then rows by statement."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
        for statement, values in rows:
            connection.executemany(statement, values)
        connection.commit()
    return path


def read(
    entry: SourceEntry,
    base: Path,
    identity: Identity = SUBJECT,
    part: ServerPart | None = None,
) -> ServerPart:
    """Read the database of a source, into a part that has others if one is given."""
    options = ServerOptions(
        capture="c", base=base, detector=detector_of(identity), read_at=READ_AT.timestamp()
    )
    part = part or ServerPart(read_at=READ_AT.isoformat())
    read_database(entry, options, part)
    return part


def records(part: ServerPart, table: str | None = None) -> list[Row]:
    """Return the rows of ``db_records`` that are known, of one table."""
    return [
        row
        for row in part.rows.get("db_records", [])
        if row.get("unsure") is None and table in (None, row["table"])
    ]


def doubts(part: ServerPart) -> list[str]:
    """Return why something is not known."""
    return [str(row["unsure"]) for row in part.rows.get("db_records", []) if row.get("unsure")]
