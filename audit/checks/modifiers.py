"""The modifiers of the check language: what each takes, what it gives, what may follow.

A key reads ``field|modifier|modifier``. Each modifier takes some types and gives one; a chain must
end in a test. Types are those of columns, and those in :data:`TESTS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LEAF: Final = "value"
"""Type of what lies at a path in a JSON column: text, number, true, false, list or object."""
AGE: Final = "age"
COUNT: Final = "count"
TEXT_TEST: Final = "text test"
PATTERN_TEST: Final = "pattern test"
KEYS_TEST: Final = "keys test"
TEST: Final = "test"
NEGATED: Final = "negated test"
TESTS: Final = frozenset({TEXT_TEST, PATTERN_TEST, KEYS_TEST, TEST, NEGATED})
"""What a chain may end in."""

_TEXTS: Final = frozenset({"text", "host", LEAF})
_ORDERED: Final = frozenset({"number", "ratio", "bytes", "duration", "time", AGE, COUNT, LEAF})
_COLUMNS: Final = frozenset(
    {"text", "host", "ip", "number", "ratio", "bytes", "duration", "time", "bool", "list", LEAF}
)
PLAIN: Final = _COLUMNS | {COUNT}
"""Types that may be compared without a modifier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Modifier:
    """One word of a chain."""

    name: str
    takes: frozenset[str]
    gives: str
    meaning: str


MODIFIERS: Final[dict[str, Modifier]] = {
    modifier.name: modifier
    for modifier in (
        Modifier(name="in", takes=PLAIN, gives=TEST, meaning="equals one of the values"),
        Modifier(name="contains", takes=_TEXTS, gives=TEXT_TEST, meaning="holds the text"),
        Modifier(name="startswith", takes=_TEXTS, gives=TEXT_TEST, meaning="starts with it"),
        Modifier(name="endswith", takes=_TEXTS - {"host"}, gives=TEXT_TEST, meaning="ends with it"),
        Modifier(
            name="re", takes=_TEXTS, gives=PATTERN_TEST, meaning="an RE2 pattern is found in it"
        ),
        Modifier(
            name="domain",
            takes=frozenset({"host"}),
            gives=TEST,
            meaning="equals the domain or lies below it at a label edge",
        ),
        Modifier(
            name="list",
            takes=frozenset({"host", "text"}),
            gives=TEST,
            meaning="stands in a named list, a host also below an entry",
        ),
        Modifier(
            name="cidr", takes=frozenset({"ip"}), gives=TEST, meaning="lies in one of the networks"
        ),
        Modifier(name="lt", takes=_ORDERED, gives=TEST, meaning="is less than"),
        Modifier(name="lte", takes=_ORDERED, gives=TEST, meaning="is at most"),
        Modifier(name="gt", takes=_ORDERED, gives=TEST, meaning="is more than"),
        Modifier(name="gte", takes=_ORDERED, gives=TEST, meaning="is at least"),
        Modifier(
            name="age",
            takes=frozenset({"time"}),
            gives=AGE,
            meaning="time that had passed at the run's as_of, in checks of servers' records at "
            "most until they were read; lt, lte, gt or gte must follow",
        ),
        Modifier(
            name="len",
            takes=frozenset({"text", "host", "list", "json", LEAF}),
            gives=COUNT,
            meaning="number of characters, items or keys",
        ),
        Modifier(
            name="exists",
            takes=_COLUMNS | {"json"},
            gives=TEST,
            meaning="whether there is a value (true) or none (false)",
        ),
        Modifier(
            name="has_key",
            takes=frozenset({"json", LEAF}),
            gives=KEYS_TEST,
            meaning="the object has one of the keys",
        ),
        Modifier(
            name="keys_within",
            takes=frozenset({"json", LEAF}),
            gives=TEST,
            meaning="the object has no key beside these",
        ),
        Modifier(
            name="i",
            takes=frozenset({TEXT_TEST, PATTERN_TEST}),
            gives=TEXT_TEST,
            meaning="case does not count",
        ),
        Modifier(
            name="all_of",
            takes=frozenset({TEXT_TEST, KEYS_TEST, "list"}),
            gives=TEST,
            meaning="all of the values rather than one of them",
        ),
        Modifier(
            name="not", takes=PLAIN | TESTS - {NEGATED}, gives=NEGATED, meaning="negates this key"
        ),
    )
}
"""Name -> modifier. A new one is an entry here and its predicate in ``audit.checks.predicates``."""


def following(type_: str) -> tuple[str, ...]:
    """Return the modifiers that may follow a type, as errors list them."""
    return tuple(name for name, modifier in MODIFIERS.items() if type_ in modifier.takes)
