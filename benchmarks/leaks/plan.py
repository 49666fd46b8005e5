"""Which cases there are: the full product, every pair, and a sample of deeper ones."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from .containers import CONTAINERS, CORE, Wrapped, wrap
from .forms import Form, digests, forms, spellings
from .locations import LOCATIONS, Location
from .message import Message
from .subject import Value

SHORT = 6
"""Bytes under which a value means something only as a whole field."""
MAX_STEPS = 6
"""Containers inside one another, those that carry bytes in text counted."""
LARGEST = 20_000
"""Bytes of one message at most."""


@dataclass(frozen=True)
class Case:
    """One leak: what of whom, how, where."""

    value: Value
    form: Form
    containers: tuple[str, ...]
    """Innermost first."""
    location: str


@dataclass(frozen=True)
class Planted:
    """A case in its message."""

    case: Case
    message: Message
    steps: tuple[str, ...]
    """All that was put around the form, innermost first."""


def product(values: list[Value]) -> Iterator[Case]:
    """Yield kinds x forms x containers x locations, one container each."""
    for value in values:
        for form in forms(value):
            for container in CORE:
                for location in LOCATIONS:
                    yield Case(value, form, (container,), location)


def further(values: list[Value]) -> Iterator[Case]:
    """Yield every digest of every normal form and every usual spelling, and rarer containers."""
    for value in values:
        for form in (*digests(value), *spellings(value)):
            for location in ("body", "query", "raw tcp"):
                yield Case(value, form, ("none",), location)
            yield Case(value, form, ("json",), "body")
        for form in forms(value):
            for name, container in CONTAINERS.items():
                if not container.core:
                    yield Case(value, form, (name,), "body")


def pairs(values: list[Value], seed: int) -> Iterator[Case]:
    """Yield cases of two containers in which every pair of values of two axes occurs."""
    draw = random.Random(f"pairs {seed}")
    families = sorted({form.name for value in values for form in forms(value)})
    axes: list[list[object]] = [list(range(len(values))), list(families), list(CONTAINERS),
                                list(CONTAINERS), list(LOCATIONS)]  # fmt: skip
    by_value = [{form.name: form for form in forms(value)} for value in values]
    wanted = {
        (one, first, two, second)
        for one, two in combinations(range(len(axes)), 2)
        for first in axes[one]
        for second in axes[two]
    }
    for one, first, two, second in sorted(wanted, key=repr):
        if (one, first, two, second) not in wanted:
            continue
        best = None
        for _ in range(12):
            row = [draw.choice(axis) for axis in axes]
            row[one], row[two] = first, second
            names = by_value[row[0]]
            if row[1] not in names:
                if 1 in (one, two) and 0 in (one, two):
                    break
                if 1 in (one, two):
                    row[0] = draw.choice([at for at, own in enumerate(by_value) if row[1] in own])
                else:
                    row[1] = draw.choice(sorted(names))
            covered = {
                (a, row[a], b, row[b]) for a, b in combinations(range(len(axes)), 2)
            } & wanted
            case = Case(values[row[0]], by_value[row[0]][row[1]], (row[2], row[3]), row[4])
            if (best is None or len(covered) > len(best[1])) and fits(case):
                best = case, covered
        if best:
            wanted -= best[1]
            yield best[0]


def sample(values: list[Value], seed: int, count: int) -> Iterator[Case]:
    """Yield cases of up to three containers, drawn at random over all forms and containers."""
    draw = random.Random(f"sample {seed}")
    items = [
        (value, form)
        for value in values
        for form in (*forms(value), *spellings(value), *list(digests(value))[::5])
    ]
    names = list(CONTAINERS)
    made = 0
    while made < count:
        value, form = draw.choice(items)
        chosen = tuple(draw.choices(names, k=draw.choice((1, 2, 2, 3, 3, 3))))
        case = Case(value, form, chosen, draw.choice(list(LOCATIONS)))
        if fits(case):
            made += 1
            yield case


def needs_field(case: Case) -> bool:
    """Whether the value means something only as a whole field: common, or very short."""
    form = case.form
    size = len(form.data) if form.family == "packed-address" else len(case.value.text)
    number = form.family == "integer-address" and not form.data[:1].isdigit()
    return case.value.low or size < SHORT or number


def fits(case: Case) -> bool:
    """Whether the case can be told to be a leak, before it is made."""
    headerless = [at for at, name in enumerate(case.containers) if name in ("deflate", "br")]
    if headerless and "basic" in case.containers[headerless[0] :]:
        return False  # a password stands right behind what shows no end of its own
    if not needs_field(case):
        return True
    kept = case.form.whole and LOCATIONS[case.location].keeps
    return kept and all(CONTAINERS[name].keeps for name in case.containers)


def plant(case: Case, number: int, seed: int) -> Planted | None:
    """Make the message of a case; None where the location cannot hold it."""
    draw = random.Random(f"plant {seed} {number}")
    location = LOCATIONS[case.location]
    wrapped = wrap(
        case.form.data,
        is_text=case.form.is_text,
        whole=case.form.whole,
        names=case.containers,
        draw=draw,
    )
    if not fits(case) or len(wrapped.data) > LARGEST:
        return None
    message = Message(number, file=draw.choice(location.files))
    steps = _place(location, message, wrapped, draw)
    if steps is None or len(wrapped.steps) + _counted(steps) > MAX_STEPS:
        return None
    return Planted(case, message, (*wrapped.steps, *steps))


def _place(
    location: Location, message: Message, wrapped: Wrapped, draw: random.Random
) -> tuple[str, ...] | None:
    return location.place(message, wrapped, draw)


def _counted(steps: tuple[str, ...]) -> int:
    return sum(step in CONTAINERS or step in ("percent", "base64") for step in steps)
