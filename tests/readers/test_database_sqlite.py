"""SQLite is copied with its log, opened read only, and left as it was found."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import CaptureError
from audit.readers import database_sqlite
from audit.readers.database_access import Pace, ReadFile
from audit.readers.database_sqlite import SqliteAccess
from tests.readers.databases import make_sqlite


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {one.name: (one.read_bytes(), one.stat().st_mtime_ns) for one in folder.iterdir()}


def rows(access: SqliteAccess, name: str) -> list[tuple[object, ...]]:
    table = next(table for table in access.tables() if table.name == name)
    return [row for batch in access.batches(table, Pace()) for row in batch]


def test_rows_that_stand_in_the_log_alone_are_read_and_nothing_is_touched(tmp_path: Path) -> None:
    work, found = tmp_path / "work", tmp_path / "found"
    work.mkdir()
    with closing(sqlite3.connect(work / "a.db")) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute("CREATE TABLE t(v TEXT)")
        connection.execute("INSERT INTO t VALUES ('in the log')")
        connection.commit()
        shutil.copytree(work, found)
    (found / "a.db-shm").unlink()
    before = state(found)
    with closing(SqliteAccess(found / "a.db")) as access:
        assert rows(access, "t") == [(b"in the log",)]
        assert [file.name for file in access.files] == ["a.db", "a.db-wal"]
    assert state(found) == before


def test_a_hot_journal_is_rolled_back_in_the_copy_alone(tmp_path: Path) -> None:
    work, found = tmp_path / "work", tmp_path / "found"
    work.mkdir()
    make_sqlite(work / "a.db", "CREATE TABLE t(v TEXT); INSERT INTO t VALUES ('before');")
    with closing(sqlite3.connect(work / "a.db")) as connection:
        connection.execute("PRAGMA cache_size=1")
        connection.execute("PRAGMA cache_spill=1")
        connection.executemany("INSERT INTO t VALUES (?)", [("x" * 900,) for _ in range(500)])
        shutil.copytree(work, found)
        connection.rollback()
    assert (found / "a.db-journal").stat().st_size > 0
    before = state(found)
    with closing(SqliteAccess(found / "a.db")) as access:
        assert rows(access, "t") == [(b"before",)]
    assert state(found) == before


@pytest.mark.parametrize(
    "statement",
    ["INSERT INTO t VALUES (1)", "DELETE FROM t", "DROP TABLE t", "CREATE TABLE u(a)", "VACUUM"],
)
def test_writing_is_refused(tmp_path: Path, statement: str) -> None:
    path = make_sqlite(tmp_path / "a.db", "CREATE TABLE t(v); INSERT INTO t VALUES (0);")
    before = state(tmp_path)
    with (
        closing(SqliteAccess(path)) as access,
        pytest.raises(sqlite3.OperationalError, match=r"readonly|read-only"),
    ):
        access._connection.execute(statement)
    assert state(tmp_path) == before


def test_the_copy_is_gone_afterwards(tmp_path: Path) -> None:
    path = make_sqlite(tmp_path / "a.db", "CREATE TABLE t(v)")
    access = SqliteAccess(path)
    assert access._folder.is_dir()
    access.close()
    assert not access._folder.exists()


def test_odd_names_are_read(tmp_path: Path) -> None:
    script = (
        'CREATE TABLE "a""b #1"("select" TEXT, "x@y" TEXT); INSERT INTO "a""b #1" VALUES (1, 2)'
    )
    with closing(SqliteAccess(make_sqlite(tmp_path / "a ?#.db", script))) as access:
        assert rows(access, 'a"b #1') == [(b"1", b"2")]


def test_a_file_that_cannot_be_read_is_an_error_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="cannot be copied"):
        SqliteAccess(tmp_path)


def test_rows_that_move_from_the_log_to_a_file_already_copied_are_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = database_sqlite._copy
    with closing(sqlite3.connect(tmp_path / "a.db")) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("CREATE TABLE t(v TEXT)")
        writer.execute("INSERT INTO t VALUES ('in the log')")
        writer.commit()

        def copied_then_moved(path: Path, target: Path) -> ReadFile:
            found = real(path, target)
            writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return found

        monkeypatch.setattr(database_sqlite, "_copy", copied_then_moved)
        with pytest.raises(CaptureError, match="written to while it was copied"):
            SqliteAccess(tmp_path / "a.db")


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 8191), st.integers(0, 255)), min_size=1, max_size=30))
def test_a_damaged_file_gives_rows_or_one_error(
    tmp_path_factory: pytest.TempPathFactory, damage: list[tuple[int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    path = make_sqlite(
        folder / "a.db",
        "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT)",
        [("INSERT INTO t(v) VALUES (?)", [("v" * 50,) for _ in range(60)])],
    )
    data = bytearray(path.read_bytes())
    for place, value in damage:
        data[place % len(data)] = value
    path.write_bytes(data)
    try:
        with closing(SqliteAccess(path)) as access:
            for table in access.tables():
                if table.unreadable is None:
                    for batch in access.batches(table, Pace()):
                        assert all(isinstance(row, tuple) for row in batch)
    except CaptureError:
        pass
