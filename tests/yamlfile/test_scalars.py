from __future__ import annotations

import pytest

from audit.yamlfile.scalars import resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("null", None), ("true", True), ("FALSE", False),
        ("12", 12), ("-3", -3), ("0o17", 15), ("0x1F", 31), ("1.5", 1.5), (".5", 0.5),
        ("1e3", 1000.0), ("1_000", "1_000"), ("on", "on"), ("Yes", "Yes"), ("1.0.0", "1.0.0"),
        ("0b11", "0b11"), ("190:20:30", "190:20:30"), ("nan", "nan"),
    ],
)  # fmt: skip
def test_plain_scalars_follow_the_core_schema_of_yaml_1_2(text, value):
    found = resolve(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", ["9007199254740993", "9" * 30, "1e400", ".inf", "-.inf", ".NaN"])
def test_numbers_that_not_every_reader_holds_are_refused(text):
    with pytest.raises(ValueError, match=r"too large|no values"):
        resolve(text)
