"""Lanes: what a loop over the bytes would find."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.identifiers.lanes import (
    ALNUM,
    HEX,
    LETTER,
    LOWER32,
    SEPARATOR,
    UPPER32,
    Lanes,
    ahead,
    any_in,
    behind,
    places,
    runs,
    stretch,
)

PATTERNS = {
    LETTER: rb"[A-Za-z0-9+/_-]",
    ALNUM: rb"[A-Za-z0-9]",
    HEX: rb"[0-9A-Fa-f]",
    UPPER32: rb"[A-Z2-7]",
    LOWER32: rb"[a-z2-7]",
    SEPARATOR: rb"[-:. ,+]",
}
TEXTS = st.lists(
    st.sampled_from([b"a", b"F", b"2", b"9", b"z", b"-", b"+", b" ", b":", b'"', b"\xff", b"a" * 20, b"B7" * 9, b"\n"]),
    max_size=80,
).map(b"".join)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.sampled_from(sorted(PATTERNS)), st.integers(1, 33))
def test_runs_are_those_of_a_pattern(data, class_, count):
    starts, ends = runs(Lanes(data).lane(class_), count)
    expected = [m.span() for m in re.finditer(PATTERNS[class_] + b"{%d,}" % count, data)]
    assert list(zip(starts.tolist(), ends.tolist(), strict=True)) == expected


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.integers(0, 63))
def test_lanes_are_shifted_over_their_words(data, count):
    lane = Lanes(data + b"\n" * 64).lane(ALNUM)
    own = set(places(lane).tolist())
    assert set(places(ahead(lane, count)).tolist()) == {at - count for at in own if at >= count}
    assert set(places(behind(lane, count)).tolist()) == {at + count for at in own}


@settings(max_examples=200, deadline=None)
@given(TEXTS.filter(len), st.data())
def test_whether_a_range_holds_a_place(data, draw):
    lane = Lanes(data).lane(HEX)
    start = draw.draw(st.integers(0, len(data)))
    end = draw.draw(st.integers(start, len(data)))
    expected = re.search(PATTERNS[HEX], data[start:end]) is not None
    assert any_in(lane, np.array([start]), np.array([end])).tolist() == [expected]


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 128])
def test_a_row_may_end_anywhere(size):
    assert len(places(stretch(Lanes(b"a" * size).lane(LETTER), 16))) == max(0, size - 15)
