"""Values that a column repeats are looked at once: what they hold is remembered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from audit.readers.database_cells import Cells, Rows, make_cells
from audit.readers.database_columns import Found

MAX_VALUES: Final = 50_000
"""Different values of one column that are remembered."""
STRIKES: Final = 4
"""Batches of mostly new values after which a column is taken to repeat none."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one batch of a column holds."""

    found: Found
    cells: Cells | None
    """What is new in it, to be searched; ``None``: nothing."""
    binary: list[int]
    """Which of ``cells`` are no text."""
    rows: Rows
    """In which row each of ``cells`` stands first."""


@dataclass(slots=True)
class Memory:
    """What is known of the values of one column."""

    read: Callable[[Cells], Found]
    """Reads cells that are new."""
    _known: dict[object, int] = field(default_factory=dict)
    _kinds: list[tuple[str, ...]] = field(default_factory=list)
    _mails: list[tuple[bytes, ...]] = field(default_factory=list)
    _strikes: int = 0

    def look(self, values: Sequence[object], cells: Cells) -> Look:
        """Return what a batch holds, and what of it is new."""
        fresh = self._fresh(values)
        if fresh is None:
            whole = self.read(cells)
            return Look(whole, cells, whole.binary, np.arange(len(values), dtype=np.int64))
        new = make_cells(list(fresh)) if fresh else None
        found = self.read(new) if new is not None else Found()
        self._learn(list(fresh), found)
        rows = np.array(list(fresh.values()), dtype=np.int64)
        return Look(self._told(values), new, found.binary, rows)

    def _fresh(self, values: Sequence[object]) -> dict[object, int] | None:
        """Return values that are new and where they stand first; ``None``: most are."""
        if self._strikes >= STRIKES:
            return None
        try:
            first = dict(zip(reversed(values), range(len(values) - 1, -1, -1), strict=True))
        except TypeError:  # lists and objects of JSON have no hash
            self._strikes = STRIKES
            return None
        fresh = {value: row for value, row in first.items() if value not in self._known}
        self._strikes += len(fresh) * 2 > len(values)
        if self._strikes >= STRIKES or len(self._known) + len(fresh) > MAX_VALUES:
            self._strikes = STRIKES
            return None
        return fresh

    def _learn(self, fresh: list[object], found: Found) -> None:
        kinds: list[list[str]] = [[] for _ in fresh]
        for kind, rows in found.kinds.items():
            for row in np.unique(rows).tolist():
                kinds[row].append(kind)
        mails: list[list[bytes]] = [[] for _ in fresh]
        for row, text in found.mails:
            mails[row].append(text)
        for value, held, texts in zip(fresh, kinds, mails, strict=True):
            self._known[value] = len(self._kinds)
            self._kinds.append(tuple(held))
            self._mails.append(tuple(texts))

    def _told(self, values: Sequence[object]) -> Found:
        codes = np.array([self._known[value] for value in values], dtype=np.int64)
        found = Found()
        for code in np.unique(codes).tolist():
            if self._mails[code]:
                rows = np.flatnonzero(codes == code).tolist()
                found.mails += [(row, text) for row in rows for text in self._mails[code]]
        for kind in {kind for held in self._kinds for kind in held}:
            has = np.array([kind in held for held in self._kinds], dtype=bool)
            held_by = np.flatnonzero(has[codes])
            if len(held_by):
                found.kinds[kind] = held_by
        return found
