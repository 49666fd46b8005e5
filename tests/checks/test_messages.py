from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.checks.messages import render_message, render_time, render_value, shorten
from audit.checks.program import FieldRef, Message


def field(type_="text", path=()):
    return FieldRef(table="t", column="c", path=path, type=type_, text="c")


@pytest.mark.parametrize(
    ("value", "type_", "path", "text"),
    [
        ("x", "text", (), "x"),
        (None, "text", (), None),
        (34_560_000.0, "duration", (), "400d"),
        (0, "time", (), "1970-01-01T00:00:00.000000Z"),
        (True, "bool", (), "true"),
        (("proxy", "packets"), "list", (), "proxy, packets"),
        ({"b": 1, "a": 2}, "json", ("x",), '{"a": 2, "b": 1}'),
        (5, "json", ("x",), "5"),
    ],
)
def test_values_read_as_people_write_them(value, type_, path, text):
    assert render_value(value, field(type_, path)) == text


def test_a_message_says_where_there_is_no_value_and_cuts_long_ones():
    message = Message(pieces=("to ", field(), "!"))
    assert render_message(message, lambda _: None) == "to (none)!"
    assert len(render_message(message, lambda _: "x" * 10_000)) < 300


@given(st.integers(-(2**63), 2**63 - 1))
def test_any_moment_renders(nanoseconds):
    assert render_time(nanoseconds)


def test_shortening_keeps_the_beginning():
    assert shorten("abcdef", 4) == "abc…"
