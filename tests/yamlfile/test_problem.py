from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from audit.yamlfile.problem import Problem, closest, did_you_mean


def make_problem(**changes) -> Problem:
    values = {"source": "f.yaml", "line": 22, "column": 5, "code": "E012", "message": "unknown key"}
    return Problem(**(values | changes))


def test_the_excerpt_is_underlined():
    text = make_problem(excerpt="    matc: {a: b}", length=4, hint="did you mean 'match'?").render()
    assert text.splitlines() == [
        "f.yaml:22:5  E012 unknown key",
        "   22 |     matc: {a: b}",
        "      |     ^^^^ did you mean 'match'?",
    ]


def test_a_long_line_is_cut_around_the_place():
    line = "x" * 300 + "here" + "y" * 300
    rendered = make_problem(excerpt=line, column=301, length=4).render().splitlines()
    shown, mark = rendered[1][8:], rendered[2][8:]
    start = mark.index("^")
    assert shown[start : start + 4] == "here"
    assert len(shown) < 200


def test_control_characters_do_not_reach_the_terminal():
    assert "\x1b" not in make_problem(excerpt="a\x1b[31mb", column=2).render()


def test_many_allowed_words_are_not_listed_beside_a_better_hint():
    words = tuple(f"word-{number}" for number in range(40))
    assert "allowed" not in make_problem(hint="did you mean 'x'?", allowed=words).render()
    assert "allowed" in make_problem(allowed=words).render()


def test_a_warning_is_known_by_its_code():
    assert make_problem(code="W105").level == "warning"
    assert make_problem().level == "error"


def test_words_that_are_near_enough_are_proposed():
    assert closest("matc", ["match", "message"]) == "match"
    assert did_you_mean("zzzz", ("match",)) is None


@given(st.text(max_size=300), st.integers(1, 400), st.integers(1, 400))
def test_any_place_renders(excerpt, column, length):
    make_problem(excerpt=excerpt.replace("\n", ""), column=column, length=length).render()
