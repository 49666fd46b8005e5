"""Lines of logs as rows: one for the lines of an hour that have the same fields, in flat memory.

The row of a group has the earliest and the latest moment of its lines, and points at the line of
the earliest. Lines of which nothing is known are rows of their own, with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from audit.tables.frames import Row

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[Any]

HOUR: Final = 3600
MAX_GROUPS: Final = 100_000
"""Groups of one log; more are counted, and block a pass."""
MAX_UNSURE: Final = 2_000
"""Stretches of lines without meaning that are named one by one; the rest is counted."""
FUTURE_S: Final = 300
"""Seconds that a line may be dated after the moment of reading: clocks differ."""
BACK_S: Final = 3600
"""Seconds that the time of a line may lie before that of an earlier one: answers are logged when
they end, machines that share a file differ."""

_BACK: Final = "its time lies more than an hour before that of an earlier line: a wrong clock"
Fields = tuple[tuple[str, str], ...]
"""Names of fields and what they hold, sorted."""


@dataclass(slots=True)
class _Group:
    first: float
    last: float
    line: int
    count: int


@dataclass(slots=True)
class _Stretch:
    first: int
    last: int
    count: int
    why: str


@dataclass(slots=True, kw_only=True)
class LogRows:
    """Collects what the lines of one log say."""

    capture: str
    source: str
    """Role of the source."""
    name: str
    """As references name the log."""
    dataset: str
    read_at: float
    """Moment of reading, seconds since 1970 UTC."""
    dated: int = 0
    first: float | None = None
    last: float | None = None
    _groups: dict[tuple[int, Fields], _Group] = field(default_factory=dict)
    _unsure: list[_Stretch] = field(default_factory=list)
    _more: int = 0
    _lost: int = 0
    _highest: int = 0

    def add(
        self, fields: Fields, earliest: float, latest: float, line: int, count: int = 1
    ) -> None:
        """Add lines of one hour; ``line`` is the number of the earliest."""
        if latest > self.read_at + FUTURE_S:
            self.unsure(line, "its time lies in the future: a wrong clock", count=count)
            return
        self.dated += count
        self.first = earliest if self.first is None else min(self.first, earliest)
        self.last = latest if self.last is None else max(self.last, latest)
        key = (int(earliest // HOUR), fields)
        known = self._groups.get(key)
        if known is None:
            if len(self._groups) >= MAX_GROUPS:
                self._lost += count
                return
            self._groups[key] = _Group(earliest, latest, line, count)
            return
        if earliest < known.first:
            known.first, known.line = earliest, line
        known.last = max(known.last, latest)
        known.count += count

    def unsure(self, line: int, why: str, *, count: int = 1, upto: int | None = None) -> None:
        """Note lines of which nothing is known."""
        last = line if upto is None else upto
        before = self._unsure[-1] if self._unsure else None
        if before is not None and before.why == why and line <= before.last + 1:
            before.last, before.count = max(before.last, last), before.count + count
        elif len(self._unsure) < MAX_UNSURE:
            self._unsure.append(_Stretch(line, last, count, why))
        else:
            self._more += count

    def check_clock(self, when: Numbers, numbers: Numbers) -> None:
        """Note lines, given in order, whose time lies well before that of an earlier one."""
        import numpy as np

        if not len(when):
            return
        known = np.where(when > self.read_at + FUTURE_S, 0, when)
        highest = np.maximum.accumulate(np.maximum(known, self._highest))
        for index in np.flatnonzero(when < highest - BACK_S).tolist():
            self.unsure(int(numbers[index]), _BACK)
        self._highest = int(highest[-1])

    def check_line(self, when: float, number: int) -> None:
        """Do the same for one line."""
        if when > self.read_at + FUTURE_S:
            return
        if when < self._highest - BACK_S:
            self.unsure(number, _BACK)
        self._highest = max(self._highest, int(when))

    def rows(self) -> list[Row]:
        """Return the rows, groups by time, then what is unsure."""
        found = [
            self._row(group.line)
            | {
                "ts": moment(group.first),
                "last_ts": moment(group.last),
                "lines": group.count,
                "fields": fields_json(fields),
            }
            for (_, fields), group in sorted(
                self._groups.items(), key=lambda item: (item[1].first, item[1].line)
            )
        ]
        for one in self._unsure:
            place = (
                f"line {one.first}" if one.last == one.first else f"lines {one.first}-{one.last}"
            )
            found.append(
                self._row(one.first) | {"lines": one.count, "unsure": f"{place}: {one.why}"}
            )
        if self._more:
            why = f"{self._more} more lines of which nothing is known"
            found.append(self._row(None) | {"lines": self._more, "unsure": why})
        if self._lost:
            why = f"{self._lost} lines differ in so many ways that they were not kept apart"
            found.append(self._row(None) | {"lines": self._lost, "unsure": why})
        return found

    def _row(self, line: int | None) -> Row:
        place = self.name if line is None else f"{self.name}#{line}"
        return {
            "capture": self.capture,
            "ref": place,
            "source": self.source,
            "dataset": self.dataset,
            "name": self.name,
        }


def moment(seconds: float) -> str:
    """Return seconds since 1970 as the ``ts`` column has them: UTC, microseconds, ``Z``."""
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")
    return text.replace("+00:00", "Z")


def fields_json(fields: Fields) -> str:
    """Return fields as canonical JSON text."""
    import json

    return json.dumps(dict(fields), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
