"""Evidence tables, dictionary-encoded: each question is asked once a distinct value.

A column becomes an array of codes and the list of its distinct values; code ``-1`` is an absent
value. The encoding of a column is made once and shared by all checks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from audit.tables.column import Column
from audit.tables.frames import Row, columns_of

if TYPE_CHECKING:
    import pandas as pd

Codes = NDArray[np.intp]
Flags = NDArray[np.bool_]
"""Yes or no a row."""

UNREADABLE: Final = object()
"""Stands for a value below JSON text that cannot be read: every question on it is undecided."""
_NAT: Final = np.iinfo(np.int64).min
_SCAN: Final = cast("Any", json.JSONDecoder()).scan_once
"""Reads one value without looking for space about it: columns hold canonical JSON."""
_KEPT_DOCUMENTS: Final = 100_000
"""Parsed JSON documents kept in memory for the next path, at most."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """One column of all rows."""

    codes: Codes
    """A code a row, ``-1`` where there is no value."""
    distinct: Sequence[Any]
    """Code -> value. Times are whole nanoseconds since 1970 UTC."""

    def at(self, row: int) -> Any:
        """Return the value of one row, ``None`` where there is none."""
        code = int(self.codes[row])
        return self.distinct[code] if code >= 0 else None


@dataclass(slots=True, kw_only=True)
class EncodedTable:
    """The rows of one table, of one capture or several."""

    name: str
    size: int
    columns: Mapping[str, Column]
    origin: Codes
    """Which of the frames each row came from."""
    _raw: Mapping[str, NDArray[Any]]
    _encoded: dict[tuple[str, tuple[str, ...]], Encoded] = field(default_factory=dict)
    _documents: dict[str, list[Any]] = field(default_factory=dict)

    def encoded(self, column: str, path: tuple[str, ...] = ()) -> Encoded:
        """Return a column, or what lies at ``path`` in a JSON column."""
        key = (column, path)
        if key not in self._encoded:
            self._encoded[key] = self._below(column, path) if path else self._column(column)
        return self._encoded[key]

    def with_constant(self, column: str, value: object) -> EncodedTable:
        """Return the same rows with one more column that holds one value (``None``: absent)."""
        table = EncodedTable(
            name=self.name,
            size=self.size,
            columns=self.columns,
            origin=self.origin,
            _raw=self._raw,
            _encoded=dict(self._encoded),
            _documents=self._documents,
        )
        codes = np.full(self.size, -1 if value is None else 0, dtype=np.intp)
        table._encoded[column, ()] = Encoded(codes, [value])
        return table

    def raw(self, column: str, rows: Codes) -> NDArray[Any]:
        """Return some values of a column without encoding the whole of it."""
        found = self._raw.get(column)
        return np.full(len(rows), None, dtype=object) if found is None else found[rows]

    def value(self, column: str, row: int, path: tuple[str, ...] = ()) -> Any:
        """Return one value, ``None`` where there is none."""
        return self.encoded(column, path).at(row)

    def _column(self, column: str) -> Encoded:
        raw = self._raw.get(column)
        if raw is None:
            return Encoded(np.full(self.size, -1, dtype=np.intp), [])
        return _encode(raw)

    def _below(self, column: str, path: tuple[str, ...]) -> Encoded:
        outer = self.encoded(column)
        found = (descend(item, path) for item in self._parsed(column, outer.distinct))
        codes, values = _numbered(found, len(outer.distinct))
        return Encoded(codes[outer.codes], values)

    def inside(
        self, column: str, path: tuple[str, ...] = (), alive: Flags | None = None
    ) -> Encoded:
        """Return the documents of a JSON column, or what lies at a path in them.

        Where there are many, only those of rows that are ``alive`` are parsed; the others count as
        absent.
        """
        outer = self.encoded(column)
        if (
            len(outer.distinct) <= _KEPT_DOCUMENTS
            or alive is None
            or (column, path) in self._encoded
        ):
            if path:
                return self.encoded(column, path)
            return Encoded(outer.codes, list(self._parsed(column, outer.distinct)))
        wanted = np.unique(outer.codes[alive])
        wanted = wanted[wanted >= 0]
        documents = (document(outer.distinct[code]) for code in wanted.tolist())
        numbers, values = _numbered((descend(item, path) for item in documents), len(wanted))
        codes = np.full(len(outer.distinct) + 1, -1, dtype=np.intp)
        codes[wanted] = numbers[:-1]
        return Encoded(codes[outer.codes], values)

    def _parsed(self, column: str, texts: Sequence[Any]) -> Iterable[Any]:
        if column in self._documents:
            return self._documents[column]
        documents = (document(text) for text in texts)
        if len(texts) > _KEPT_DOCUMENTS:
            return documents
        self._documents[column] = list(documents)
        return self._documents[column]


def _numbered(found: Iterable[Any], count: int) -> tuple[Codes, list[Any]]:
    """Return a number for each of ``count`` values, the last ``-1`` for none, and the values."""
    codes = np.empty(count + 1, dtype=np.intp)
    codes[-1] = -1
    values: list[Any] = []
    known: dict[object, int] = {}
    for index, value in enumerate(found):
        if value is None:
            codes[index] = -1
            continue
        code = known.setdefault(_key(value), len(values))
        if code == len(values):
            values.append(value)
        codes[index] = code
    return codes, values


def document(text: object) -> Any:
    """Return JSON text as data: ``None`` for no text, ``UNREADABLE`` for what is no JSON."""
    if text is None:
        return None
    if not isinstance(text, str):
        return UNREADABLE
    try:
        found, end = _SCAN(text, 0)
        return found if end == len(text) else json.loads(text)
    except StopIteration:  # space before the value, or none
        return _loaded(text)
    except (ValueError, RecursionError):
        return UNREADABLE


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return UNREADABLE


def descend(data: Any, path: tuple[str, ...]) -> Any:
    """Return what lies at a path of keys and list indexes, ``None`` where nothing does."""
    for step in path:
        if data is UNREADABLE:
            break
        if isinstance(data, dict):
            data = data.get(step)
        elif isinstance(data, list) and step.isdecimal() and len(step) < 7:
            data = data[int(step)] if int(step) < len(data) else None
        else:
            return None
    return data


def _key(value: Any) -> object:
    """Return a key that tells ``1`` from ``true`` and compares containers by content.

    Columns hold canonical JSON, so that equal objects have their keys in the same order.
    """
    if value is UNREADABLE:
        return UNREADABLE
    if isinstance(value, dict | list):
        return repr(value)
    return (type(value), value)


def _encode(raw: NDArray[Any]) -> Encoded:
    import pandas as pd

    if raw.dtype.kind == "M":
        moments = raw.astype("datetime64[ns]").astype(np.int64)
        codes, values = pd.factorize(moments)
        codes = codes.astype(np.intp, copy=False)
        missing = np.flatnonzero(values == _NAT)
        if len(missing):
            codes = np.where(codes == missing[0], -1, codes)
        return Encoded(codes, values.tolist())
    try:
        codes, uniques = pd.factorize(raw)
    except TypeError:
        codes, uniques = pd.factorize(_hashable(raw))
    return Encoded(codes.astype(np.intp, copy=False), list(uniques))


def _array(series: pd.Series[Any], column: Column) -> NDArray[Any]:
    if column.type == "time":
        return series.to_numpy(dtype="datetime64[ns]")
    return series.to_numpy(dtype=object)


def _hashable(raw: NDArray[Any]) -> NDArray[Any]:
    """Return the values with tuples where a reader left lists."""
    values = np.empty(len(raw), dtype=object)
    for index, item in enumerate(raw):
        values[index] = tuple(item) if isinstance(item, list) else item
    return values


def _joined(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _without_controls(frame: pd.DataFrame) -> pd.DataFrame:
    controls = (frame["process"] == "control").to_numpy(dtype=bool)
    return frame.loc[~controls] if controls.any() else frame


def encode_frames(name: str, frames: Sequence[pd.DataFrame]) -> EncodedTable:
    """Return the rows of several frames of one table, in the order given.

    Rows of the recorder's own controls are left out: they are known by a one-time token alone,
    and are nothing that the client did.
    """
    columns = columns_of(name)
    kept = [_without_controls(frame) for frame in frames]
    raw = {
        column: _joined([_array(frame[column], kind) for frame in kept])
        for column, kind in columns.items()
        if kept
    }
    lengths = [len(frame) for frame in kept]
    return EncodedTable(
        name=name,
        size=sum(lengths),
        columns=columns,
        origin=np.repeat(np.arange(len(kept), dtype=np.intp), lengths),
        _raw=raw,
    )


def encode_rows(name: str, columns: Mapping[str, Column], rows: Sequence[Row]) -> EncodedTable:
    """Return a small table of rows whose values are already of their columns' types."""
    raw: dict[str, NDArray[Any]] = {}
    for column in columns:
        values = np.empty(len(rows), dtype=object)
        for index, row in enumerate(rows):
            values[index] = row.get(column)
        raw[column] = values
    origin = np.zeros(len(rows), dtype=np.intp)
    return EncodedTable(name=name, size=len(rows), columns=columns, origin=origin, _raw=raw)
