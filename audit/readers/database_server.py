"""PostgreSQL, MariaDB and DuckDB through SQLAlchemy, read only; servers within a time limit.

Needs the extra ``databases``. Every error is told without the connection's URL or what it holds.
"""

from __future__ import annotations

import contextlib
import importlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from audit.errors import CaptureError, SetupError
from audit.readers.database_access import (
    Column,
    Pace,
    ReadFile,
    Secrets,
    Table,
    Values,
)
from audit.readers.database_dialects import DIALECTS, DUCKDB, Dialect
from audit.readers.database_sqlite import copy_files

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

STATEMENT_S: Final = 300
"""Seconds that one statement may take at the server."""


class ServerAccess:
    """One connection to a server's database."""

    files: tuple[ReadFile, ...] = ()

    def __init__(self, url: str, *, statement_s: int = STATEMENT_S) -> None:
        """Connect; raises :class:`CaptureError`, and :class:`SetupError` without the extra."""
        self.limits: list[str] = []
        self._secrets = Secrets(url)
        scheme = url.partition("://")[0].lower().partition("+")[0]
        dialect = next((one for one in DIALECTS if scheme in one.schemes), None)
        if dialect is None:
            known = ", ".join(one.schemes[0] for one in DIALECTS)
            raise CaptureError(
                "the URL of a database names a system that is not known here",
                source=_name(scheme),
                hint=f"{known}, or the path of an SQLite or DuckDB file",
            )
        self._dialect = dialect
        self.system = dialect.system
        self.utc_types = dialect.utc_types
        self._statement_s = statement_s
        self._engine, self._connection = self._connect(
            f"{dialect.driver}://{url.partition('://')[2]}"
        )

    def _connect(self, url: str) -> tuple[Engine, Connection]:
        sqlalchemy = _sqlalchemy(self._dialect)
        engine: Engine | None = None
        try:
            engine = sqlalchemy.create_engine(
                url,
                poolclass=sqlalchemy.pool.NullPool,
                hide_parameters=True,
                connect_args=self._dialect.arguments(self._statement_s),
            )
            connection = engine.connect()
            if self._dialect.own_transactions:
                connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            for statement in self._dialect.opening(self._statement_s):
                connection.exec_driver_sql(statement)
            self._dialect.prepare(connection)
        except Exception as error:  # noqa: BLE001 - drivers raise families of their own
            if engine is not None:
                engine.dispose()
            raise self._problem(error, "it cannot be opened") from None
        return engine, connection

    def clock(self) -> float | None:
        """Return the server's own time."""
        if self._dialect.clock is None:
            return None
        try:
            return float(self._rows(self._dialect.clock)[0][0])  # type: ignore[arg-type]
        except (CaptureError, TypeError, ValueError, IndexError):
            self.limits.append("the database does not tell its own time")
            return None

    def tables(self) -> list[Table]:
        """Return the tables that the account may see, with those that it may not read."""
        columns: dict[tuple[str, str], list[Column]] = {}
        for schema, name, column, type_ in self._rows(self._dialect.columns):
            found = columns.setdefault((_text(schema), _text(name)), [])
            found.append(Column(name=_text(column), type=_text(type_).lower()))
        keys: dict[tuple[str, str], list[str]] = {}
        for schema, name, column in self._rows(self._dialect.keys):
            keys.setdefault((_text(schema), _text(name)), []).append(_text(column))
        usual = _text(self._rows(self._dialect.usual_schema)[0][0])
        tables = []
        for schema, name, unreadable in self._rows(self._dialect.tables):
            at = (_text(schema), _text(name))
            tables.append(
                Table(
                    name=at[1],
                    schema=None if at[0] == usual else at[0],
                    columns=tuple(columns.get(at, ())),
                    key=tuple(keys.get(at, ())),
                    unreadable=_text(unreadable) if unreadable else None,
                )
            )
        if self._dialect.limit:
            self.limits.append(self._dialect.limit)
        return sorted(tables, key=lambda table: table.label)

    def batches(self, table: Table, pace: Pace) -> Iterator[list[Values]]:
        """Yield the rows as the server streams them, by the primary key."""
        quote = self._dialect.quoted
        schema = f"{quote(table.schema)}." if table.schema else ""
        columns = ", ".join(quote(column.name) for column in table.columns)
        query = f"SELECT {columns} FROM {self._dialect.only}{schema}{quote(table.name)}"  # noqa: S608
        if table.key:
            query += " ORDER BY " + ", ".join(map(quote, table.key))
        try:
            with contextlib.closing(self._dialect.cursor(self._driver())) as cursor:
                yield from self._fetched(cursor, query, pace)
        except Exception as error:  # noqa: BLE001 - as above
            self._begin_anew()
            raise self._problem(error, "it broke off") from None

    def _fetched(self, cursor: Any, query: str, pace: Pace) -> Iterator[list[Values]]:
        try:
            cursor.execute(query)
            while rows := cursor.fetchmany(pace.rows):
                yield list(rows)
        except Exception:
            self._dialect.abandon(cursor)
            raise

    def _driver(self) -> Any:
        return self._connection.connection.driver_connection

    def _begin_anew(self) -> None:
        """Leave a transaction that failed, for the tables that come next."""
        with contextlib.suppress(Exception):
            self._driver().rollback()
            for statement in self._dialect.opening(self._statement_s):
                self._connection.exec_driver_sql(statement)

    def close(self) -> None:
        """Close the connection."""
        try:
            self._connection.close()
        except Exception as error:  # noqa: BLE001 - a connection that broke cannot be closed
            self.limits.append(self._secrets.scrub(f"the connection did not close: {error}"))
        finally:
            self._engine.dispose()

    def _rows(self, statement: str) -> list[Values]:
        try:
            result = self._connection.exec_driver_sql(statement)
            return [tuple(row) for row in result] if result.returns_rows else []
        except Exception as error:  # noqa: BLE001 - as above
            self._begin_anew()
            raise self._problem(error, "it cannot be read") from None

    def _problem(self, error: Exception, what: str) -> CaptureError:
        if isinstance(error, CaptureError):
            return error
        if isinstance(error, TypeError | ValueError):
            return CaptureError(f"{what}: its URL or an option of it is none", source=self.system)
        cause = getattr(error, "orig", None) or error
        said = self._secrets.scrub(str(cause).partition("\n")[0]) or type(cause).__name__
        return CaptureError(f"{what}: {said}", source=self.system)


class DuckdbAccess(ServerAccess):
    """One DuckDB file, read from a copy."""

    def __init__(self, path: Path) -> None:
        """Copy and open; raises :class:`CaptureError`, :class:`SetupError` without the extra."""
        _sqlalchemy(DUCKDB)
        self._folder = Path(tempfile.mkdtemp(prefix="audit-database-"))
        try:
            copy = self._folder / "audit-copy"  # neither a URL nor a schema is taken for it
            self.files = copy_files(path, copy, (".wal",))
            super().__init__(f"duckdb:///{copy}")
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    def close(self) -> None:
        """Close, and remove the copy."""
        super().close()
        shutil.rmtree(self._folder, ignore_errors=True)


def _sqlalchemy(dialect: Dialect) -> Any:
    try:
        importlib.import_module(dialect.module)
        return importlib.import_module("sqlalchemy")
    except ImportError:
        raise SetupError(
            f"reading {dialect.system} needs the extra 'databases', which is not installed",
            hint="pip install 'privacy-audit[databases]'",
        ) from None


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _name(scheme: str) -> str:
    return scheme if scheme.isalnum() and len(scheme) <= 20 else "a URL"
