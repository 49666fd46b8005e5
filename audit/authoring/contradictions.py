"""Sentences of one policy that cannot both be kept, by what its clauses state (W208)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from audit.checks.policy import Policy
from audit.checks.shipped import POLICY_FILE
from audit.yamlfile.policy import EVERYTHING, Statement
from audit.yamlfile.problem import Problem
from audit.yamlfile.units import parse_duration


def contradictions(policy: Policy) -> Iterator[Problem]:
    """Yield pairs of statements that contradict each other, at the later one."""
    said = [
        (number, index, clause, statement)
        for number, clause in enumerate(policy.file.clauses)
        for index, statement in enumerate(clause.states)
    ]
    for (_, _, first, one), (number, index, second, other) in combinations(said, 2):
        if first.edition != second.edition or not _is_same_data(one, other):
            continue
        why = _conflict(one, other) or _conflict(other, one)
        if why is not None:
            yield policy.located[POLICY_FILE].problem(
                ("clauses", number, "states", index),
                "W208",
                f"clause '{second.id}' contradicts '{first.id}': {_words(other)}, "
                f"but {_words(one)}",
                hint=why,
            )


def _is_same_data(one: Statement, other: Statement) -> bool:
    return one.data == other.data or EVERYTHING in {one.data, other.data}


def _conflict(one: Statement, other: Statement) -> str | None:
    """Return why two statements on the same data cannot both hold, ``None`` if they can."""
    if one.kind == "never" and other.kind != "never" and one.data in {EVERYTHING, other.data}:
        return "what is never had can be neither kept nor deleted"
    if one.kind == other.kind == "deletion" and one.data == other.data:
        if _seconds(one) != _seconds(other):
            return "two deletion times for one kind of data"
        return None
    if one.kind == "deletion" and other.kind == "storage" and one.data in {EVERYTHING, other.data}:
        if other.period is None:
            return "what is kept without end is not deleted in time"
        if _seconds(other) > _seconds(one):
            return "what is kept for longer is not deleted in time"
    return None


def _seconds(statement: Statement) -> float:
    return parse_duration(statement.period)


def _words(statement: Statement) -> str:
    if statement.kind == "never":
        return f"{statement.data} is never had"
    if statement.kind == "storage":
        return f"{statement.data} is kept" + (
            f" for {statement.period}" if statement.period else " without end"
        )
    return f"{statement.data} is deleted after {statement.period}"
