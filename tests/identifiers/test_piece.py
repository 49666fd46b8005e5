"""Where decoded bytes lie among the encoded ones, and the bounds of a search."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from audit.identifiers.piece import MAX_STEPS, Budget, Piece, Segments

UNITS = st.lists(
    st.tuples(st.sampled_from([b"a", b"bc", b"\xc3\xa9"]), st.integers(1, 6)),
    min_size=1,
    max_size=20,
)


@settings(max_examples=200, deadline=None)
@given(UNITS, st.data())
def test_a_range_of_decoded_bytes_maps_to_the_units_it_touches(units, data):
    decoded, encoded, owner = [0], [10], []
    for number, (unit, length) in enumerate(units):
        decoded.append(decoded[-1] + len(unit))
        encoded.append(encoded[-1] + length)
        owner += [number] * len(unit)
    start = data.draw(st.integers(0, len(owner) - 1))
    end = data.draw(st.integers(start + 1, len(owner)))
    low, high = Segments(decoded, encoded).span(start, end)
    first, last = owner[start], owner[end - 1]
    assert encoded[first] <= low < high <= encoded[last + 1]
    if len(units[first][0]) != units[first][1]:
        assert low == encoded[first]
    if len(units[last][0]) != units[last][1]:
        assert high == encoded[last + 1]


def test_a_part_lies_where_it_was_cut_out():
    piece = Piece(b"0123456789").part(3, 8)
    assert piece.data == b"34567"
    assert piece.in_parent(1, 3) == (4, 6)
    assert piece.depth == 0


def test_what_runs_out_is_named():
    budget = Budget(steps=1, total=100)
    assert budget.spend(50)
    assert not budget.spend(1)
    assert list(budget.cut) == ["the identifier search ran out of steps inside one payload"]
    budget = Budget(steps=MAX_STEPS, total=10)
    assert not budget.spend(11)
    assert list(budget.cut) == ["the identifier search ran out of decoded bytes inside one payload"]
