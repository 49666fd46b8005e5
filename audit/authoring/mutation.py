"""Runs mutants against the examples: what no example notices, no example tests (W302).

The evidence of each example is made once and judged by every mutant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from audit.authoring.allowances import Allowed, sift
from audit.authoring.examples import PreparedExample, prepare_all
from audit.authoring.mutants import Mutant, mutants_of
from audit.checks.policy import LoadedCheck, Policy, Target
from audit.checks.targets import target_of_nothing
from audit.yamlfile.check import CheckFile
from audit.yamlfile.problem import PolicyFileError, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Survivor:
    """A mutant that gives the same in every example."""

    check: LoadedCheck
    mutant: Mutant
    mutated: LoadedCheck
    problem: Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """What became of the mutants of one check."""

    check: LoadedCheck
    tried: int
    survivors: tuple[Survivor, ...]
    """Those that no comment allows."""
    allowed: tuple[Allowed, ...]

    @property
    def too_many(self) -> bool:
        """Whether more survive than the check says may."""
        return len(self.survivors) > self.check.file.max_survivors


def mutate(policy: Policy, target: Target | None = None) -> Iterator[Mutation]:
    """Run the mutants of every check, a check after the other.

    Raises :class:`PolicyError` for examples whose rows are no rows of their tables. Checks whose
    own examples do not hold say nothing of mutants and are left out.
    """
    base = target or target_of_nothing(policy)
    for check in policy.checks:
        examples = prepare_all(policy, base, check)
        if all(example.holds(check) for example in examples):
            yield _of_check(check, examples)


def _of_check(check: LoadedCheck, examples: Sequence[PreparedExample]) -> Mutation:
    tried = 0
    found: list[Survivor] = []
    data = check.located.data
    for mutant in mutants_of(data if isinstance(data, dict) else {}):
        mutated = _mutated(check, mutant)
        survives = None if mutated is None else _survives(mutated, examples)
        if mutated is None or survives is None:
            continue
        tried += 1
        if survives:
            problem = check.located.problem(
                mutant.path,
                "W302",
                f"no example needs {mutant.what}",
                at="key" if mutant.at_key else "value",
            )
            found.append(Survivor(check=check, mutant=mutant, mutated=mutated, problem=problem))
    _, allowed = sift([item.problem for item in found], [check.located])
    excused = {item.problem for item in allowed}
    return Mutation(
        check=check,
        tried=tried,
        survivors=tuple(item for item in found if item.problem not in excused),
        allowed=tuple(allowed),
    )


def _mutated(check: LoadedCheck, mutant: Mutant) -> LoadedCheck | None:
    """Return the mutated check, ``None`` where it is no check any more."""
    try:
        file = CheckFile.model_validate(mutant.data)
    except ValidationError:
        return None
    return LoadedCheck(file=file, located=check.located, path=check.path)


def _survives(mutated: LoadedCheck, examples: Sequence[PreparedExample]) -> bool | None:
    """Return whether every example holds; ``None`` where the mutant means nothing."""
    try:
        return all(example.holds(mutated) for example in examples)
    except PolicyFileError:
        return None
