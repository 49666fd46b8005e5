"""One table read through: every cell looked at, rows dated and put into states."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from audit.readers.database_access import BATCH, Pace, Table, Values
from audit.readers.database_cells import SEPARATOR, Cells, make_cells
from audit.readers.database_columns import EMAIL, SEALED, ColumnReader, Found
from audit.readers.database_memory import Look, Memory
from audit.readers.database_roles import LEFT, STATES, Roles, state_of_table
from audit.readers.database_rows import Batch, TableRows
from audit.readers.database_search import CellSearch
from audit.readers.database_times import ColumnTimes
from audit.readers.logfields import is_empty
from audit.readers.logtime import TimeReader

FUTURE_S: Final = 300
"""Seconds that a row may be dated after the moment of reading: clocks differ."""
BATCH_BYTES: Final = 8 << 20
"""Bytes of cells that a batch should hold; the next one has as many rows as that takes."""
MAX_STATES: Final = 50
"""Words of a column of states that no list is known to use."""
_NO: Final = frozenset(["", "0", "f", "false", "n", "no", "off", "0000-00-00 00:00:00", "none"])


@dataclass(slots=True, kw_only=True)
class TableReader:
    """Reads the batches of one table."""

    table: Table
    roles: Roles
    rows: TableRows
    times: TimeReader
    search: CellSearch
    read_at: float
    utc_types: tuple[str, ...] = ()
    """Beginnings of declared types whose times the database gives in UTC."""
    own: frozenset[bytes] = frozenset()
    count: int = 0
    """Rows read so far."""
    undated: int = 0
    future: int = 0
    unknown_states: int = 0
    no_mails: int = 0
    """Values of the column for e-mail addresses that are neither one nor a digest."""
    overfull: bool = False
    """Whether columns held more kinds than are told apart."""
    sealed: dict[str, int] = field(default_factory=dict)
    """Column -> cells that no decoder explains."""
    _columns: list[ColumnReader] = field(init=False)
    _memories: list[Memory] = field(init=False)
    _digests: list[hashlib._Hash] = field(init=False)
    _times: dict[str, ColumnTimes] = field(default_factory=dict)
    _states: dict[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._columns = [ColumnReader(column, self.own) for column in self.table.columns]
        self._memories = [Memory(reader.read) for reader in self._columns]
        self._digests = [hashlib.sha256() for _ in self.table.columns]

    def read(self, batch: Sequence[Values], pace: Pace) -> None:
        """Take a batch."""
        values = dict(
            zip(
                (column.name for column in self.table.columns),
                zip(*batch, strict=True),
                strict=True,
            )
        )
        size = len(batch)
        flags = np.zeros(size, dtype=np.int64)
        mails: list[tuple[int, bytes]] = []
        looked: list[tuple[str, Look]] = []
        total = 0
        for reader, memory, digest, column in zip(
            self._columns, self._memories, self._digests, values.values(), strict=True
        ):
            cells = make_cells(column)
            digest.update(cells.data)
            digest.update(SEPARATOR)
            total += len(cells.data)
            look = memory.look(column, cells)
            found = look.found
            mails += found.mails
            if reader.column.name == self.roles.email:
                self.no_mails += _no_mails(cells, found)
            looked.append((reader.column.name, look))
            for kind, rows in found.kinds.items():
                bit = self.rows.slot(reader.column.name, kind)
                self.overfull |= bit is None
                flags[rows] |= bit or 0
                if kind == SEALED:
                    known = self.sealed.get(reader.column.name, 0)
                    self.sealed[reader.column.name] = known + len(rows)
        self.search.read(looked, self.count + 1)
        self.rows.add(self._dated(values, size, flags, sorted(mails)))
        self.count += size
        pace.rows = max(1, min(BATCH, int(BATCH_BYTES / max(total / size, 1))))

    def digest(self) -> str:
        """Return the sha256 over the sha256 of each column's cells, in order of the columns."""
        whole = hashlib.sha256()
        for digest in self._digests:
            whole.update(digest.digest())
        return whole.hexdigest()

    @property
    def cut(self) -> int:
        """Cells of which a bound left out a part."""
        return sum(reader.cut for reader in self._columns)

    def _dated(
        self,
        values: dict[str, tuple[object, ...]],
        size: int,
        flags: NDArray[np.int64],
        mails: list[tuple[int, bytes]],
    ) -> Batch:
        ts = self._moments(values, self.roles.time or self.roles.changed, size)
        deleted = _flag(values, self.roles.deleted, size)
        status = self._status(values, size, deleted)
        since = ts.copy()
        if any(status):
            own = self._since(values, size)
            in_state = np.array([state in LEFT for state in status])
            since = np.where(np.isnan(own) & ~in_state, ts, own)
        late = np.nan_to_num(ts, nan=0.0) > self.read_at + FUTURE_S
        self.future += int(late.sum())
        ts[late], since[late] = np.nan, np.nan
        self.undated += int(np.isnan(ts).sum()) - int(late.sum())
        return Batch(
            first=self.count + 1,
            size=size,
            ts=ts,
            since=since,
            status=status,
            deleted=deleted,
            flags=flags,
            mails=mails,
        )

    def _moments(
        self, values: dict[str, tuple[object, ...]], name: str | None, size: int
    ) -> NDArray[np.float64]:
        if name is None:
            return np.full(size, np.nan)
        known = self._times.get(name)
        if known is None:
            known = self._times[name] = ColumnTimes(self.times, utc=self._in_utc(name))
        return known.read(values[name])

    def _in_utc(self, name: str) -> bool:
        declared = next(column.type for column in self.table.columns if column.name == name)
        return declared.startswith(self.utc_types) if self.utc_types else False

    def _since(self, values: dict[str, tuple[object, ...]], size: int) -> NDArray[np.float64]:
        """Return since when each row is in its state: the time of its state, of its leaving."""
        since = self._moments(values, self.roles.status_time, size)
        if self.roles.left_flag != self.roles.status_time:
            left = self._moments(values, self.roles.left_flag, size)
            since = np.where(np.isnan(since), left, since)
        gone = self._moments(values, self.roles.deleted, size)
        since = np.where(np.isnan(gone), since, gone)
        if self.roles.changed is not None:
            since = np.where(
                np.isnan(since), self._moments(values, self.roles.changed, size), since
            )
        return since

    def _status(
        self, values: dict[str, tuple[object, ...]], size: int, deleted: NDArray[np.bool_]
    ) -> list[str | None]:
        everybody = state_of_table(self.table.name)
        status: list[str | None] = [everybody] * size
        if self.roles.status is not None:
            column = values[self.roles.status]
            status = [self._state(value) or everybody for value in column]
            self.unknown_states += sum(
                state is None and value is not None
                for state, value in zip(status, column, strict=True)
            )
        elif self.roles.stays_flag is not None:
            stays = _flag(values, self.roles.stays_flag, size).tolist()
            status = [everybody or ("subscribed" if one else "unsubscribed") for one in stays]
        if self.roles.left_flag is not None:
            left = _flag(values, self.roles.left_flag, size).tolist()
            status = [
                "unsubscribed" if one else state for one, state in zip(left, status, strict=True)
            ]
        if deleted.any():
            status = [
                "deleted" if one else state
                for one, state in zip(deleted.tolist(), status, strict=True)
            ]
        return status

    def _state(self, value: object) -> str | None:
        if value is None:
            return None
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        if text not in self._states:
            word = text.strip().lower().replace(" ", "_").replace("-", "_")
            state = STATES.get(word)
            if state is None and len(self._states) < MAX_STATES and _is_word(word):
                state = word
            if len(self._states) >= MAX_STATES * 4:
                return state
            self._states[text] = state
        return self._states[text]


def _no_mails(cells: Cells, found: Found) -> int:
    rest = cells.filled
    for kind, rows in found.kinds.items():
        if kind == EMAIL or kind.endswith("digest"):
            rest[rows] = False
    return sum(not is_empty(cells.cell(row)) for row in np.flatnonzero(rest).tolist())


def _is_word(text: str) -> bool:
    return 1 < len(text) <= 24 and text.replace("_", "").isalpha() and text.isascii()


def _flag(values: dict[str, tuple[object, ...]], name: str | None, size: int) -> NDArray[np.bool_]:
    """Return for which rows a column says yes: a time, a number that is not 0, a word for yes."""
    if name is None:
        return np.zeros(size, dtype=bool)
    return np.array([_is_yes(value) for value in values[name]], dtype=bool)


def _is_yes(value: object) -> bool:
    if value is None or value is False or value == 0:
        return False
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    return text.strip("\0").lower() not in _NO if text != "\x00" else False
