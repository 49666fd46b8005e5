"""Ranges that do not overlap: as a list would find them, without looking through it."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from audit.identifiers.spans import Spans, merge_spans

RANGES = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 9)).map(lambda pair: (pair[0], pair[0] + pair[1])),
    max_size=25,
)


@settings(max_examples=200, deadline=None)
@given(RANGES, st.integers(0, 60), st.integers(1, 9))
def test_what_overlaps_is_found_and_never_added(ranges, start, size):
    spans: Spans[tuple[int, int]] = Spans()
    kept: list[tuple[int, int]] = []
    for low, high in ranges:
        free = all(high <= other[0] or other[1] <= low for other in kept)
        assert spans.add(low, high, (low, high)) is free
        if free:
            kept.append((low, high))
    expected = sorted(item for item in kept if item[0] < start + size and start < item[1])
    assert [item for _, _, item in spans.between(start, start + size)] == expected
    assert spans.overlapping(start, start + size) == (expected[0] if expected else None)
    assert spans.items() == sorted(kept)


@settings(max_examples=200, deadline=None)
@given(RANGES)
def test_joined_ranges_cover_the_same_bytes(ranges):
    merged = merge_spans((low, high, low) for low, high in ranges).between(0, 100)
    covered = {at for low, high in ranges for at in range(low, high)}
    assert {at for low, high, _ in merged for at in range(low, high)} == covered
    assert all(first[1] <= second[0] for first, second in itertools.pairwise(merged))
