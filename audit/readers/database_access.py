"""What a database is to its reader: tables with columns, and their rows, batch by batch.

SQLite is read by the standard library, the others through SQLAlchemy; the reader does not know
which. Nothing here can write.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import unquote, unquote_plus, urlsplit

from audit.errors import UsageError

BATCH: Final = 8_192
"""Rows that are fetched and looked at together, at most."""
FIRST: Final = 256
"""Rows of the first batch of a table, whose size is not known yet."""
Values = tuple[object, ...]


@dataclass(slots=True)
class Pace:
    """How many rows to fetch next; whoever reads them sets it by their size."""

    rows: int = FIRST


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table."""

    name: str
    type: str
    """Type as declared, lower case; ``''``: none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table, or what is kept like one."""

    name: str
    schema: str | None = None
    """``None``: the one that everybody means."""
    columns: tuple[Column, ...] = ()
    key: tuple[str, ...] = ()
    """Columns of the primary key: rows are numbered in its order."""
    unreadable: str | None = None
    """Why it cannot be read at all; ``None``: it may be."""

    @property
    def label(self) -> str:
        """Name in evidence: with its schema, where that is not the usual one."""
        return f"{self.schema}.{self.name}" if self.schema else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFile:
    """One file of a database, as it lay there."""

    name: str
    sha256: str
    bytes: int


class Access(Protocol):
    """A database that can be read and not written."""

    system: str
    """As sentences name it: ``SQLite``, ``PostgreSQL``, ..."""
    files: tuple[ReadFile, ...]
    """What was copied before it was opened; empty for a server."""
    utc_types: tuple[str, ...]
    """Beginnings of declared types whose values it gives in UTC."""
    limits: list[str]
    """What is to be said of the connection, a sentence each."""

    def clock(self) -> float | None:
        """Return the database's own time, seconds since 1970 UTC; ``None``: it has none."""

    def tables(self) -> list[Table]:
        """Return the tables, by name; raises :class:`CaptureError`."""

    def batches(self, table: Table, pace: Pace) -> Iterator[list[Values]]:
        """Yield the rows; raises :class:`CaptureError`, also in the middle."""

    def close(self) -> None:
        """Let go of it, and of every copy."""


class Secrets:
    """What of a connection's URL must never be told: user, password, values of the query."""

    def __init__(self, url: str) -> None:
        self._texts = sorted(_secrets_of(url), key=len, reverse=True)

    def scrub(self, text: str) -> str:
        """Return a text without any of them, one line of it, bounded."""
        line = " ".join(text.split())
        line = _URL.sub("a URL", line)
        for secret in self._texts:
            line = line.replace(secret, "***")
        return line[:300]


_URL: Final = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_USERINFO: Final = re.compile(r"\A[^:/?#]+://(?P<info>.*)@[^@]*\Z", re.DOTALL)


def _secrets_of(url: str) -> set[str]:
    found: set[str] = set()
    info = _USERINFO.match(url)
    if info:
        user, _, password = info["info"].partition(":")
        found |= {user, password, info["info"], *re.split(r"[:@/]", info["info"])}
    try:
        query = urlsplit(url).query
    except ValueError:
        query = url.partition("?")[2]
    for part in query.split("&"):
        found.add(part.partition("=")[2])
    for text in tuple(found):
        found |= {unquote(text), unquote_plus(text)}
    return {text for text in found if text}


def is_file(database: str) -> bool:
    """Whether a database is named by a path, or by the URL of a path."""
    return "://" not in database or database.lower().startswith(("sqlite:", "duckdb:"))


def path_of(database: str) -> str:
    """Return the path of a database that is a file; raises :class:`UsageError` for memory."""
    if "://" not in database:
        return database
    text = unquote(database.partition("://")[2].partition("?")[0]).removeprefix("/")
    if not text or text == ":memory:":
        raise UsageError("a database in memory has nothing to read", source="sources")
    return text
