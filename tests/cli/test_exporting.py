"""Tables as files: what goes in comes out, typed; cells from strangers start nothing."""

import builtins
import csv
import io
import json
import random
from datetime import UTC, datetime

import pytest

from audit.cli.exporting import WRITERS, to_csv, to_json, to_parquet
from audit.errors import CaptureError, SetupError
from audit.tables.csv_cell import FORMULA
from audit.tables.frames import columns_of, make_frame
from audit.tables.rows import TABLES

TEXTS = (
    "",
    "a",
    "=1+1",
    "+49",
    "-",
    "@a",
    "\ud800",
    "a\nb",
    'q"',
    "\r",
    "\t=",
    "x,y",
    "\uff1d1",
    "0",
)


def value_of(draw, kind):
    if draw.random() < 0.2:
        return None
    match kind:
        case "number" | "bytes":
            return draw.choice((0, -1, 2**63 - 1, draw.randrange(10**6)))
        case "ratio" | "duration":
            return draw.choice((0.0, 1.0, draw.random()))
        case "bool":
            return draw.random() < 0.5
        case "time":
            when = datetime.fromtimestamp(draw.randrange(4 * 10**9), UTC)
            return when.replace(microsecond=draw.randrange(10**6)).isoformat()
        case "list":
            return tuple(draw.choices(TEXTS, k=draw.randrange(3)))
        case _:
            return draw.choice(TEXTS)


def made_rows(draw, table):
    columns = columns_of(table).items()
    return [
        {name: value_of(draw, column.type) for name, column in columns}
        for _ in range(draw.randrange(1, 6))
    ]


CASES = [(table, random.Random(f"{table}/{n}")) for table in sorted(TABLES) for n in range(4)]
each_table = pytest.mark.parametrize("case", CASES, ids=[f"{table}" for table, _ in CASES])


def escaped(value):
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    return [escaped(item) for item in value] if isinstance(value, tuple) else value


@each_table
def test_parquet_gives_back_every_value_with_its_type(case):
    import pyarrow.parquet as pq

    table, draw = case
    rows = made_rows(draw, table)
    frame = make_frame(table, rows)
    read = pq.read_table(io.BytesIO(to_parquet(table, frame)))
    assert read.column_names == list(columns_of(table))
    for name, column in columns_of(table).items():
        assert read.schema.field(name).metadata[b"meaning"].decode() == column.meaning
        found = read[name].to_pandas() if column.type == "time" else read[name].to_pylist()
        if column.type == "time":
            assert str(read.schema.field(name).type) == "timestamp[ns, tz=UTC]"
            expected = frame[name]
            assert [str(one) for one in found] == [str(one) for one in expected]
        else:
            assert found == [escaped(row[name]) for row in rows]
    types = {str(read.schema.field(name).type) for name in read.column_names}
    assert types <= {"string", "int64", "double", "bool", "timestamp[ns, tz=UTC]", "list<element: string>", "list<item: string>"}  # fmt: skip


@each_table
def test_json_is_one_array_of_objects(case):
    table, draw = case
    rows = made_rows(draw, table)
    found = json.loads(to_json(table, make_frame(table, rows)))
    times = {name for name, column in columns_of(table).items() if column.type == "time"}
    for row, back in zip(rows, found, strict=True):
        assert list(back) == list(columns_of(table))
        for name, value in row.items():
            if name in times:
                assert (value is None) == (back[name] is None)
            else:
                assert back[name] == (list(value) if isinstance(value, tuple) else value)


@each_table
def test_no_cell_of_csv_starts_a_formula(case):
    table, draw = case
    rows = made_rows(draw, table)
    read = list(
        csv.reader(io.StringIO(to_csv(table, make_frame(table, rows)).decode(), newline=""))
    )
    assert read[0] == list(columns_of(table))
    assert len(read) == len(rows) + 1
    numbers = {"number", "bytes", "ratio", "duration"}
    for row, cells in zip(rows, read[1:], strict=True):
        for (name, column), cell in zip(columns_of(table).items(), cells, strict=True):
            if column.type not in numbers:
                assert not cell.startswith(FORMULA)
            if isinstance(row[name], str) and column.type != "time":
                assert cell.removeprefix("'") == escaped(row[name]).removeprefix("'")


def test_an_integer_beyond_64_bits_is_said(tmp_path):
    frame = make_frame("http_responses", [{"status": 2**70}])
    with pytest.raises(CaptureError, match=r"http_responses\.status"):
        to_parquet("http_responses", frame)


def test_without_pyarrow_one_sentence_names_the_extra(monkeypatch):
    real = builtins.__import__

    def refuse(name, *rest, **more):
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(SetupError, match=r"privacy-audit\[parquet\]"):
        to_parquet("events", make_frame("events", []))


@pytest.mark.parametrize("format_", sorted(WRITERS))
@pytest.mark.parametrize("table", sorted(TABLES))
def test_empty_tables_can_be_written(table, format_):
    assert WRITERS[format_](table, make_frame(table, []))
