"""Whether something happened that would have shown a violation: silence alone proves nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from audit.checks.conversations import is_proven
from audit.checks.demands import counted, rows_of
from audit.checks.program import CompiledExercise
from audit.checks.truth import FALSE, TRUE
from audit.checks.union import Union
from audit.tables.evidence import CaptureEvidence, PerformedAction
from audit.yamlfile.units import parse_time, render_duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercised:
    """What became of one item of ``exercise``."""

    is_met: bool
    lacking: str = ""
    """What is missing, in words, in the capture that lacks least."""
    performed: tuple[PerformedAction, ...] = ()
    """The actions that it rests on."""


def exercised(
    item: CompiledExercise, union: Union, candidates: Sequence[int], as_of: datetime
) -> Exercised:
    """Return whether the item holds within one of the candidate captures."""
    tried = [_in_capture(item, union, index, as_of) for index in candidates]
    met = [one for one in tried if one.is_met]
    if met:
        performed = {
            (action.name, _proof(action)): action for one in met for action in one.performed
        }
        return Exercised(is_met=True, performed=tuple(performed[key] for key in sorted(performed)))
    if not tried:
        return Exercised(is_met=False, lacking="no capture supplies all that the check observes")
    return min(tried, key=lambda one: (len(one.lacking), one.lacking))


def _proof(action: PerformedAction) -> str:
    return action.corroborated_by or ""


def _in_capture(item: CompiledExercise, union: Union, index: int, as_of: datetime) -> Exercised:
    if item.item.from_ is None:
        return _actions(item, union.captures[index], as_of)
    return _rows(item, union, index)


def _actions(item: CompiledExercise, capture: CaptureEvidence, as_of: datetime) -> Exercised:
    if not item.actions:
        return Exercised(is_met=False, lacking="the client can do nothing of what the journey asks")
    found: list[PerformedAction] = []
    lacking: list[str] = []
    for name in item.actions:
        done = [action for action in capture.actions if action.name == name]
        proven = [action for action in done if action.ok and action.corroborated_by]
        old = [action for action in proven if _is_old_enough(action, item.age_s, as_of)]
        if old:
            found += _one_a_proof(old)
        elif proven:
            lacking.append(f"{name} was done less than {render_duration(item.age_s or 0)} ago")
        elif any(action.ok for action in done):
            lacking.append(f"{name} rests on the client's word alone")
        elif done:
            lacking.append(f"{name} did not work")
        else:
            lacking.append(f"{name} was not done")
    return Exercised(is_met=not lacking, lacking=", ".join(lacking), performed=tuple(found))


def _one_a_proof(actions: list[PerformedAction]) -> list[PerformedAction]:
    return list({_proof(action): action for action in actions}.values())


def _is_old_enough(action: PerformedAction, age_s: float | None, as_of: datetime) -> bool:
    if age_s is None:
        return True
    try:
        return (as_of - parse_time(action.ts)).total_seconds() >= age_s
    except ValueError:
        return False


def _rows(item: CompiledExercise, union: Union, index: int) -> Exercised:
    table = union.table(item.item.from_ or "")
    truths = item.where.evaluate(table)
    here = table.origin == index
    sure = here & (truths == TRUE)
    if table.name == "events" and item.min:
        sure &= is_proven(table)
    if item.distinct is not None:
        codes = table.encoded(item.distinct.column, item.distinct.path).codes[sure]
        count = len(np.unique(codes[codes >= 0]))
        values = f"different values of {item.distinct.text} in {rows_of(table.name)}"
    else:
        count = int(sure.sum())

    def told(n: int) -> str:
        return counted(n, table.name) if item.distinct is None else f"{n} {values}"

    possible = int((here & (truths != FALSE)).sum())
    if count < item.min:
        return Exercised(is_met=False, lacking=f"{told(count)}, at least {item.min} are needed")
    if item.max is not None and possible > item.max:
        return Exercised(is_met=False, lacking=f"{told(possible)}, at most {item.max} may be")
    return Exercised(is_met=True)
