"""What tells PostgreSQL, MariaDB and DuckDB apart: catalogues, limits, and how writing is refused.

Catalogues: PostgreSQL ``pg_catalog`` (which lists tables that the account may not read), MariaDB
and DuckDB ``information_schema``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from audit.readers.database_sqlite import quoted

if TYPE_CHECKING:
    from sqlalchemy import Connection

CONNECT_S: Final = 15
"""Seconds to wait for a connection."""


def _nothing(_: object) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One system."""

    system: str
    schemes: tuple[str, ...]
    """Beginnings of URLs."""
    driver: str
    """As SQLAlchemy names dialect and driver."""
    module: str
    """Python module of the driver."""
    arguments: Callable[[int], dict[str, Any]]
    """Seconds of a statement -> what the driver is told on connecting."""
    opening: Callable[[int], tuple[str, ...]]
    """Seconds of a statement -> statements that begin a transaction which cannot write."""
    cursor: Callable[[Any], Any]
    """Connection of the driver -> cursor whose rows stay at the server until they are fetched."""
    clock: str | None
    """Query of the system's time, seconds since 1970; ``None``: it has none of its own."""
    tables: str
    """Query of schema, name, and why it cannot be read or nothing."""
    columns: str
    """Query of schema, table, column, type, in order."""
    keys: str
    """Query of schema, table, column of the primary key, in order."""
    usual_schema: str
    prepare: Callable[[Connection], None] = _nothing
    """Sets up how values are given."""
    abandon: Callable[[Any], None] = _nothing
    """Lets go of a cursor that failed."""
    quoted: Callable[[str], str] = quoted
    own_transactions: bool = True
    """Whether the opening statements begin the transaction, and SQLAlchemy begins none."""
    utc_types: tuple[str, ...] = ("timestamp with time zone",)
    """Beginnings of types whose values are given in UTC, as the connection asks for."""
    only: str = ""
    """Before the name of a table: its own rows, not those of tables that inherit from it."""
    limit: str | None = None
    """What this system keeps to itself, a sentence."""


_PG_TEXT: Final = (
    "json", "jsonb", "inet", "cidr", "uuid", "numeric", "timestamp", "timestamptz", "date", "time",
    "timetz", "interval", "macaddr",
)  # fmt: skip
"""Types of PostgreSQL that are read as they are written: faster, and 'infinity' stays a value."""


def _pg_arguments(seconds: int) -> dict[str, Any]:
    return {
        "connect_timeout": CONNECT_S,
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "options": f"-c statement_timeout={seconds * 1000} -c default_transaction_read_only=on "
        "-c row_security=off -c timezone=UTC -c datestyle=ISO",
        "application_name": "audit",
    }


def _pg_opening(_: int) -> tuple[str, ...]:
    return ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",)


def _pg_prepare(connection: Connection) -> None:
    from psycopg.types.string import TextLoader

    driver: Any = connection.connection.driver_connection
    for name in _PG_TEXT:
        driver.adapters.register_loader(name, TextLoader)


def _maria_arguments(_: int) -> dict[str, Any]:
    from pymysql.converters import conversions  # type: ignore[import-untyped]

    texts = {kind: turn for kind, turn in conversions.items() if not isinstance(kind, int)}
    return {"connect_timeout": CONNECT_S, "read_timeout": 600, "charset": "utf8mb4", "conv": texts}


def _maria_opening(seconds: int) -> tuple[str, ...]:
    return (
        "SET SESSION TRANSACTION READ ONLY",
        f"SET SESSION max_statement_time={seconds}",
        "SET SESSION time_zone='+00:00'",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
    )


def _maria_cursor(driver: Any) -> Any:
    from pymysql.cursors import SSCursor  # type: ignore[import-untyped]

    return driver.cursor(SSCursor)


def _maria_abandon(cursor: Any) -> None:
    """Keep PyMySQL from reading what is left of a result whose connection is gone."""
    result = getattr(cursor, "_result", None)
    if result is not None:
        result.unbuffered_active = False


def _backticked(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


POSTGRESQL: Final = Dialect(
    system="PostgreSQL",
    schemes=("postgresql", "postgres"),
    driver="postgresql+psycopg",
    module="psycopg",
    arguments=_pg_arguments,
    opening=_pg_opening,
    prepare=_pg_prepare,
    cursor=lambda driver: driver.cursor(name="audit", scrollable=False),
    clock="SELECT extract(epoch FROM clock_timestamp())",
    tables=(
        "SELECT n.nspname, c.relname, CASE"
        " WHEN c.relkind = 'f' THEN 'it lies in another database'"
        " WHEN NOT has_schema_privilege(n.oid, 'USAGE') THEN 'permission denied for its schema'"
        " WHEN NOT has_table_privilege(c.oid, 'SELECT') THEN 'permission denied' END"
        " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'm', 'f') AND n.nspname NOT IN"
        " ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%%'"
        " AND n.nspname NOT LIKE 'pg\\_temp%%'"
    ),
    columns=(
        "SELECT n.nspname, c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod)"
        " FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'm')"
        " AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"
        " ORDER BY n.nspname, c.relname, a.attnum"
    ),
    keys=(
        "SELECT n.nspname, c.relname, a.attname FROM pg_catalog.pg_index i"
        " JOIN pg_catalog.pg_class c ON c.oid = i.indrelid"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey)"
        " WHERE i.indisprimary AND n.nspname NOT IN ('pg_catalog', 'pg_toast')"
        " ORDER BY 1, 2, array_position(i.indkey::int2[], a.attnum)"
    ),
    usual_schema="SELECT 'public'",
    only="ONLY ",
)
MARIADB: Final = Dialect(
    system="MariaDB",
    schemes=("mariadb", "mysql"),
    driver="mysql+pymysql",
    module="pymysql",
    arguments=_maria_arguments,
    opening=_maria_opening,
    cursor=_maria_cursor,
    abandon=_maria_abandon,
    clock="SELECT UNIX_TIMESTAMP(SYSDATE(6))",
    tables=(
        "SELECT table_schema, table_name, NULL FROM information_schema.tables"
        " WHERE table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND table_schema NOT IN"
        " ('information_schema', 'mysql', 'performance_schema', 'sys', 'pg_catalog')"
    ),
    columns=(
        "SELECT table_schema, table_name, column_name, column_type FROM information_schema.columns"
        " WHERE table_schema NOT IN"
        " ('information_schema', 'mysql', 'performance_schema', 'sys', 'pg_catalog')"
        " ORDER BY table_schema, table_name, ordinal_position"
    ),
    keys=(
        "SELECT table_schema, table_name, column_name FROM information_schema.key_column_usage"
        " WHERE constraint_name = 'PRIMARY' AND table_schema NOT IN"
        " ('information_schema', 'mysql', 'performance_schema', 'sys', 'pg_catalog')"
        " ORDER BY table_schema, table_name, ordinal_position"
    ),
    usual_schema="SELECT database()",
    utc_types=("timestamp",),
    quoted=_backticked,
    limit="MariaDB shows an account only the tables and columns that it has a right to: others are "
    "not known",
)
DUCKDB: Final = Dialect(
    system="DuckDB",
    schemes=("duckdb",),
    driver="duckdb",
    module="duckdb_engine",
    arguments=lambda _: {"read_only": True, "config": {"enable_external_access": False}},
    opening=lambda _: ("SET TimeZone='UTC'",),
    cursor=lambda driver: driver.cursor(),
    clock=None,
    tables=(
        "SELECT table_schema, table_name, NULL FROM information_schema.tables"
        " WHERE table_type = 'BASE TABLE' AND table_schema NOT IN"
        " ('information_schema', 'mysql', 'performance_schema', 'sys', 'pg_catalog')"
    ),
    columns=(
        "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns"
        " WHERE table_schema NOT IN"
        " ('information_schema', 'mysql', 'performance_schema', 'sys', 'pg_catalog')"
        " ORDER BY table_schema, table_name, ordinal_position"
    ),
    keys=(
        "SELECT k.table_schema, k.table_name, k.column_name"
        " FROM information_schema.key_column_usage k"
        " JOIN information_schema.table_constraints c USING (constraint_schema, constraint_name)"
        " WHERE c.constraint_type = 'PRIMARY KEY' ORDER BY 1, 2, k.ordinal_position"
    ),
    usual_schema="SELECT 'main'",
    own_transactions=False,
)
DIALECTS: Final = (POSTGRESQL, MARIADB, DUCKDB)
