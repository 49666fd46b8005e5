"""Questions on one value: what the chain of modifiers of a key asks.

A predicate takes a value of its column's type (never ``None``, which :class:`Question` answers) and
gives a truth. It is asked once a distinct value.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from audit.checks.encoding import UNREADABLE
from audit.checks.lists import NamedList, host_is_below
from audit.checks.modifiers import AGE, LEAF
from audit.checks.operands import NANOSECONDS, OperandError, network
from audit.checks.truth import FALSE, TRUE, UNKNOWN, Truth, truth_of

Predicate = Callable[[Any], Truth]
_PROBES: Final = (
    b"",
    *(bytes([code]) for code in range(128)),
    bytes(range(128)),
    bytes(reversed(range(128))),
    "ü数".encode(),
)
"""Texts that a pattern which asks something is not all found in."""
LONGEST_PATTERN: Final = 1000
"""Characters of an RE2 pattern, at most."""


@dataclass(frozen=True, slots=True)
class Question:
    """A predicate, and the answer where there is no value."""

    predicate: Predicate
    absent: Truth

    def ask(self, value: object) -> Truth:
        """Return the answer for one value or ``None``."""
        if value is None:
            return self.absent
        return UNKNOWN if value is UNREADABLE else self.predicate(value)

    def negated(self) -> Question:
        """Return the opposite question; what is unknown stays unknown."""
        ask = self.predicate
        return Question(lambda value: TRUE - ask(value), TRUE - self.absent)


UNDECIDED: Final = Question(lambda _: UNKNOWN, UNKNOWN)
"""The question of a key whose variable nothing sets."""


def equals(operands: list[Any], type_: str) -> Question:
    """Whether the value is one of the operands; of a list column, whether one of its items is."""
    if type_ == "list":
        wanted = frozenset(operands)
        return Question(lambda value: truth_of(not wanted.isdisjoint(value)), FALSE)
    if type_ == LEAF:
        typed = frozenset(_typed(item) for item in operands)
        return Question(lambda value: truth_of(_typed(value) in typed), FALSE)
    if type_ == "ip":
        known = frozenset(operands)
        return Question(lambda value: truth_of(_address_text(value) in known), FALSE)
    chosen = frozenset(operands)
    return Question(lambda value: truth_of(value in chosen), FALSE)


def _typed(value: object) -> object:
    if isinstance(value, dict | list):
        return ()  # equals no operand: those are single values
    return ("bool", value) if isinstance(value, bool) else value


def _address_text(value: object) -> str:
    try:
        return str(ipaddress.ip_address(str(value)))
    except ValueError:
        return str(value)


def contains_all(operands: list[Any]) -> Question:
    """Whether a list column holds all of the operands."""
    wanted = frozenset(operands)
    return Question(lambda value: truth_of(wanted.issubset(value)), FALSE)


def text_test(name: str, operands: list[str], *, fold: bool, every: bool) -> Question:
    """Whether text contains, starts or ends with one (or all) of the operands."""
    test: Callable[[str, str], bool] = {
        "contains": lambda text, part: part in text,
        "startswith": str.startswith,
        "endswith": str.endswith,
    }[name]
    parts = [part.casefold() for part in operands] if fold else operands
    quantifier = all if every else any

    def ask(value: object) -> Truth:
        if not isinstance(value, str):
            return FALSE
        text = value.casefold() if fold else value
        return truth_of(quantifier(test(text, part) for part in parts))

    return Question(ask, FALSE)


def pattern(operands: list[str], *, fold: bool, every: bool) -> Question:
    """Whether one (or all) of the RE2 patterns is found in text; raises :class:`OperandError`."""
    compiled = [_compile(text, fold) for text in operands]
    for text, item in zip(operands, compiled, strict=True):
        if all(item.search(probe) is not None for probe in _PROBES):
            raise OperandError(f"'{text}' is found in every text, and asks nothing")
    quantifier = all if every else any

    def ask(value: object) -> Truth:
        if not isinstance(value, str):
            return FALSE
        data = value.encode("utf-8", "surrogatepass")
        return truth_of(quantifier(item.search(data) is not None for item in compiled))

    return Question(ask, FALSE)


def _compile(text: str, fold: bool) -> Any:
    import re2

    if len(text) > LONGEST_PATTERN:
        raise OperandError(f"the pattern is longer than {LONGEST_PATTERN} characters")
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = not fold
    try:
        return re2.compile(text.encode("utf-8", "surrogatepass"), options)
    except re2.error as error:
        said = error.args[0] if error.args else b""
        reason = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise OperandError(
            f"not an RE2 pattern: {reason}", hint="RE2 knows no look-around and no back-references"
        ) from None


def domain(operands: list[str]) -> Question:
    """Whether a host equals an operand or lies below it."""
    domains = frozenset(operands)
    return Question(lambda value: truth_of(host_is_below(value, domains)), FALSE)


def listed(lists: list[NamedList], type_: str) -> Question:
    """Whether a value stands in one of the lists."""
    if type_ == "host":
        hosts = frozenset().union(*(item.values for item in lists))
        return Question(lambda value: truth_of(host_is_below(value, hosts)), FALSE)
    values = frozenset().union(*(item.exact for item in lists))
    return Question(lambda value: truth_of(value in values), FALSE)


def cidr(operands: list[object]) -> Question:
    """Whether an address lies in one of the networks; what is no address lies in none."""
    networks = [network(item) for item in operands]

    def ask(value: object) -> Truth:
        try:
            address = ipaddress.ip_address(str(value))
        except ValueError:
            return FALSE
        return truth_of(any(address in item for item in networks))

    return Question(ask, FALSE)


_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "lt": lambda left, right: left < right,
    "lte": lambda left, right: left <= right,
    "gt": lambda left, right: left > right,
    "gte": lambda left, right: left >= right,
}


def compare(name: str, operand: Any, type_: str, as_of_ns: int | None) -> Question:
    """Order a value and the operand; an absent value, or a time to come, is undecided."""
    test = _COMPARE[name]
    if type_ == AGE:
        if as_of_ns is None:
            return UNDECIDED

        def ask_age(value: int) -> Truth:
            age = as_of_ns - value
            return UNKNOWN if age < 0 else truth_of(test(age, operand * NANOSECONDS))

        return Question(ask_age, UNKNOWN)
    if type_ == LEAF:

        def ask_leaf(value: object) -> Truth:
            if isinstance(value, bool) or not isinstance(value, int | float):
                return UNKNOWN
            return truth_of(test(value, operand))

        return Question(ask_leaf, UNKNOWN)
    return Question(lambda value: truth_of(test(value, operand)), UNKNOWN)


def exists(wanted: bool) -> Question:
    """Whether there is a value."""
    return Question(lambda _: truth_of(wanted), truth_of(not wanted))


def keys_test(operands: list[str], name: str, *, every: bool) -> Question:
    """Whether an object has one (or all) of the keys, or none beside them."""
    wanted = frozenset(operands)

    def ask(value: object) -> Truth:
        if not isinstance(value, dict):
            return FALSE
        if name == "keys_within":
            return truth_of(value.keys() <= wanted)
        return truth_of(wanted <= value.keys() if every else not wanted.isdisjoint(value))

    return Question(ask, FALSE)


def measured(question: Question) -> Question:
    """Ask about the length of the value; what has no length leaves it undecided."""

    def ask(value: object) -> Truth:
        if not isinstance(value, str | list | dict | tuple):
            return UNKNOWN
        return question.ask(len(value))

    return Question(ask, question.absent)
