from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import PolicyError
from audit.yamlfile.loader import MAX_BYTES, load_yaml, load_yaml_bytes
from audit.yamlfile.problem import PolicyFileError


def problems(text: str | bytes):
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(PolicyFileError) as caught:
        load_yaml_bytes(data, "file.yaml")
    return [(p.line, p.column, p.message) for p in caught.value.problems]


def test_words_of_yaml_1_1_stay_text():
    data = load_yaml_bytes(b"{v: off, t: 12:30, n: no, y: yes, d: 2026-01-01, o: 010}", "f").data
    assert data == {"v": "off", "t": "12:30", "n": "no", "y": "yes", "d": "2026-01-01", "o": 10}


def test_keys_are_always_text():
    assert load_yaml_bytes(b"{true: 1, 5: 2, null: 3}", "f").data == {"true": 1, "5": 2, "null": 3}


def test_places_count_characters_and_lines():
    located = load_yaml_bytes("ä: é\nb:\n  - {c: 'd'}\n".encode(), "f")
    assert located.data == {"ä": "é", "b": [{"c": "d"}]}
    problem = located.problem(("b", 0, "c"), "E000", "here")
    assert (problem.line, problem.column, problem.length) == (3, 9, 3)
    assert located.problem(("b", 0, "c"), "E000", "here", at="key").column == 6
    assert located.problem(("ä",), "E000", "here").column == 4


def test_lines_count_by_lf_whatever_precedes_it():
    assert problems("a: 1\r\nb: 2\r\na: 3\r\n") == [(3, 1, "duplicate key 'a', first on line 1")]


def test_a_byte_order_mark_is_no_content():
    assert load_yaml_bytes(b"\xef\xbb\xbfa: 1", "f").data == {"a": 1}


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: 1\na: 2\n", (2, 1), "duplicate key 'a', first on line 1"),
        ("x: {a: 1, a: 2}", (1, 11), "duplicate key 'a'"),
        ("a: &x 1\n", (1, 4), "anchors are refused"),
        ("&k a: 1\n", (1, 1), "anchors are refused"),
        ("a: *x\n", (1, 4), "aliases are refused"),
        ("<<: *x\n", (1, 5), "aliases are refused"),
        ("a: !!str 5\n", (1, 4), "tags are refused"),
        ("a: !!python/object/apply:os.system ['id']\n", (1, 4), "tags are refused"),
        ("--- 1\n--- 2\n", (2, 1), "a second document starts here"),
        ("%YAML 1.1\n---\na: 1\n", (1, 1), "directives are refused"),
        ("a: [" + "[" * 40 + "]" * 40 + "]", (1, 35), "nested more than 32 deep"),
        ("a:\n\tb: 1\n", (2, 1), "tabs are refused"),
        ("a: 'x\ty'\n", (1, 6), "tabs are refused"),
        ("a: x\x07y\n", (1, 5), "the character U+0007 is refused"),
        ("a: x\x85y\n", (1, 5), "the character U+0085 is refused"),
        ("a: x\u2028y\n", (1, 5), "the character U+2028 is refused"),
        ("a: 99999999999999999999999\n", (1, 4), "this number is too large"),
        ("a: 1e999\n", (1, 4), "this number is too large"),
        ("a: .nan\n", (1, 4), "infinity and not-a-number are no values here"),
        ("? [a]\n: b\n", (1, 3), "a key is a word, not a list or mapping"),
        ("", (1, 1), "the file is empty"),
        ("# only a remark\n", (1, 1), "the file is empty"),
        ("a: b: c", (1, 5), "this is not YAML: mapping values are not allowed"),
        ("a: {b: c\n", (1, 4), "this is not YAML: did not find expected ',' or '}'"),
        ("a: @x\n", (1, 4), "this is not YAML: found character that cannot start any token"),
    ],
)
def test_what_is_refused_is_refused_at_its_place(text, place, words):
    found = problems(text)
    assert found[0][:2] == place
    assert found[0][2].startswith(words)


def test_bytes_that_are_no_utf_8_are_refused_at_their_place():
    assert problems(b"a: 1\nb: \xff\n") == [(2, 4, "the file is not UTF-8 text")]


def test_all_refusals_of_a_file_come_at_once():
    found = problems("a: &x 1\nb: *x\nc: !!str 4\na: 5\n")
    assert [line for line, _, _ in found] == [1, 2, 3, 4]


def test_a_file_that_is_too_large_is_refused():
    with pytest.raises(PolicyError, match="larger than 256 KiB"):
        load_yaml_bytes(b"a" * (MAX_BYTES + 1), "f")


def test_a_file_that_is_not_there_is_an_error_of_the_policy(tmp_path):
    with pytest.raises(PolicyError, match="there is no such file"):
        load_yaml(tmp_path / "none.yaml")


@pytest.mark.parametrize("unit", ["[", "{a: ", "- ", "? ", '"\\', "a: ", "&a ", "!", "- - "])
def test_hostile_text_is_refused_quickly(unit):
    text = (unit * MAX_BYTES)[:MAX_BYTES].encode()
    start = time.monotonic()
    with pytest.raises(PolicyFileError):
        load_yaml_bytes(text, "f")
    assert time.monotonic() - start < 5


@given(st.binary(max_size=400))
def test_any_bytes_give_data_or_a_policy_error(data):
    with contextlib.suppress(PolicyError):
        load_yaml_bytes(data, "f")


@given(st.text(alphabet="ab:{}[]-?&*!|>'\"%@`,# \n0.~\u00e9", max_size=60))
def test_any_text_of_yaml_signs_gives_data_or_problems_inside_the_text(text):
    try:
        load_yaml_bytes(text.encode(), "f")
    except PolicyFileError as error:
        lines = text.split("\n")
        for problem in error.problems:
            assert 1 <= problem.line <= len(lines)
            assert problem.column <= len(lines[problem.line - 1]) + 1
            problem.render()
