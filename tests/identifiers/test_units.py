"""Where escapes stand, as the patterns of their decoders find them."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.identifiers.layer import first_layer
from audit.identifiers.units import (
    Units,
    backslash_units,
    entity_units,
    form_units,
    percent_units,
    plus_units,
    quoted_units,
    written,
)

ESCAPE = re.compile(
    rb"\\u[0-9A-Fa-f]{4}|\\u\{[0-9A-Fa-f]{1,6}\}|\\x[0-9A-Fa-f]{2}|\\[0-3][0-7]{2}"
    rb"|\\U[0-9A-Fa-f]{8}|\\[\"'\\/bfnrt0]"
)
PARTS = st.lists(
    st.sampled_from([b"\\", b"u0041", b"x4", b"1", b"n", b"u{1f600}", b"U0001f600", b'"', b"7", b" "]),
    max_size=30,
).map(b"".join)  # fmt: skip


def spans(units: Units) -> list[tuple[int, int]]:
    return list(zip(units.at.tolist(), (units.at + units.size).tolist(), strict=True))


@settings(max_examples=300, deadline=None)
@given(PARTS)
def test_backslashes_are_read_from_left_to_right(data):
    units = backslash_units(first_layer([data]))
    assert spans(units) == [match.span() for match in ESCAPE.finditer(data)]


def test_percents_need_two_digits():
    layer = first_layer([b"%41%4%zz%7E%"])
    units = percent_units(layer.lanes.array, np.flatnonzero(layer.lanes.array == 0x25))
    assert spans(units) == [(0, 3), (8, 11)]
    assert units.code.tolist() == [0x41, 0x7E]


def test_entities_by_number_and_by_name():
    units = entity_units(first_layer([b"&amp; &#65; &#x1F600; &nosuchname; &"]))
    assert units.code.tolist() == [0x26, 65, 0x1F600]


def test_quoted_printable_shows_by_more_than_one_byte():
    assert spans(quoted_units(first_layer([b"id=12"]))) == []
    assert spans(quoted_units(first_layer([b"Zo=C3=AB"]))) == [(2, 5), (5, 8)]
    assert spans(quoted_units(first_layer([b"soft=\r\nline=E9"]))) == [(4, 7), (11, 14)]


def test_plus_is_a_space_in_forms_and_beside_percents():
    assert spans(form_units(first_layer([b"1+1 q=a+b&r=c+d"]))) == [(7, 8), (13, 14)]
    layer = first_layer([b'a+b%20c "d+e"'])
    percents = percent_units(layer.lanes.array, np.array([3]))
    assert spans(plus_units(layer, percents)) == [(1, 2), (3, 6)]


@pytest.mark.parametrize("text", ["A", "é", "€", "😀", "A€é😀"])
def test_characters_are_written_in_utf8(text):
    data = "".join(f"&#{ord(char)};" for char in text).encode()
    out, made = written(entity_units(first_layer([data])))
    rows = [bytes(row[:count]) for row, count in zip(out, made, strict=True)]
    assert b"".join(rows) == text.encode()


def test_surrogates_are_one_character():
    out, made = written(backslash_units(first_layer([b"\\ud83d\\ude00"])))
    assert (bytes(out[0]), made.tolist()) == ("😀".encode(), [4, 0])
