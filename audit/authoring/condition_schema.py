"""JSON Schema of conditions: for each table the legal ``column|modifier`` keys, described."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from audit.checks.modifiers import LEAF, MODIFIERS, PLAIN, TESTS
from audit.checks.operands import words_of
from audit.tables.column import Column
from audit.tables.frames import columns_of
from audit.tables.rows import TABLES
from audit.yamlfile.shape import VARIABLE

_SHOWN_LENGTH: Final = 2
"""Modifiers of a key that is offered for completion, at most; longer ones are legal, too."""
_OPEN: Final = frozenset({"kind", "peer_role"})
"""Columns whose words a policy may add to."""
_VARIABLE: Final = {"type": "string", "pattern": f"^{VARIABLE.pattern}$"}
_BOOL: Final = {"anyOf": [{"type": "boolean"}, _VARIABLE]}
_SCALAR: Final = {"type": ["string", "number", "boolean"]}
_MANY: Final = {"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR, "minItems": 1}]}
_DURATION: Final = {
    "anyOf": [{"type": "string", "pattern": r"^\d+(\.\d+)?(ms|s|m|h|d|w)$"}, _VARIABLE]
}
_NUMBER: Final = {"anyOf": [{"type": "number"}, _VARIABLE]}
_VALUES: Final[dict[str, Any]] = {
    "value.exists": _BOOL,
    "value.duration": _DURATION,
    "value.number": _NUMBER,
    "value.ordered": {"type": ["string", "number"]},
    "value.many": _MANY,
}


def name_of_table(table: str) -> str:
    """Return the name of a table's condition among the definitions."""
    return f"condition.{table}"


def condition_schemas() -> dict[str, Any]:
    """Return a definition for the condition of each table, and those that they share."""
    found: dict[str, Any] = dict(_VALUES)
    for table in TABLES:
        found[name_of_table(table)] = _condition(table)
    return found


def _condition(table: str) -> dict[str, Any]:
    itself = {"$ref": f"#/$defs/{name_of_table(table)}"}
    columns = columns_of(table)
    properties: dict[str, Any] = {
        "any": {"type": "array", "items": itself, "minItems": 1, "description": "one of them"},
        "all": {"type": "array", "items": itself, "minItems": 1, "description": "each of them"},
        "not": {**itself, "description": "the condition does not hold"},
    }
    patterns: dict[str, Any] = {}
    for name, column in columns.items():
        properties |= _keys(table, name, column)
        if column.type == "json":
            patterns[rf"^{name}(\.[^.|]+)+(\|[a-z_]+)*$"] = {"$ref": "#/$defs/value.many"}
    words = "|".join(sorted(MODIFIERS))
    names = "|".join(columns)
    patterns[rf"^({names})(\|({words})){{{_SHOWN_LENGTH + 1},}}$"] = {}
    return {
        "type": "object",
        "properties": properties,
        "patternProperties": patterns,
        "additionalProperties": False,
    }


def _keys(table: str, name: str, column: Column) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for chain in _chains(column.type):
        key = "|".join((name, *chain))
        if not chain:
            found[key] = {**_plain(table, name, column), "description": column.meaning}
        else:
            found[key] = _value(table, name, column, chain)
    return found


def _plain(table: str, name: str, column: Column) -> dict[str, Any]:
    words = words_of(table, name, frozenset(), frozenset())
    if words is not None:
        one = {"anyOf": [{"enum": list(words)}, _SCALAR if name in _OPEN else _VARIABLE]}
        return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}
    if column.type == "bool":
        return _BOOL
    return {"$ref": "#/$defs/value.many"}


def _value(table: str, name: str, column: Column, chain: tuple[str, ...]) -> dict[str, Any]:
    first = chain[0]
    if first == "exists":
        return {"$ref": "#/$defs/value.exists"}
    if first == "age" or (column.type == "duration" and first in {"lt", "lte", "gt", "gte"}):
        return {"$ref": "#/$defs/value.duration"}
    if first == "len":
        return {"$ref": "#/$defs/value.number"}
    if first in {"lt", "lte", "gt", "gte"}:
        return {"$ref": "#/$defs/value.ordered"}
    if first in {"in", "not"}:
        return _plain(table, name, column)
    return {"$ref": "#/$defs/value.many"}


@cache
def _chains(type_: str) -> tuple[tuple[str, ...], ...]:
    """Return the legal chains of modifiers after a column's type, the short ones."""
    return tuple(dict.fromkeys(_follow(type_, ())))


def _follow(type_: str, chain: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if type_ in TESTS or (type_ in PLAIN and type_ != LEAF):
        yield chain
    if len(chain) == _SHOWN_LENGTH:
        return
    for name, modifier in MODIFIERS.items():
        if type_ not in modifier.takes or name in chain:
            continue
        yield from _follow(modifier.gives, (*chain, name))
