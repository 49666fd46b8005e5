"""Mutants of a check: each is the check without one of its parts, or with one part weaker.

Dropped in turn are: expectations, observations, exercises, unsure and reported items; keys of
conditions and items of ``any`` and ``all``; modifiers; entries of literal lists; actions; bounds
(``min max min_ratio distinct age|gte``); the ``source`` of an observation; the ``scope`` and each
of its platforms; and ``opaque: limit``. What a check cannot do without is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from audit.checks.modifiers import MODIFIERS
from audit.yamlfile.located import Path

_NO_BOUND: Final = 10**9
_CONDITIONS: Final = ("where", "match")
_ITEMS: Final = {
    "observe": "observation", "exercise": "exercise", "expect": "expectation",
    "unsure": "unsure item", "report": "report",
}  # fmt: skip
_NEEDED: Final = frozenset({"observe", "exercise", "expect"})
"""Parts that must keep an item."""
_MEANS_NOTHING: Final = frozenset({"in"})
"""Modifiers without which a key asks the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A check with one part gone."""

    path: Path
    """Place of the part in the check's file."""
    what: str
    """The part, in words."""
    at_key: bool
    """Whether the place is a key rather than a value."""
    data: dict[str, Any]
    """The mutated check, as plain data."""


def mutants_of(check: dict[str, Any]) -> Iterator[Mutant]:
    """Yield every mutant of a check given as plain data."""
    for part, word in _ITEMS.items():
        items = check.get(part) or []
        for index, item in enumerate(items):
            if len(items) > 1 or part not in _NEEDED:
                yield _without(check, (part, index), f"the {word} {_name(item)}")
            yield from _of_item(check, (part, index), item)
    if isinstance(check.get("scope"), dict):
        yield _without(check, ("scope",), "the scope", at_key=True)
        yield from _entries(
            check, ("scope", "platforms"), check["scope"].get("platforms"), "platform"
        )
    if check.get("opaque") == "limit":
        yield _without(check, ("opaque",), "'opaque: limit'", at_key=True)


def _name(item: dict[str, Any]) -> str:
    name = item.get("id") or item.get("capability") or item.get("because") or item.get("from")
    return f"'{name}'"


def _of_item(check: dict[str, Any], path: Path, item: dict[str, Any]) -> Iterator[Mutant]:
    for key in _CONDITIONS:
        if isinstance(item.get(key), dict):
            yield from _of_condition(check, (*path, key), item[key])
    for side in ("left", "right"):
        if isinstance(item.get(side), dict) and isinstance(item[side].get("where"), dict):
            yield from _of_condition(check, (*path, side, "where"), item[side]["where"])
    for key in ("actions", "group_by"):
        yield from _entries(check, (*path, key), item.get(key), key.rstrip("s"))
    for key in ("min", "min_ratio", "distinct", "age|gte"):
        if key in item and not (key == "min" and item[key] == 1):
            yield _without(check, (*path, key), f"the bound '{key}'", at_key=True)
    if "source" in item:
        yield _without(check, (*path, "source"), "the bound 'source'", at_key=True)
    if "max" in item:
        yield _changed(
            check, (*path, "max"), "the bound 'max'", lambda parent, _: parent.update(max=_NO_BOUND)
        )


def _of_condition(check: dict[str, Any], path: Path, cond: dict[str, Any]) -> Iterator[Mutant]:
    for key, value in cond.items():
        here = (*path, key)
        yield _without(check, here, f"the condition '{key}'", at_key=True)
        if key == "not" and isinstance(value, dict):
            yield from _of_condition(check, here, value)
        elif key in {"any", "all"} and isinstance(value, list):
            for index, item in enumerate(value):
                if len(value) > 1:
                    yield _without(check, (*here, index), f"item {index + 1} of '{key}'")
                if isinstance(item, dict) and len(item) > 1:
                    yield from _of_condition(check, (*here, index), item)
                elif isinstance(item, dict):
                    yield from _of_only_key(check, (*here, index), item)
        else:
            yield from _of_leaf(check, here, key, value, cond)


def _of_only_key(check: dict[str, Any], path: Path, cond: dict[str, Any]) -> Iterator[Mutant]:
    """Yield the mutants of an item with one key: without the key it is the item that is gone."""
    for mutant in _of_condition(check, path, cond):
        if len(mutant.path) > len(path) + 1 or "modifier" in mutant.what:
            yield mutant


def _of_leaf(
    check: dict[str, Any], path: Path, key: str, value: object, cond: dict[str, Any]
) -> Iterator[Mutant]:
    field, *modifiers = key.split("|")
    for index, name in enumerate(modifiers):
        shorter = "|".join([field, *modifiers[:index], *modifiers[index + 1 :]])
        if name in MODIFIERS and name not in _MEANS_NOTHING and shorter not in cond:
            yield _changed(
                check, path, f"the modifier '{name}' of '{key}'", _renamed(shorter), at_key=True
            )
    yield from _entries(check, path, value, "entry")


def _renamed(name: str) -> Callable[[Any, Any], None]:
    def change(parent: dict[str, Any], key: str) -> None:
        entries = [(name if old == key else old, value) for old, value in parent.items()]
        parent.clear()
        parent.update(entries)

    return change


def _entries(check: dict[str, Any], path: Path, value: object, word: str) -> Iterator[Mutant]:
    if isinstance(value, list) and len(value) > 1:
        for index, item in enumerate(value):
            yield _without(check, (*path, index), f"the {word} '{item}'")


def _without(check: dict[str, Any], path: Path, what: str, *, at_key: bool = False) -> Mutant:
    def drop(parent: Any, step: Any) -> None:
        del parent[step]

    return _changed(check, path, what, drop, at_key=at_key)


def _changed(
    check: dict[str, Any],
    path: Path,
    what: str,
    change: Callable[[Any, Any], None],
    *,
    at_key: bool = False,
) -> Mutant:
    data = dict(check)
    data[str(path[0])] = deepcopy(check[str(path[0])])
    parent: Any = data
    for step in path[:-1]:
        parent = parent[step]
    change(parent, path[-1])
    return Mutant(path=path, what=what, at_key=at_key, data=data)
