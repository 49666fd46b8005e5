"""``server/``: what was read of a server's records, as rows; written and read here alone.

``server/rows.jsonl`` holds a line a row, ``server/read.json`` what was read and what became of it.
No value of a record stands in either but addresses' digests and redacted excerpts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from audit.bundle.layout import SERVER
from audit.errors import CaptureError
from audit.tables.frames import Row, columns_of

ROWS: Final = f"{SERVER}/rows.jsonl"
READ: Final = f"{SERVER}/read.json"
SCHEMA: Final = "audit/server@1"
TABLES: Final = ("log_lines", "db_records", "config_entries", "identifier_hits", "controls")
"""Tables that a line may belong to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadItem:
    """One file or table that was looked at."""

    source: str
    """Role of the source."""
    name: str
    """As references name it."""
    kind: str
    """``log``, ``config``, ``records``, ``table``, or ``database``: the file of some tables."""
    sha256: str | None = None
    """Of the bytes as they lay there, still packed; ``None``: no file, or not read to its end."""
    bytes: int | None = None
    lines: int = 0
    """Lines, or rows."""
    dated: int = 0
    """Those of them that could be dated."""
    tied: tuple[str, ...] = ()
    """What shows that it is of the right machine: ``host NAME``, ``token``; empty: nothing."""


@dataclass(slots=True, kw_only=True)
class ServerPart:
    """Everything that was read of servers' records."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    """Table -> rows, in the order they were read; times as ISO 8601 UTC."""
    items: list[ReadItem] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)
    """Remarks that the report prints, a sentence each."""
    truncated: list[str] = field(default_factory=list)
    """What a bound cut or a source broke off, a sentence each; blocks a pass."""
    missing: tuple[str, ...] = ()
    """Controls that were planted in memory and not found."""
    kinds: tuple[str, ...] = ()
    """Kinds of identifier that the subject had when the records were searched."""
    read_at: str = ""
    """When, UTC: what is dated later has a wrong clock."""

    def add(self, table: str, row: Row) -> None:
        """Append a row."""
        self.rows.setdefault(table, []).append(row)


def write_server(folder: Path, part: ServerPart) -> None:
    """Write ``server/`` into a bundle."""
    (folder / SERVER).mkdir(exist_ok=True)
    with (folder / ROWS).open("w", encoding="utf-8") as file:
        for table in TABLES:
            for row in part.rows.get(table, ()):
                file.write(json.dumps([table, row], ensure_ascii=False, sort_keys=True) + "\n")
    told: dict[str, Any] = {
        "schema": SCHEMA,
        "items": [asdict(item) for item in part.items],
        "limits": part.limits,
        "truncated": part.truncated,
        "missing": part.missing,
        "kinds": part.kinds,
        "read_at": part.read_at,
    }
    text = json.dumps(told, ensure_ascii=False, indent=2, sort_keys=True)
    (folder / READ).write_text(text + "\n", encoding="utf-8")


def read_server(folder: Path) -> ServerPart | None:
    """Return the part of a bundle that tells of servers; ``None``: it has none.

    Raises :class:`CaptureError` for anything else than :func:`write_server` writes.
    """
    if not (folder / READ).is_file():
        return None
    try:
        told = json.loads((folder / READ).read_text(encoding="utf-8"))
        _check_schema(told.pop("schema"))
        items = [
            ReadItem(**(item | {"tied": tuple(item.get("tied", ()))})) for item in told.pop("items")
        ]
        missing, kinds = tuple(told.pop("missing")), tuple(told.pop("kinds"))
        part = ServerPart(items=items, missing=missing, kinds=kinds, **told)
        _check_texts([*part.limits, *part.truncated, *missing, *kinds, part.read_at])
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise CaptureError(f"this cannot be read: {error}", source=READ) from None
    _read_rows(folder, part)
    return part


def _check_schema(said: object) -> None:
    if said != SCHEMA:
        raise ValueError(f"it is not of schema {SCHEMA}")


def _check_texts(values: Sequence[object]) -> None:
    if not all(isinstance(value, str) for value in values):
        raise TypeError("remarks are texts")


def _read_rows(folder: Path, part: ServerPart) -> None:
    number = 0
    try:
        with (folder / ROWS).open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):  # noqa: B007 - named in the error
                part.add(*_row(json.loads(line)))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise CaptureError(f"this row cannot be read: {error}", source=f"{ROWS}:{number}") from None


def _row(data: object) -> tuple[str, Row]:
    table, row = data if isinstance(data, list) and len(data) == 2 else (None, None)
    if table not in TABLES or not isinstance(row, dict):
        raise ValueError(f"no row of a server's table: {table!r}")
    columns = columns_of(str(table))
    unknown = row.keys() - columns.keys()
    if unknown:
        raise ValueError(f"table {table} has no column {sorted(unknown)}")
    for name, value in row.items():
        if columns[name].type == "list" and value is not None:
            row[name] = tuple(value)
    return str(table), row
