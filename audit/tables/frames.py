"""Rows (plain dictionaries) to frames with exactly the columns of their row model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Annotated, get_type_hints

from audit.tables.column import Column

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, object]
"""One row: column name -> value. Columns left out are ``None``."""


@cache
def columns_of(table: str) -> Mapping[str, Column]:
    """Return the columns of a table in order; raises ``KeyError`` for an unknown table."""
    from audit.tables.rows import TABLES  # readers make rows without it

    model = TABLES[table]
    hints = get_type_hints(model, include_extras=True)
    return {field.name.rstrip("_"): _annotation(hints[field.name]) for field in fields(model)}


def _annotation(hint: Annotated[object, Column]) -> Column:
    column: Column = hint.__metadata__[0]  # type: ignore[attr-defined]
    return column


def make_frame(table: str, rows: Iterable[Row]) -> pd.DataFrame:
    """Build the frame of a table, in the order given.

    Values keep their Python types (``object`` columns), so that ``None`` stays ``None`` and an
    integer stays an integer; ``time`` columns become ``datetime64[ns, UTC]``. Raises ``KeyError``
    for a column that the table does not have: a reader may not invent one.
    """
    columns = columns_of(table)
    data: dict[str, list[object]] = {name: [] for name in columns}
    listed = list(rows)
    if not listed:
        return _empty(table).copy()
    for row in listed:
        unknown = row.keys() - columns.keys()
        if unknown:
            raise KeyError(f"table {table} has no column {sorted(unknown)}")
        for name, values in data.items():
            values.append(row.get(name))
    return _frame(columns, data)


@cache
def _empty(table: str) -> pd.DataFrame:
    """Return the frame of a table without rows, made once: most tables of most captures."""
    columns = columns_of(table)
    return _frame(columns, {name: [] for name in columns})


def _frame(columns: Mapping[str, Column], data: Mapping[str, list[object]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        {
            name: pd.Series(
                pd.to_datetime(pd.Series(values, dtype=object), utc=True, format="ISO8601").astype(
                    "datetime64[ns, UTC]"
                )
            )
            if columns[name].type == "time"
            else pd.Series(values, dtype=object)
            for name, values in data.items()
        }
    )
