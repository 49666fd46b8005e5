from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.checks import encoding
from audit.checks.conditions import compile_condition
from audit.checks.encoding import UNREADABLE, descend, document, encode_frames, encode_rows
from audit.checks.variables import Variables
from audit.tables.frames import columns_of, make_frame


def table(*rows, name="http_requests"):
    return encode_frames(name, [make_frame(name, rows)])


def test_equal_values_share_a_code_and_absent_ones_have_none():
    encoded = table({"path": "/a"}, {"path": None}, {"path": "/b"}, {"path": "/a"}).encoded("path")
    assert encoded.codes.tolist() == [0, -1, 1, 0]
    assert list(encoded.distinct) == ["/a", "/b"]


def test_times_are_nanoseconds():
    encoded = table({"ts": "1970-01-01T00:00:01.5Z"}, {"ts": None}).encoded("ts")
    assert (encoded.at(0), encoded.at(1)) == (1_500_000_000, None)


def test_lists_that_a_reader_left_are_read_as_tuples():
    rows = table({"taps": ["proxy"]}, {"taps": ("proxy",)}, {"taps": None}, {"taps": ()})
    encoded = rows.encoded("taps")
    assert encoded.at(0) == encoded.at(1) == ("proxy",)
    assert (encoded.at(2), encoded.at(3)) == (None, ())


def test_a_path_into_json_tells_numbers_from_flags():
    texts = ['{"a":1}', '{"a":true}', '{"a":1.0}', '{"a":null}', "{}", "[1]", "{", None]
    encoded = table(*({"json": text} for text in texts)).encoded("json", ("a",))
    values = [encoded.at(row) for row in range(len(texts))]
    assert values[:2] == [1, True]
    assert values[1] is True
    assert values[3:] == [None, None, None, UNREADABLE, None]


def test_rows_know_which_frame_they_came_from():
    frames = [make_frame("events", [{"name": "a"}] * n) for n in (2, 0, 1)]
    encoded = encode_frames("events", frames)
    assert encoded.origin.tolist() == [0, 0, 2]
    assert encoded.size == 3


def test_controls_are_left_out():
    rows = table({"path": "/a", "process": "control"}, {"path": "/b", "process": None})
    assert [rows.value("path", row) for row in range(rows.size)] == ["/b"]


def test_no_frame_is_an_empty_table():
    empty = encode_frames("events", [])
    assert empty.size == 0
    assert empty.encoded("name").codes.tolist() == []


def test_a_constant_column_stands_beside_the_others():
    rows = encode_rows("events", columns_of("events"), [{"name": "a"}, {"name": "b"}])
    more = rows.with_constant("direction", "sent")
    assert [more.value("direction", row) for row in (0, 1)] == ["sent", "sent"]
    assert more.value("name", 1) == "b"
    assert rows.encoded("direction").at(0) is None


def test_what_is_no_json_is_unreadable_all_the_way_down():
    assert document("{") is UNREADABLE
    assert descend(UNREADABLE, ("a", "b")) is UNREADABLE
    assert document("[" * 100_000) is UNREADABLE


@given(st.lists(st.sampled_from(["a", "b", None, "", "\ud800"]), max_size=30))
def test_an_encoded_column_holds_every_value(values):
    encoded = table(*({"path": value} for value in values)).encoded("path")
    assert [encoded.at(row) for row in range(len(values))] == values
    assert len(encoded.distinct) == len({value for value in values if value is not None})
    assert np.all(encoded.codes < len(encoded.distinct))


@given(st.text(alphabet=st.sampled_from('{}[]":, 1ae\n\\tru')) | st.text())
def test_a_document_is_what_json_says_it_is(text):
    try:
        expected = json.loads(text)
    except (ValueError, RecursionError):
        expected = UNREADABLE
    found = document(text)
    assert repr(found) == repr(expected)


def test_of_many_documents_only_those_whose_answer_counts_are_parsed(monkeypatch):
    monkeypatch.setattr(encoding, "_KEPT_DOCUMENTS", 2)
    columns = columns_of("http_requests")
    texts = ['{"a":1}', '{"a":2}', "broken", '{"b":3}', None]
    table = encode_rows("http_requests", columns, [{"json": text} for text in texts])
    alive = np.array([True, False, True, True, True])
    found = table.inside("json", ("a",), alive)
    assert [found.at(row) for row in (0, 2, 3, 4)] == [1, UNREADABLE, None, None]
    whole = table.inside("json", (), alive)
    assert [whole.at(row) for row in (0, 3)] == [{"a": 1}, {"b": 3}]
    assert [table.inside("json", ("a",)).at(row) for row in (0, 1)] == [1, 2]


@given(
    st.lists(st.sampled_from(['{"a":1}', '{"a":2}', '{"b":1}', "no", None]), max_size=8),
    st.integers(0, 3),
)
def test_answers_do_not_depend_on_how_many_documents_are_kept(texts, kept):
    columns = columns_of("http_requests")
    cond = {
        "method": "POST",
        "any": [{"json.a": 1}, {"json|has_key": "b"}],
        "not": {"json.b|gt": 4},
    }
    variables = Variables(declared={}, values={})
    condition = compile_condition(cond, "http_requests", variables, {})
    rows = [{"json": text, "method": ("POST", "GET")[n % 3 == 0]} for n, text in enumerate(texts)]
    expected = [condition.of(row) for row in rows]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "_KEPT_DOCUMENTS", kept)
        table = encode_rows("http_requests", columns, rows)
        assert condition.evaluate(table).tolist() == expected
