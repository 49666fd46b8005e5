"""The five outcomes and how the worst is chosen."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Outcome(StrEnum):
    """What a check says of a capture (design §7)."""

    FAIL = "fail"
    """A violating row was found that nothing excuses."""
    NOT_OBSERVABLE = "not_observable"
    """A capability that the check needs is absent from every capture."""
    INCONCLUSIVE = "inconclusive"
    """Could have been seen, but was not exercised, not proven, cut or unreadable."""
    PASS = "pass"  # noqa: S105 - an outcome, no password
    """Evidence alive, action exercised, detector proven, no violating row."""
    NOT_APPLICABLE = "not_applicable"
    """The check is for another platform."""


_WORST_FIRST = (Outcome.FAIL, Outcome.NOT_OBSERVABLE, Outcome.INCONCLUSIVE, Outcome.PASS)


def worst(outcomes: Iterable[Outcome]) -> Outcome | None:
    """Return the outcome of a clause from those of its checks.

    ``not_applicable`` only where nothing else applies; ``None`` where there is no check.
    """
    seen = set(outcomes)
    for outcome in _WORST_FIRST:
        if outcome in seen:
            return outcome
    return Outcome.NOT_APPLICABLE if seen else None
