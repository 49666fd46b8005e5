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


_Held = tuple[dict[str, None], list[bytes]]
"""Kinds that a value holds, in the order of reading, and its e-mail addresses."""


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
    _known: dict[object, _Held | None] = field(default_factory=dict)
    """What each value holds; ``None``: nothing."""
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
        held: list[_Held] = [({}, []) for _ in fresh]
        for kind, rows in found.kinds.items():
            for row in rows.tolist():
                held[row][0][kind] = None
        for row, text in found.mails:
            held[row][1].append(text)
        self._known.update(
            (value, one if any(one) else None) for value, one in zip(fresh, held, strict=True)
        )

    def _told(self, values: Sequence[object]) -> Found:
        found = Found()
        rows: dict[str, list[int]] = {}
        for row, held in enumerate(map(self._known.__getitem__, values)):
            if held is None:
                continue
            for kind in held[0]:
                rows.setdefault(kind, []).append(row)
            for text in held[1]:
                found.mails.append((row, text))
        found.kinds = {kind: np.array(of, dtype=np.int64) for kind, of in rows.items()}
        return found
