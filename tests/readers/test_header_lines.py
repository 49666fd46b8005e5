"""What one header line says; the object of the headers column."""

import json

from hypothesis import given
from hypothesis import strategies as st

from audit.readers import header_lines
from audit.readers.header_lines import HeaderPairs, header_object, line_of, lines_of, text

headers = st.lists(st.tuples(st.binary(max_size=8), st.binary(max_size=20)), max_size=6)


@given(headers)
def test_the_object_holds_every_value_under_its_name_in_lower_case(pairs):
    found = json.loads(header_object(lines_of(tuple(pairs))))
    expected: dict[str, str] = {}
    for name, value in pairs:
        key = text(name.lower())
        if name.startswith(b":") or name.lower() == b"proxy-authorization":
            continue
        between = "; " if key == "cookie" else ", "
        expected[key] = expected[key] + between + text(value) if key in expected else text(value)
    assert found == expected
    assert list(found) == sorted(found)


def test_credentials_for_a_proxy_and_pseudo_headers_are_in_no_column():
    pairs = ((b":authority", b"a.example"), (b"Proxy-Authorization", b"Basic x"), (b"A", b"1"))
    assert header_object(lines_of(pairs)) == '{"a":"1"}'


def test_a_cookie_that_is_set_goes_by_its_own_name():
    line = line_of((b"Set-Cookie", b" id =7; Path=/"))
    assert (line.name.location, line.detail) == ("cookie", "id")


@given(st.binary(max_size=12), st.binary(max_size=40))
def test_a_line_that_is_remembered_says_the_same(name, value):
    pair = (name, value)
    assert lines_of((pair,)) == [line_of(pair)] == lines_of((pair,))


def test_the_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(header_lines, "_MOST", 3)
    for number in range(10):
        lines_of(((b"x-%d" % number, b"1"),))
    assert len(header_lines._lines) <= 3
    assert len(header_lines._names) <= 3


def test_lines_that_came_with_the_pairs_are_taken():
    pairs = HeaderPairs([(b"A", b"1")])
    pairs.lines = [line_of((b"B", b"2"))]
    assert lines_of(pairs) is pairs.lines
