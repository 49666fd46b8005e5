"""What a verdict leans on beside the evidence: cuts, overrides, excuses, persons' words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from audit.checks.assertions import Tested
from audit.checks.demands import counted
from audit.checks.exercise import Exercised
from audit.checks.fingerprints import Redact
from audit.checks.messages import shorten
from audit.checks.policy import Policy, Target
from audit.checks.program import Program
from audit.tables.evidence import PerformedAction

_WORDS = {
    "recorder": "the recorder did it",
    "peer": "the peer outside the sandbox confirms it",
    "manual": "on the recording person's word",
    "rows": "the traffic that it must leave is there",
}
_SHOWN = 5


def leaned_on(
    program: Program,
    policy: Policy,
    target: Target,
    tested: Sequence[Tested],
    items: Sequence[Exercised],
    redact: Redact,
) -> list[str]:
    """Return, a sentence each, what the verdict rests on beside the evidence."""
    found = [*_cuts(program), *_overrides(program, policy, target)]
    found += _excuses(tested, redact)
    found += [
        f"{action.name} was done on the word of a person ({action.corroborated_by})"
        for action in _performed(items)
        if _is_word(action)
    ]
    return list(dict.fromkeys(found))


def platforms(program: Program, target: Target, recorded: Iterable[str | None]) -> Iterator[str]:
    """Yield how the target's platform differs from the recorded one, where the scope tells them.

    A check is judged where either is in its scope.
    """
    scope = program.check.file.scope
    wanted = None if scope is None else scope.platforms
    by_target = target.is_in(wanted)
    for name in sorted({name for name in recorded if name}):
        if wanted is not None and (name in wanted) != by_target:
            said = target.file.app.platform or "no platform"
            yield (
                f"the target says that its client is of {said}, the recording that it is of "
                f"{name}: the check is judged"
            )


def _is_word(action: PerformedAction) -> bool:
    proof = action.corroborated_by or ""
    return proof == "manual" or proof.startswith("vouched by")


def _performed(items: Sequence[Exercised]) -> list[PerformedAction]:
    return [action for one in items for action in one.performed]


def performed(items: Sequence[Exercised]) -> list[str]:
    """Return the actions that were proven, each with what proves it."""
    lines = [
        f"{action.name}: {_WORDS.get(action.corroborated_by or '', action.corroborated_by)}"
        for action in _performed(items)
    ]
    return list(dict.fromkeys(lines))


def _cuts(program: Program) -> Iterator[str]:
    for exercise in program.exercise:
        if exercise.cut:
            yield (
                f"the journey was cut by what the target says its client can do, without "
                f"{', '.join(exercise.cut)}"
            )


def _overrides(program: Program, policy: Policy, target: Target) -> Iterator[str]:
    for name in sorted(program.variables & target.file.vars.keys()):
        value = shorten(json.dumps(target.file.vars[name], ensure_ascii=False))
        default = policy.pack.vars[name].default
        instead = "" if default is None else f" instead of {shorten(json.dumps(default))}"
        yield f"the target sets {name} to {value}{instead}"


def _excuses(tested: Sequence[Tested], redact: Redact) -> Iterator[str]:
    for one in tested:
        if not len(one.excused):
            continue
        column = "recipient" if "recipient" in one.table.columns else one.table.name
        names: list[str] = []
        if column == "recipient":
            encoded = one.table.encoded(column)
            names = sorted({redact(str(encoded.at(row))) for row in one.excused.tolist()})
        shown = ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")
        yield (
            f"'{one.expectation.item.id}' excuses {counted(len(one.excused), one.table.name)} by "
            f"its own 'not'{f' ({shown})' if shown else ''}"
        )
