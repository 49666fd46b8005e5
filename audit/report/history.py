"""Results of many releases, kept in one SQLite file that needs no server."""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from audit.errors import PolicyError, SetupError
from audit.gate.settle import recorded_until
from audit.model.reading import MAX_BYTES, parse_result, read_result
from audit.model.result import Result
from audit.report.json import render_json
from audit.yamlfile.units import parse_time

APPLICATION: Final = 0x41554448
"""``PRAGMA application_id`` of our files: the letters AUDH."""
VERSION: Final = 1
MOST_KEPT: Final = 10_000
"""Results of one file, at most."""
_TABLE: Final = """\
CREATE TABLE IF NOT EXISTS results (
  digest TEXT PRIMARY KEY,
  moment TEXT NOT NULL,
  policy TEXT NOT NULL,
  target TEXT NOT NULL,
  result BLOB NOT NULL
)"""
_HINT: Final = "a history is a file that 'audit history' made"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One result of a history."""

    moment: str
    """End of its latest recording, else the moment of judging; UTC, ISO 8601."""
    result: Result


class History:
    """A file of results; every method raises :class:`PolicyError` where it is no such file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, file: Path) -> bool:
        """Keep a result; ``False``: it is kept already. Raises as :func:`read_result`."""
        result = read_result(file)
        data = render_json(result)
        row = (
            hashlib.sha256(data).hexdigest(),
            moment_of(result),
            result.policy.id,
            str(result.target.get("name")),
            zlib.compress(data, 9),
        )
        with self._open() as database:
            (count,) = database.execute("SELECT count(*) FROM results").fetchone()
            if count >= MOST_KEPT:
                raise PolicyError(
                    f"this history holds {count} results already", source=str(self._path)
                )
            found = database.execute("INSERT OR IGNORE INTO results VALUES (?, ?, ?, ?, ?)", row)
            return found.rowcount == 1

    def clients(self) -> list[tuple[str, str]]:
        """Return policy and target of everything that is kept, sorted."""
        with self._open() as database:
            rows = database.execute("SELECT DISTINCT policy, target FROM results ORDER BY 1, 2")
            return [(str(policy), str(target)) for policy, target in rows]

    def of(self, policy: str, target: str) -> Iterator[Kept]:
        """Yield the results of one client in the order of their recordings."""
        with self._open() as database:
            rows = database.execute(
                "SELECT digest, moment, result FROM results WHERE policy = ? AND target = ? "
                "ORDER BY moment, digest",
                (policy, target),
            )
            for digest, moment, data in rows:
                name = f"{self._path} ({str(digest)[:12]})"
                yield Kept(moment=str(moment), result=parse_result(_unpacked(data, name), name))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        is_new = not self._path.exists()
        try:
            database = sqlite3.connect(self._path, timeout=10)
        except sqlite3.Error as error:
            raise SetupError(
                f"the history cannot be opened: {error}", source=str(self._path)
            ) from None
        try:
            database.execute("PRAGMA trusted_schema = OFF")
            with database:
                if is_new:
                    database.execute(f"PRAGMA application_id = {APPLICATION}")
                    database.execute(f"PRAGMA user_version = {VERSION}")
                    database.execute(_TABLE)
                self._require_ours(database)
                yield database
        except sqlite3.Error as error:
            raise PolicyError(
                f"this is no history: {error}", source=str(self._path), hint=_HINT
            ) from None
        finally:
            database.close()

    def _require_ours(self, database: sqlite3.Connection) -> None:
        (application,) = database.execute("PRAGMA application_id").fetchone()
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if (application, version) != (APPLICATION, VERSION):
            raise PolicyError(
                "this is no history of this version", source=str(self._path), hint=_HINT
            )


def _unpacked(data: object, name: str) -> bytes:
    """Return a kept result, never more than a result may have."""
    try:
        return zlib.decompressobj().decompress(
            data if isinstance(data, bytes) else b"", MAX_BYTES + 1
        )
    except zlib.error:
        raise PolicyError("this is no history: a result in it is damaged", source=name) from None


def moment_of(result: Result) -> str:
    """Return when a release was recorded: the end of its latest recording, else ``as_of``."""
    try:
        latest = recorded_until(result) or parse_time(result.as_of)
    except ValueError:
        raise PolicyError("this result says of no moment when it was made") from None
    return latest.isoformat(timespec="seconds").replace("+00:00", "Z")
