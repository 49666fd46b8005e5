"""What a condition compares with: values as written, turned into those of the column's type."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, Final, get_args

from audit.checks.modifiers import AGE, COUNT, LEAF
from audit.tables.vocabulary import (
    ACTIONS,
    FORMS,
    KINDS,
    PHASES,
    Content,
    Direction,
    Driver,
    Pass,
    Process,
    ProcessBasis,
    SeenAs,
    Tap,
    Transport,
    Vantage,
)
from audit.yamlfile.problem import did_you_mean
from audit.yamlfile.units import parse_bytes, parse_duration, parse_time

CLOSED: Final[Mapping[str, tuple[str, ...]]] = {
    "process": get_args(Process),
    "process_basis": get_args(ProcessBasis),
    "phase": PHASES,
    "seen_as": get_args(SeenAs),
    "taps": get_args(Tap),
    "transport": get_args(Transport),
    "content": get_args(Content),
    "form": FORMS,
    "direction": get_args(Direction),
    "driver": get_args(Driver),
    "vantage": get_args(Vantage),
    "pass": get_args(Pass),
}
"""Columns that hold words of a closed vocabulary, whatever the table."""
CLOSED_IN: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("events", "name"): ACTIONS,
    ("identifier_hits", "kind"): KINDS,
}
"""Those that do in one table only."""
NANOSECONDS: Final = 1_000_000_000


class OperandError(ValueError):
    """A value that the column cannot be compared with."""

    def __init__(
        self, message: str, *, hint: str | None = None, allowed: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message)
        self.hint = hint
        self.allowed = allowed


def words_of(
    table: str, column: str, kinds: frozenset[str], roles: frozenset[str]
) -> tuple[str, ...] | None:
    """Return the words that a column can hold, ``None`` where any text may stand there."""
    if column == "peer_role":
        return tuple(sorted(roles)) if roles else None
    if (table, column) in CLOSED_IN:
        words = CLOSED_IN[table, column]
        return words + tuple(sorted(kinds)) if column == "kind" else words
    return CLOSED.get(column)


def convert(value: object, type_: str, words: tuple[str, ...] | None = None) -> Any:
    """Return ``value`` as the column holds it; raises :class:`OperandError`.

    Times become nanoseconds since 1970 UTC, durations and ages seconds. On text columns a number,
    ``true`` or ``false`` means its text.
    """
    try:
        converted = _CONVERTERS[type_](value)
    except OperandError:
        raise
    except ValueError as error:
        raise OperandError(str(error)) from None
    if words is not None and converted not in words:
        raise OperandError(
            f"'{converted}' never stands in this column",
            hint=did_you_mean(str(converted), words),
            allowed=words,
        )
    return converted


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise OperandError("expected text", hint="to ask whether there is a value write |exists")


def _host(value: object) -> str:
    text = _text(value).lower().rstrip(".")
    if not text or "/" in text or text.startswith("."):
        raise OperandError(f"'{text}' is no host name: no scheme, path or leading dot")
    return text


def _ip(value: object) -> str:
    return str(ipaddress.ip_address(_text(value)))


def _number(value: object) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise OperandError("expected a number")


def _bool(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise OperandError("expected true or false")


def _time(value: object) -> int:
    moment = parse_time(value)
    return int(moment.timestamp()) * NANOSECONDS + moment.microsecond * 1000


def _leaf(value: object) -> object:
    if isinstance(value, str | int | float | bool):
        return value
    raise OperandError("expected text, a number, true or false")


def network(value: object) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Return a network; raises :class:`OperandError`."""
    try:
        return ipaddress.ip_network(_text(value), strict=False)
    except ValueError as error:
        raise OperandError(str(error)) from None


_CONVERTERS: Final[dict[str, Any]] = {
    "text": _text, "list": _text, "host": _host, "ip": _ip, "number": _number, "ratio": _number,
    COUNT: _number, "bytes": parse_bytes, "duration": parse_duration, AGE: parse_duration,
    "time": _time, "bool": _bool, LEAF: _leaf,
}  # fmt: skip
