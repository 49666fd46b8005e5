"""Rows of a table as rows of ``db_records``: people one by one, the rest in groups of an hour."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from audit.readers.database_roles import LEFT
from audit.readers.logrows import moment
from audit.readers.providers import email_hash
from audit.tables.frames import Row

HOUR: Final = 3600
MAX_GROUPS: Final = 100_000
"""Groups of one table; rows of more are counted, and block a pass."""
MAX_PEOPLE: Final = 250_000
"""Rows of one table that are told one by one, for the e-mail address that they hold."""
MAX_SLOTS: Final = 62
"""Pairs of column and kind that are told apart in one table."""


@lru_cache(maxsize=65536)
def _moment(seconds: float) -> str | None:
    """Return seconds since 1970 as times stand in tables; ``None`` for NaN."""
    return None if math.isnan(seconds) else moment(seconds)


@dataclass(slots=True, kw_only=True)
class Batch:
    """What is known of some rows of a table."""

    first: int
    """Number of the first, from 1 on."""
    size: int
    ts: NDArray[np.float64]
    """When each was collected; NaN: not known."""
    since: NDArray[np.float64]
    """Since when it is in its state, else as ``ts``."""
    status: Sequence[str | None]
    deleted: NDArray[np.bool_]
    flags: NDArray[np.int64]
    """Bits of what each holds, see :meth:`TableRows.slot`."""
    mails: Sequence[tuple[int, bytes]] = ()
    """Row of the batch and an e-mail address in it."""


@dataclass(slots=True)
class _Group:
    ts: float
    since: float
    number: int
    count: int


_Key = tuple[str | None, bool, int, bool]


@dataclass(slots=True, kw_only=True)
class TableRows:
    """Collects the rows of one table."""

    base: Row
    """Columns that every row has: capture, source, table."""
    place: str
    """Name of the table in references."""
    own: frozenset[str] = frozenset()
    """Hashes of the subject's addresses: rows with one are told one by one, come what may."""
    people: list[Row] = field(default_factory=list)
    lost: int = 0
    """Rows that were in too many groups to be kept apart."""
    folded: int = 0
    """Rows with an e-mail address that are not told one by one."""
    left: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    """Hash of a person's address -> state and since when, of those who left."""
    _groups: dict[tuple[float, float, _Key], _Group] = field(default_factory=dict)
    _slots: dict[tuple[str, str], int] = field(default_factory=dict)
    _texts: dict[int, str] = field(default_factory=dict)

    def slot(self, column: str, kind: str) -> int | None:
        """Return the bit of a column and kind; ``None``: there are too many."""
        known = self._slots.get((column, kind))
        if known is None and len(self._slots) < MAX_SLOTS:
            known = self._slots[column, kind] = 1 << len(self._slots)
        return known

    def add(self, batch: Batch) -> None:
        """Take some rows."""
        alone = np.zeros(batch.size, dtype=bool)
        people = ((row, email_hash(text.decode())) for row, text in batch.mails)
        for row, digest in dict.fromkeys(people):
            if len(self.people) < MAX_PEOPLE or digest in self.own:
                alone[row] = True
                self._person(batch, row, digest)
            else:
                self.folded += 1
        if not alone.all():
            self._group(batch, np.flatnonzero(~alone))

    def rows(self) -> list[Row]:
        """Return the rows, those of groups by time."""
        groups = [
            self._row(key, group)
            for (_, _, key), group in sorted(
                self._groups.items(), key=lambda item: (item[1].ts, item[1].number)
            )
        ]
        return groups + self.people

    def _person(self, batch: Batch, row: int, digest: str) -> None:
        status, since = batch.status[row], _moment(float(batch.since[row]))
        self.people.append(
            self.base
            | {
                "ref": f"{self.place}#{batch.first + row}",
                "ts": _moment(float(batch.ts[row])),
                "status": status,
                "status_since": since,
                "email": "readable",
                "email_hash": digest,
                "holds": self._text(int(batch.flags[row])),
                "deleted": bool(batch.deleted[row]),
                "records": 1,
            }
        )
        if status in LEFT:
            self.left[digest] = (str(status), since)

    def _group(self, batch: Batch, chosen: NDArray[np.int64]) -> None:
        names = {status: number for number, status in enumerate(dict.fromkeys(batch.status))}
        states = list(names)
        codes = np.array([names[status] for status in batch.status], dtype=np.float64)
        mail = np.zeros(batch.size, dtype=np.float64)
        mail[[row for row, _ in batch.mails]] = 1
        table = np.column_stack(
            (
                np.nan_to_num(np.floor(batch.ts / HOUR), nan=-1),
                np.nan_to_num(np.floor(batch.since / HOUR), nan=-1),
                codes,
                batch.deleted,
                mail,
            )
        )[chosen]
        keys = np.column_stack((table.astype(np.int64), batch.flags[chosen]))
        order = np.lexsort(keys.T)
        ordered = keys[order]
        changes = np.flatnonzero((ordered[1:] != ordered[:-1]).any(axis=1)) + 1
        for start, end in zip([0, *changes.tolist()], [*changes.tolist(), len(order)], strict=True):
            members = chosen[order[start:end]]
            ts_hour, since_hour, code, deleted, has_mail, flags = ordered[start].tolist()
            key = (states[code], bool(deleted), flags, bool(has_mail))
            self._merge((ts_hour, since_hour, key), batch, members)

    def _merge(
        self, at: tuple[float, float, _Key], batch: Batch, members: NDArray[np.int64]
    ) -> None:
        times = batch.ts[members]
        index = int(members[0] if np.isnan(times).all() else members[int(np.nanargmin(times))])
        sinces = batch.since[members]
        since = float("nan") if np.isnan(sinces).all() else float(np.nanmin(sinces))
        known = self._groups.get(at)
        if known is None:
            if len(self._groups) >= MAX_GROUPS:
                self.lost += len(members)
                return
            first = float(batch.ts[index])
            self._groups[at] = _Group(first, since, batch.first + index, len(members))
            return
        if batch.ts[index] < known.ts:
            known.ts, known.number = float(batch.ts[index]), batch.first + index
        known.since = min(known.since, since)
        known.count += len(members)

    def _row(self, key: _Key, group: _Group) -> Row:
        status, deleted, flags, has_mail = key
        return self.base | {
            "ref": f"{self.place}#{group.number}",
            "ts": _moment(group.ts),
            "status": status,
            "status_since": _moment(group.since),
            "email": "readable" if has_mail else None,
            "holds": self._text(flags),
            "deleted": deleted,
            "records": group.count,
        }

    def _text(self, flags: int) -> str:
        """Return what rows hold: column -> kind, and each kind by itself."""
        known = self._texts.get(flags)
        if known is None:
            held = [pair for pair, bit in self._slots.items() if bit & flags]
            found = {kind: kind for _, kind in held} | dict(reversed(held))
            known = self._texts[flags] = json.dumps(
                found, ensure_ascii=False, sort_keys=True, separators=(",", ":")
            )
        return known
