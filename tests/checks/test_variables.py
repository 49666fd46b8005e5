from __future__ import annotations

import pytest

from audit.checks.variables import MISSING, VariableError, Variables, check_type, name_of
from audit.yamlfile.pack import Variable

VARIABLES = Variables(
    declared={"a": Variable(type="map"), "unset": Variable(type="text", settable=True)},
    values={"a": {"b": {"c": 1}}},
)


def test_a_key_of_a_map_is_reached_by_dots():
    assert VARIABLES.resolve("${a.b.c}") == 1
    assert VARIABLES.resolve("${unset}") is MISSING
    assert VARIABLES.resolve("${unset.x}") is MISSING
    assert name_of("${a.b.c}") == "a"


@pytest.mark.parametrize("text", ["${b}", "${a.x}", "${a.b.c.d}", "${A}", "a", "${a}x"])
def test_a_name_that_means_nothing_is_an_error(text):
    with pytest.raises(VariableError):
        VARIABLES.resolve(text)


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        ("x", "text"), ("a.example", "host"), ("10.0.0.0/8", "ip"), ("::1", "ip"), (1.5, "number"),
        (0.95, "ratio"), ("1kB", "bytes"), ("7d", "duration"), ("2026-01-01", "time"),
        (True, "bool"), ("email", "kind"), ("plate", "kind"), ("app.idle", "action"), ({}, "map"),
        (["a.example"], "list[host]"), ([], "list[action]"),
    ],
)  # fmt: skip
def test_a_value_of_its_type_is_taken(value, type_):
    check_type(value, type_, frozenset({"plate"}))


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        (1, "text"), ("A.example", "host"), ("https://a.example", "host"), (".example", "host"),
        ("10.0.0.0/33", "ip"), (True, "number"), (2, "ratio"), ("7", "duration"), ("6mo", "duration"),
        ("soon", "time"), ("true", "bool"), ("emial", "kind"), ("app.idel", "action"), ([], "map"),
        ("a.example", "list[host]"), ([["a"]], "list[host]"),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_refused(value, type_):
    with pytest.raises(ValueError, match=r"."):
        check_type(value, type_, frozenset())
