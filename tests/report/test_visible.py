import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from audit.report.visible import for_terminal, visible

HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(st.text(st.characters()))
def test_nothing_hidden_is_left(text):
    assert not [c for c in visible(text) if unicodedata.category(c) in HIDDEN and c not in "\t\n"]


@given(st.text(st.characters()))
def test_terminal_gets_one_line_of_harmless_characters(text):
    line = for_terminal(text)
    assert not [c for c in line if unicodedata.category(c) in HIDDEN]
    assert "\n" not in line
    assert for_terminal(line) == line


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs", "M"])))
def test_ordinary_text_of_any_script_stays(text):
    assert visible(text) == text


def test_deceiving_characters_are_named():
    assert (
        visible("a\u202eb\x1b[0m\u200b\n\tc\ud800") == "a[U+202E]b[U+001B][0m[U+200B]\n\tc[U+D800]"
    )
