"""Ranges that do not overlap, found again in logarithmic time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Spans(Generic[Item]):
    """Half-open ranges, each with what it stands for; none overlaps another."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._items: list[Item] = []

    def add(self, start: int, end: int, item: Item) -> bool:
        """Add a range unless it overlaps one that is there; tell whether it was added."""
        if self.overlapping(start, end) is not None:
            return False
        at = bisect_left(self._starts, start)
        self._starts.insert(at, start)
        self._ends.insert(at, end)
        self._items.insert(at, item)
        return True

    def overlapping(self, start: int, end: int) -> Item | None:
        """Return the first range that overlaps a range; None: there is none."""
        at = bisect_right(self._ends, start)
        return self._items[at] if at < len(self._starts) and self._starts[at] < end else None

    def between(self, start: int, end: int) -> list[tuple[int, int, Item]]:
        """Return every range that overlaps a range, in order."""
        low, high = bisect_right(self._ends, start), bisect_left(self._starts, end)
        return [(self._starts[at], self._ends[at], self._items[at]) for at in range(low, high)]

    def items(self) -> list[Item]:
        """Return what all ranges stand for, in order."""
        return list(self._items)


def merge_spans(ranges: Iterable[tuple[int, int, Item]]) -> Spans[Item]:
    """Join overlapping ranges; of what they stand for the first counts."""
    merged: Spans[Item] = Spans()
    low = high = 0
    item: Item | None = None
    for start, end, own in sorted(ranges, key=lambda span: (span[0], -span[1])):
        if item is not None and start < high:
            high = max(high, end)
            continue
        if item is not None:
            merged.add(low, high, item)
        low, high, item = start, end, own
    if item is not None:
        merged.add(low, high, item)
    return merged
