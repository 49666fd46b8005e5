"""Conditions in words."""

from __future__ import annotations

import pytest

from audit.authoring.phrases import Phrases
from audit.checks.modifiers import MODIFIERS
from audit.checks.variables import Variables
from audit.yamlfile.pack import Variable

WORDS = Phrases(
    Variables(
        declared={
            "hosts": Variable(type="list[host]", default=["a.example", "b.example"]),
            "iface": Variable(type="text", settable=True),
        },
        values={"hosts": ["a.example", "b.example"]},
    )
)


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({"kind": "email"}, "kind is email"),
        ({"kind|in": ["email", "phone"]}, "kind is one of email, phone"),
        ({"kind|not": "email", "layer|gte": 1}, "kind is not email and layer is at least 1"),
        ({"not": {"process": "os"}}, "it is not so that process is os"),
        ({"any": [{"a": 1, "b": 2}, {"c": 3}]}, "((a is 1 and b is 2) or c is 3)"),
        ({"host|exists": False}, "host has no value"),
        ({"host|exists|not": False}, "host has a value"),
        ({"host|domain": "${hosts}"}, "host is, or lies below, ${hosts} (one of a.example, b.example)"),
        ({"iface": "${iface}"}, "iface is ${iface} (set by the target)"),
        ({"ts|age|gt": "7d"}, "ts is older than 7d"),
        ({"path|len|lt": 3}, "path has a length that is less than 3"),
        ({"path|contains|i": "x"}, "path contains x (case does not count)"),
        ({"query": ""}, 'query is ""'),
        ({"taps|all_of": ["proxy", "packets"]}, "taps is all of proxy, packets"),
    ],
)  # fmt: skip
def test_a_condition_reads_as_a_sentence(condition, words):
    assert WORDS.condition(condition) == words


@pytest.mark.parametrize("modifier", [name for name in MODIFIERS if name not in {"in", "not"}])
def test_every_modifier_changes_what_is_said(modifier):
    key = f"x|{modifier}" + {"i": "", "age": "|gt", "len": "|gt"}.get(modifier, "")
    plain = {"age": "x|gt", "len": "x|gt"}.get(modifier, "x")
    value = True if modifier == "exists" else ["1", "2"]
    assert WORDS.condition({key: value}) != WORDS.condition({plain: value})
