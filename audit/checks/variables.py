"""Variables: declared and typed by the pack, set by a target where the pack allows it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from audit.tables.vocabulary import ACTIONS, KINDS
from audit.yamlfile.pack import Variable
from audit.yamlfile.problem import did_you_mean
from audit.yamlfile.shape import VARIABLE
from audit.yamlfile.units import parse_bytes, parse_duration, parse_time

MISSING: Final = object()
"""Stands for a variable that nothing sets."""


class VariableError(ValueError):
    """A reference that names no variable, or a value of the wrong type."""

    def __init__(self, message: str, *, code: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Variables:
    """The variables of one pack as one target sees them."""

    declared: Mapping[str, Variable]
    values: Mapping[str, object]
    """Those that have a value."""
    set_by_target: frozenset[str] = frozenset()

    def resolve(self, text: str) -> object:
        """Return the value of ``${name}`` or ``${name.key}``; ``MISSING`` where nothing sets it.

        Raises :class:`VariableError` for a name that the pack does not declare.
        """
        match = VARIABLE.fullmatch(text)
        if match is None:
            raise VariableError(f"'{text}' is no variable", code="E103")
        name, *keys = match[1].split(".")
        if name not in self.declared:
            raise VariableError(
                f"the pack declares no variable '{name}'",
                code="E103",
                hint=did_you_mean(name, tuple(self.declared)),
            )
        value = self.values.get(name, MISSING)
        for key in keys:
            if value is MISSING:
                break
            if not isinstance(value, dict) or key not in value:
                raise VariableError(f"variable '{name}' has no key '{key}'", code="E103")
            value = value[key]
        return value


def name_of(text: str) -> str:
    """Return the variable's own name in ``${name}`` or ``${name.key}``."""
    match = VARIABLE.fullmatch(text)
    return match[1].split(".")[0] if match else text


def check_type(value: object, type_: str, kinds: frozenset[str]) -> None:
    """Raise ``ValueError`` where a value is not of a variable's type."""
    if type_.startswith("list["):
        if not isinstance(value, list):
            raise ValueError("expected a list")
        for item in value:
            check_type(item, type_[5:-1], kinds)
        return
    if type_ == "kind":
        _word(value, frozenset(KINDS) | kinds, "kind of identifier")
    elif type_ == "action":
        _word(value, frozenset(ACTIONS), "action")
    else:
        _SCALARS[type_](value)


def _word(value: object, allowed: frozenset[str], what: str) -> None:
    if value not in allowed:
        near = did_you_mean(str(value), tuple(sorted(allowed)))
        raise ValueError(f"'{value}' is no known {what}" + (f"; {near}" if near else ""))


def _text(value: object) -> None:
    if not isinstance(value, str):
        raise ValueError("expected text; put it in quotes")  # noqa: TRY004 - one error family


def _host(value: object) -> None:
    _text(value)
    text = str(value)
    if text != text.lower() or "/" in text or ":" in text or text.startswith(".") or not text:
        raise ValueError(f"'{text}' is no host name: lower case, no scheme, port or leading dot")


def _ip(value: object) -> None:
    _text(value)
    ipaddress.ip_network(str(value), strict=False)


def _number(value: object) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError("expected a number")  # noqa: TRY004 - one error family


def _ratio(value: object) -> None:
    _number(value)
    if not 0 <= value <= 1:  # type: ignore[operator]
        raise ValueError("a ratio lies between 0 and 1")


def _bool(value: object) -> None:
    if not isinstance(value, bool):
        raise ValueError("expected true or false")  # noqa: TRY004 - one error family


def _map(value: object) -> None:
    if not isinstance(value, dict):
        raise ValueError("expected a mapping")  # noqa: TRY004 - one error family


_SCALARS: Final[dict[str, Callable[[object], object]]] = {
    "text": _text, "host": _host, "ip": _ip, "number": _number, "ratio": _ratio,
    "bytes": parse_bytes, "duration": parse_duration, "time": parse_time, "bool": _bool,
    "map": _map,
}  # fmt: skip
