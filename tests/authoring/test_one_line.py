"""Values as YAML on one line."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from audit.authoring.one_line import one_line


@pytest.mark.parametrize("value", ["a: b", "yes", "", "x" * 5_000, ["a", {"b": 1}], "a # b"])
def test_a_value_stands_on_one_line_and_is_read_again(value):
    text = one_line(value)
    assert "\n" not in text
    assert yaml.safe_load(text) == value


@given(st.text(st.characters(codec="ascii", exclude_characters="\r\n"), max_size=80))
def test_any_text_of_a_line_is_read_again(value):
    assert yaml.safe_load(one_line(value)) == value
