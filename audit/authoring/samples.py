"""Values that tell two conditions apart: for each column a condition asks about, a few cells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from itertools import islice, product
from typing import Any, Final

from audit.checks.operands import words_of
from audit.checks.policy import Policy, Target
from audit.checks.variables import MISSING, VariableError
from audit.tables.column import Column
from audit.tables.frames import columns_of
from audit.yamlfile.shape import is_variable
from audit.yamlfile.units import parse_bytes, parse_duration

MOST_ROWS: Final = 3000
"""Rows that are tried for one pair of conditions, at most."""
_LEFT_OUT: Final = object()
_OTHERS: Final[Mapping[str, tuple[Any, ...]]] = {
    "text": ("other",), "host": ("other.example",), "ip": ("203.0.113.99",), "bool": (True, False),
    "number": (0, 1), "ratio": (0.5,), "bytes": (0, 1), "duration": ("1h",), "time": ("-1h",),
    "list": (["other"],), "json": ({},),
}  # fmt: skip
_ESCAPED: Final = re.compile(r"\\[bBAzZ]|\(\?[imsU]+\)|[\^$]")
_CLASSES: Final[Mapping[str, str]] = {"\\d": "7", "\\w": "a", "\\s": " ", "\\.": ".", "\\-": "-"}


def sample_rows(
    conditions: list[object],
    table: str,
    policy: Policy,
    target: Target,
    seeds: Sequence[dict[str, Any]] = (),
) -> Iterator[dict[str, Any]]:
    """Yield rows, as examples write them, of the cells that the conditions ask about.

    First come the ``seeds`` with one cell changed, then all cells in combination.
    """
    cells: dict[tuple[str, ...], list[Any]] = {}
    for condition in conditions:
        for field, modifiers, value in _keys(condition):
            found = cells.setdefault(tuple(field.split(".")), [])
            for cell in _cells(field, modifiers, _resolved(value, policy, target), table, policy):
                if cell not in found:
                    found.append(cell)
    for seed in seeds:
        for path, found in cells.items():
            for cell in [*found, None]:
                near = deepcopy({key: value for key, value in seed.items() if key != "repeat"})
                _put(near, path, cell)
                yield near
    paths = list(cells)
    choices = [[_LEFT_OUT, *cells[path], None] for path in paths]
    for combination in islice(product(*choices), MOST_ROWS):
        row: dict[str, Any] = {}
        for path, cell in zip(paths, combination, strict=True):
            if cell is not _LEFT_OUT:
                _put(row, path, cell)
        yield row


def _put(row: dict[str, Any], path: tuple[str, ...], cell: Any) -> None:
    for step in path[:-1]:
        inner = row.get(step)
        if not isinstance(inner, dict):
            inner = row[step] = {}
        row = inner
    known = row.get(path[-1])
    row[path[-1]] = (
        {**cell, **known} if isinstance(known, dict) and isinstance(cell, dict) else cell
    )


def _keys(condition: object) -> Iterator[tuple[str, list[str], object]]:
    if isinstance(condition, list):
        for item in condition:
            yield from _keys(item)
    elif isinstance(condition, dict):
        for key, value in condition.items():
            if key in {"any", "all", "not"}:
                yield from _keys(value)
            else:
                field, *modifiers = key.split("|")
                yield field, modifiers, value


def _resolved(value: object, policy: Policy, target: Target) -> list[Any]:
    items = value if isinstance(value, list) else [value]
    found: list[Any] = []
    for item in items:
        resolved: object = item
        if is_variable(item):
            try:
                resolved = policy.variables(target.file).resolve(str(item))
            except VariableError:
                continue
            if resolved is MISSING:
                continue
        found += resolved if isinstance(resolved, list) else [resolved]
    return found


def _cells(
    field: str, modifiers: list[str], operands: list[Any], table: str, policy: Policy
) -> Iterator[Any]:
    column, *path = field.split(".")
    known = columns_of(table).get(column)
    if known is None:
        return
    if "has_key" in modifiers or "keys_within" in modifiers:
        yield from ({str(key): "x"} for key in operands)
        yield {"other": "x"}
        return
    kind = "value" if path else known.type
    for operand in operands:
        yield from _near(operand, kind, modifiers, policy)
    words = None if path else words_of(table, column, policy.kinds, policy.roles)
    if words is not None:
        yield from (word for word in words if word not in operands)
    else:
        yield from _others(known, kind)


def _others(column: Column, kind: str) -> Iterator[Any]:
    yield from _OTHERS.get("text" if kind == "value" else column.type, ())


def _near(operand: Any, kind: str, modifiers: list[str], policy: Policy) -> Iterator[Any]:
    """Yield cells at and about an operand."""
    first = modifiers[0] if modifiers else ""
    if first == "list":
        named = policy.lists.get(str(operand))
        yield from sorted(named.values)[:1] if named else ()
    elif first == "re":
        yield from _of_pattern(str(operand))
    elif first == "cidr":
        yield str(operand).split("/")[0]
    elif first == "exists":
        yield from _OTHERS.get("text" if kind == "value" else kind, ())
    elif kind == "time" and "age" in modifiers:
        seconds = parse_duration(operand)
        yield from (f"-{value:.0f}s" for value in (seconds + 3600, max(0, seconds - 3600)))
    elif kind == "duration":
        seconds = parse_duration(operand)
        yield from (f"{value:.0f}s" for value in (seconds, seconds + 3600, max(0, seconds - 3600)))
    elif kind in {"number", "ratio", "bytes", "value"} and _is_number(operand, kind):
        number = parse_bytes(operand) if kind == "bytes" else operand
        yield from (number, number + 1, number - 1)
    elif kind == "list":
        yield [operand]
    elif kind == "host":
        yield from (operand, f"www.{operand}", f"not{operand}")
    elif kind == "text" and first in {"contains", "startswith", "endswith"}:
        yield from (operand, f"x{operand}", f"{operand}x", f"x{operand}x", str(operand).swapcase())
    else:
        yield operand


def _is_number(operand: Any, kind: str) -> bool:
    return kind == "bytes" or (isinstance(operand, int | float) and not isinstance(operand, bool))


def _of_pattern(pattern: str) -> Iterator[str]:
    """Yield texts that a simple pattern may find: one for each of its alternatives."""
    inner = _ESCAPED.sub("", pattern)
    group = re.search(r"\(([^()]*)\)", inner)
    before, after = (inner[: group.start()], inner[group.end() :]) if group else ("", "")
    for part in (group[1] if group else inner).split("|"):
        text = before + part.removeprefix("?:") + after
        for written, meant in _CLASSES.items():
            text = text.replace(written, meant)
        text = re.sub(r"\[([^\]^\\])[^\]]*\]", r"\1", text)
        yield re.sub(r"[?*+]|\{[\d,]+\}", "", text)
