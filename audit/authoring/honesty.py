"""Lint's rules of honesty (E2xx): what would let a check say more than its evidence does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from audit.checks.policy import LoadedCheck, Policy
from audit.tables.supply import (
    CAPABILITIES_TO_COME,
    TABLE_SUPPLY,
    platforms_of,
    platforms_of_table,
)
from audit.tables.vocabulary import PLATFORMS, Platform
from audit.yamlfile.expectation import NoJoin, Some
from audit.yamlfile.located import Path
from audit.yamlfile.problem import Problem
from audit.yamlfile.units import parse_time

_SPACE: Final = re.compile(r"\s+")
_VERDICTS: Final = ("pass", "fail", "inconclusive", "not_observable")


def honesty_problems(policy: Policy, check: LoadedCheck) -> Iterator[Problem]:
    """Yield what keeps a check from being honest."""
    yield from _quote(policy, check)
    yield from _review(policy, check)
    yield from _tables(check)
    yield from _supply(check)
    yield from _attest(check)
    yield from _joins(check)
    yield from _examples(check)


def squeeze(text: str) -> str:
    """Return text with every run of white space as one space."""
    return _SPACE.sub(" ", text).strip()


def _edition(policy: Policy, check: LoadedCheck) -> str:
    _, _, edition = check.file.clause.policy.partition("@")
    return edition or policy.clauses[check.file.clause.id].edition or policy.file.editions[0].id


def _quote(policy: Policy, check: LoadedCheck) -> Iterator[Problem]:
    clause = check.file.clause
    edition = _edition(policy, check)
    text = squeeze(policy.texts[edition])
    quotes: list[tuple[Path, str | None]] = [
        (("clause", "quote"), clause.quote),
        (("clause", "discloses"), clause.discloses),
    ]
    for path, quote in quotes:
        if quote is not None and squeeze(quote) not in text:
            yield check.located.problem(
                path,
                "E201",
                f"these words do not stand in edition '{edition}' of the policy",
                hint="quote verbatim; white space alone may differ",
            )
    if squeeze(clause.quote) not in squeeze(policy.clauses[clause.id].quote):
        yield check.located.problem(
            ("clause", "quote"), "E201", f"these are not the words of clause '{clause.id}'"
        )


def _review(policy: Policy, check: LoadedCheck) -> Iterator[Problem]:
    edition = policy.editions[_edition(policy, check)]
    reviewed = check.file.reviewed
    if reviewed is None or edition.retrieved == "unknown":
        return
    if parse_time(edition.retrieved) > parse_time(reviewed):
        yield check.located.problem(
            ("reviewed",),
            "W202",
            f"edition '{edition.id}' was retrieved on {edition.retrieved}, after this review",
            hint="read check and document side by side again, then date the review",
        )


def _tables(check: LoadedCheck) -> Iterator[Problem]:
    observed = {item.capability for item in check.file.observe}
    for path, table in _tables_read(check):
        needed = TABLE_SUPPLY[table].capabilities
        if needed and not observed.intersection(needed):
            yield check.located.problem(
                path,
                "E208",
                f"'{table}' is read and nothing observes that it was filled: empty, it would pass",
                hint=f"observe {' or '.join(needed)}",
            )


def _tables_read(check: LoadedCheck) -> Iterator[tuple[Path, str]]:
    for index, item in enumerate(check.file.expect):
        if isinstance(item, NoJoin):
            yield ("expect", index, "left", "from"), item.left.from_
            yield ("expect", index, "right", "from"), item.right.from_
        elif not isinstance(item, Some):
            yield ("expect", index, "from"), item.from_
    for index, unsure in enumerate(check.file.unsure):
        yield ("unsure", index, "from"), unsure.from_


def _supply(check: LoadedCheck) -> Iterator[Problem]:
    """Yield what nothing can fill on the platforms in scope, and what nothing fills yet."""
    scope = check.file.scope
    platforms = frozenset[Platform](scope.platforms if scope else PLATFORMS)
    for index, item in enumerate(check.file.observe):
        able = platforms_of(item.capability)
        if platforms.isdisjoint(able):
            yield check.located.problem(
                ("observe", index, "capability"),
                "E203",
                f"no platform in scope can supply {item.capability}",
                allowed=tuple(sorted(able)),
            )
    for path, table in _all_tables(check):
        able = platforms_of_table(table)
        if platforms.isdisjoint(able):
            yield check.located.problem(
                path, "E203", f"on no platform in scope can anything fill '{table}'",
                allowed=tuple(sorted(able)),
            )  # fmt: skip
    yield from _to_come(check)


def _all_tables(check: LoadedCheck) -> Iterator[tuple[Path, str]]:
    yield from _tables_read(check)
    for index, item in enumerate(check.file.expect):
        if isinstance(item, Some):
            yield ("expect", index, "from"), item.from_
    for part in ("exercise", "report"):
        for index, item in enumerate(getattr(check.file, part)):
            if item.from_ is not None:
                yield (part, index, "from"), item.from_


def _to_come(check: LoadedCheck) -> Iterator[Problem]:
    said = check.file.attest is not None and check.file.procedure is not None
    for index, item in enumerate(check.file.observe):
        later = CAPABILITIES_TO_COME.get(item.capability)
        if later is not None and not said:
            yield check.located.problem(
                ("observe", index, "capability"),
                "W203",
                f"nothing supplies {item.capability} yet ({later}): the check is not observable",
                hint="say in 'attest' who can vouch, and in 'procedure' how somebody could test it",
            )


def _attest(check: LoadedCheck) -> Iterator[Problem]:
    if check.file.attest is not None:
        return
    for index, item in enumerate(check.file.observe):
        if item.capability.startswith("server."):
            yield check.located.problem(
                ("observe", index),
                "W206",
                "what a server keeps may not be observable, and 'attest' does not say who could "
                "vouch for it",
            )
            return


def _joins(check: LoadedCheck) -> Iterator[Problem]:
    """Yield joins whose left side may be empty: nothing equals nothing, and that would pass."""
    for index, item in enumerate(check.file.expect):
        if isinstance(item, NoJoin) and not _is_filled(check, item):
            yield check.located.problem(
                ("expect", index, "left", "from"),
                "E206",
                f"'{item.left.from_}' may have no row here, and a join of nothing would pass",
                hint="add an exercise with the same 'from' and 'where', or one with the action "
                "(and 'age|gte', if the rows must be old) that leaves the rows",
            )


def _is_filled(check: LoadedCheck, item: NoJoin) -> bool:
    where = dict(item.left.where or {})
    for exercise in check.file.exercise:
        if exercise.from_ == item.left.from_ and exercise.min != 0:
            held = exercise.where or {}
            if all(key in held and held[key] == value for key, value in where.items()):
                return True
    if item.left.from_ != "events" or "name" not in where:
        return False
    names = where.pop("name")
    wanted = set(names) if isinstance(names, list) else {names}
    dated = any(key.startswith("ts|age") for key in where)
    undated = [key for key in where if not key.startswith("ts|age")]
    for exercise in check.file.exercise:
        actions = exercise.actions if isinstance(exercise.actions, list) else []
        is_old = exercise.age_gte is not None or not dated
        if wanted.intersection(actions) and not undated and is_old:
            return True
    return False


def _examples(check: LoadedCheck) -> Iterator[Problem]:
    shown = {example.verdict for example in check.file.tests}
    missing = [word for word in _VERDICTS if word not in shown]
    if missing:
        yield check.located.problem(
            ("tests",),
            "E301",
            f"no example shows the verdict {' or '.join(missing)}",
            at="key",
            hint="each verdict that the check can give needs an example",
        )
