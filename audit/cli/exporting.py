"""Evidence tables as CSV, JSON and Parquet.

JSON and Parquet hold the values as they are. CSV is what people open in a spreadsheet, and the
cells come from strangers: a text that a spreadsheet would take for a formula gets an apostrophe
before it (CWE-1236), absent and empty cells look alike, lists are JSON arrays.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from audit.errors import CaptureError, SetupError
from audit.tables.column import Column
from audit.tables.csv_cell import csv_cell
from audit.tables.frames import columns_of

if TYPE_CHECKING:
    import pandas as pd

_LARGEST: Final = 2**63 - 1


def to_csv(table: str, frame: pd.DataFrame) -> bytes:
    """Return a table as CSV (RFC 4180, but with LF), UTF-8, one line of column names first."""
    columns = columns_of(table)
    lines = [",".join(columns)]
    lines += [",".join(map(_csv_cell, row)) for row in _rows(frame, columns)]
    return ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")


def _csv_cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        value = json.dumps(value, ensure_ascii=False)
    return csv_cell(value) if isinstance(value, str) else str(value)


def to_json(table: str, frame: pd.DataFrame) -> bytes:
    """Return a table as one JSON array of objects, ASCII; times are ISO 8601 with ``Z``."""
    columns = columns_of(table)
    rows = [dict(zip(columns, row, strict=True)) for row in _rows(frame, columns)]
    return (json.dumps(rows, indent=1) + "\n").encode()


def to_parquet(table: str, frame: pd.DataFrame) -> bytes:
    """Return a table as Parquet: times are UTC nanoseconds, integers 64 bits, lists of texts.

    Each column may hold nulls and carries its ``meaning``. Raises :class:`SetupError` where
    pyarrow is not installed, and :class:`CaptureError` for an integer beyond 64 bits.
    """
    if sys.modules.get("pyarrow", True) is None:
        del sys.modules["pyarrow"]  # audit.cli.main hid it
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise SetupError(
            "Parquet needs pyarrow, which is not installed",
            hint="pip install 'privacy-audit[parquet]', or use --format csv or json",
        ) from None
    types = {
        "number": pa.int64(), "bytes": pa.int64(), "ratio": pa.float64(),
        "duration": pa.float64(), "bool": pa.bool_(), "time": pa.timestamp("ns", tz="UTC"),
        "list": pa.list_(pa.string()),
    }  # fmt: skip
    arrays, fields = [], []
    for name, column in columns_of(table).items():
        kind = types.get(column.type, pa.string())
        values = [_typed(value, column, f"{table}.{name}") for value in frame[name]]
        arrays.append(pa.array(values, type=kind))
        fields.append(pa.field(name, kind, metadata={"meaning": column.meaning}))
    schema = pa.schema(fields, metadata={"table": table, "schema": "audit/table@1"})
    out = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), out, compression="zstd")
    return out.getvalue()


Writer = Callable[[str, "pd.DataFrame"], bytes]
WRITERS: Final[dict[str, Writer]] = {"csv": to_csv, "json": to_json, "parquet": to_parquet}
"""Name of a format, also the ending of its files -> what writes it."""


def _rows(frame: pd.DataFrame, columns: Mapping[str, Column]) -> Iterable[list[Any]]:
    """Return the rows as plain values: times as text, tuples as lists, what is missing as None."""
    series = [[_plain(value, column) for value in frame[name]] for name, column in columns.items()]
    return map(list, zip(*series, strict=True))


def _plain(value: Any, column: Column) -> Any:
    if _is_missing(value):
        return None
    if column.type == "time":
        return value.isoformat(timespec="microseconds").replace("+00:00", "Z")
    return list(value) if isinstance(value, tuple | list) else value


def _is_missing(value: Any) -> bool:
    return value is None or (not isinstance(value, str | tuple | list) and value != value)  # noqa: PLR0124 - NaN and NaT alone differ from themselves


def _typed(value: Any, column: Column, place: str) -> Any:
    """Return a value as its column's type takes it."""
    if _is_missing(value):
        return None
    if column.type in ("number", "bytes"):
        number = int(value)
        if abs(number) > _LARGEST:
            raise CaptureError(f"{place} holds an integer beyond 64 bits: use --format json")
        return number
    if column.type == "list":
        return [_text(item) for item in value]
    if column.type in ("ratio", "duration", "bool"):
        return value
    if column.type == "time":
        return value.value  # nanoseconds since 1970
    return _text(value)


def _text(value: object) -> str:
    """Return a text that UTF-8 can hold; a lone surrogate becomes its escape."""
    return str(value).encode("utf-8", "backslashreplace").decode("utf-8")
