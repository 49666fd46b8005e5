import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.tables.csv_cell import FORMULA, csv_cell


@pytest.mark.parametrize("first", FORMULA)
@pytest.mark.parametrize("before", ["", " ", "   "])
def test_no_cell_is_a_formula(first, before):
    (row,) = csv.reader([csv_cell(f"{before}{first}1+1")], strict=True)
    assert row == [f"'{before}{first}1+1"]


@given(st.text(st.characters(exclude_characters="\0")))
def test_a_reader_reads_the_text(text):
    (row,) = csv.reader(io.StringIO(csv_cell(text) + ",x\r\n", newline=""), strict=True)
    told = f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text
    assert row == [told, "x"]
