"""In how many of the recordings that could have shown it a finding shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from functools import cached_property

from audit.checks.union import Union


class Recurrence:
    """Counts the recordings of one release for the findings of one check.

    A recording could have shown a finding if it supplies all that the check observes, exercised all
    that it asks for, and is of a pass, vantage and platform in which the finding shows somewhere:
    what only intercepted recordings show is no less certain for being absent from passive ones.
    ``is_able`` says it of a capture by its index; it is asked only where two recordings are alike.
    """

    def __init__(self, union: Union, is_able: Callable[[int], bool]) -> None:
        self._kinds = [(one.pass_, one.vantage, one.platform) for one in union.captures]
        self._is_able = is_able

    @cached_property
    def _able(self) -> frozenset[int]:
        return frozenset(index for index in range(len(self._kinds)) if self._is_able(index))

    def of(self, shown: Iterable[int]) -> tuple[int, int] | None:
        """Return (k, n) for a finding that shows in these captures.

        ``None``: no two recordings are alike, so nothing can be said.
        """
        seen = frozenset(shown)
        alike = Counter(self._kinds)
        kinds = {kind for index in seen if alike[kind := self._kinds[index]] > 1}
        if not kinds:
            return None
        could = Counter(self._kinds[index] for index in self._able | seen)
        kinds = {kind for kind in kinds if could[kind] > 1}
        if not kinds:
            return None
        count = sum(self._kinds[index] in kinds for index in seen)
        return count, sum(could[kind] for kind in kinds)
