"""What a column repeats is looked at once, and told of every row."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from audit.readers.database_access import Column
from audit.readers.database_cells import make_cells
from audit.readers.database_columns import ColumnReader
from audit.readers.database_memory import Memory

CELLS = st.lists(
    st.sampled_from(["a@b.example", "203.0.113.7", None, "x", "of a@b.example, c@d.example", "9"]),
    min_size=1,
    max_size=40,
)


@settings(max_examples=60)
@given(st.lists(CELLS, min_size=1, max_size=5))
def test_a_memory_tells_what_reading_every_cell_tells(batches: list[list[str | None]]) -> None:
    reader = ColumnReader(Column(name="note", type="text"))
    memory = Memory(reader.read)
    for values in batches:
        cells = make_cells(values)
        told, whole = memory.look(values, cells).found, reader.read(cells)
        assert sorted(told.mails) == sorted(whole.mails)
        assert {kind: set(rows.tolist()) for kind, rows in told.kinds.items()} == {
            kind: set(rows.tolist()) for kind, rows in whole.kinds.items()
        }


def test_only_what_is_new_is_searched_and_names_its_row() -> None:
    memory = Memory(ColumnReader(Column(name="note", type="text")).read)
    first = memory.look(["x", "y", "x"], make_cells(["x", "y", "x"]))
    assert sorted(first.rows.tolist()) == [0, 1]
    again = memory.look(["y", "x", "z", "z"], make_cells(["y", "x", "z", "z"]))
    assert again.cells is not None
    assert (again.cells.data, again.rows.tolist()) == (b"z", [2])
    assert memory.look(["x"], make_cells(["x"])).cells is None


def test_kinds_are_told_in_the_order_of_reading_in_every_run() -> None:
    memory = Memory(ColumnReader(Column(name="note", type="text")).read)
    values = ["a@b.example of 203.0.113.7, 02:00:5e:10:00:07, Mozilla/5.0", "x"]
    told = memory.look(values, make_cells(values)).found
    assert list(told.kinds) == ["email", "address", "mac", "user_agent"]


def test_a_column_that_repeats_nothing_is_read_as_it_comes() -> None:
    memory = Memory(ColumnReader(Column(name="note", type="text")).read)
    for batch in range(6):
        values = [f"v{batch}-{number}" for number in range(50)]
        look = memory.look(values, make_cells(values))
        assert look.cells is not None
    assert look.rows.tolist() == list(range(50))
