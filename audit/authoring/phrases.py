"""Conditions in words, from the model alone: what a key asks, as a person would say it."""

from __future__ import annotations

import json
from typing import Any, Final

from audit.checks.variables import MISSING, VariableError, Variables
from audit.yamlfile.shape import is_variable

_SHOWN: Final = 6
_TESTS: Final[dict[str, tuple[str, str]]] = {
    "contains": ("contains", "does not contain"),
    "startswith": ("starts with", "does not start with"),
    "endswith": ("ends with", "does not end with"),
    "re": ("matches the pattern", "does not match the pattern"),
    "domain": ("is, or lies below,", "neither is nor lies below"),
    "list": ("stands in the list", "does not stand in the list"),
    "cidr": ("lies in", "does not lie in"),
    "lt": ("is less than", "is not less than"),
    "lte": ("is at most", "is more than"),
    "gt": ("is more than", "is not more than"),
    "gte": ("is at least", "is less than"),
    "has_key": ("has the key", "does not have the key"),
    "keys_within": ("has no key beside", "has a key beside"),
    "": ("is", "is not"),
}
"""Modifier -> how it reads, and how its negation does."""
_AGES: Final[dict[str, tuple[str, str]]] = {
    "lt": ("is younger than", "is not younger than"),
    "lte": ("is at most this old:", "is older than"),
    "gt": ("is older than", "is not older than"),
    "gte": ("is at least this old:", "is younger than"),
}


class Phrases:
    """Says conditions in words; variables stand with their values."""

    def __init__(self, variables: Variables) -> None:
        self._variables = variables

    def rows(self, table: str, where: dict[str, Any] | None) -> str:
        """Return ``rows of TABLE where …``."""
        text = self.condition(where or {})
        return f"rows of {table}" + (f" where {text}" if text else "")

    def condition(self, cond: dict[str, Any]) -> str:
        """Return a condition as a sentence's part; ``''`` for one that asks nothing."""
        return " and ".join(self._key(key, value) for key, value in cond.items())

    def _key(self, key: str, value: object) -> str:
        if key == "not" and isinstance(value, dict):
            return f"it is not so that {self._grouped(value)}"
        if key in {"any", "all"} and isinstance(value, list):
            word = " or " if key == "any" else " and "
            return f"({word.join(self._grouped(item) for item in value)})"
        field, *modifiers = key.split("|")
        return f"{field} {self._test(modifiers, value)}"

    def _grouped(self, cond: object) -> str:
        if not isinstance(cond, dict):
            return str(cond)
        text = self.condition(cond)
        return f"({text})" if len(cond) > 1 else text

    def _test(self, modifiers: list[str], value: object) -> str:
        negated = "not" in modifiers
        names = [name for name in modifiers if name not in {"not", "in", "i", "all_of"}]
        if names[:1] == ["exists"]:
            there = bool(value) != negated
            return "has a value" if there else "has no value"
        table = _AGES if names[:1] == ["age"] else _TESTS
        name = names[-1] if names and names[-1] in table else ""
        words = table.get(name, _TESTS[""])[negated]
        if names[:1] == ["len"]:
            words = f"has a length that {words}"
        return f"{words} {self.value(value, every='all_of' in modifiers)}" + (
            " (case does not count)" if "i" in modifiers else ""
        )

    def value(self, value: object, *, every: bool = False) -> str:
        """Return a value, a list of them, or a variable with what it holds."""
        if is_variable(value):
            try:
                found = self._variables.resolve(str(value))
            except VariableError:
                return str(value)
            if found is MISSING:
                return f"{value} (set by the target)"
            return f"{value} ({self.value(found)})" if not isinstance(found, dict) else str(value)
        if isinstance(value, list):
            shown = [self.value(item) for item in value[:_SHOWN]]
            more = f" and {len(value) - _SHOWN} more" if len(value) > _SHOWN else ""
            before = "all of " if every else "one of " if len(value) > 1 else ""
            return before + ", ".join(shown) + more
        return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
