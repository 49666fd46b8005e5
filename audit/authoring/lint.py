"""What is wrong, or dishonest, in a policy: every file of it, every mistake at its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from audit.authoring.allowances import Allowed, sift
from audit.authoring.contradictions import contradictions
from audit.authoring.example_evidence import ExampleEvidence
from audit.authoring.honesty import honesty_problems
from audit.checks.compiling import compile_check
from audit.checks.faults import Faults
from audit.checks.load import PACK_FILE, load_policy
from audit.checks.policy import LoadedCheck, Policy, Target
from audit.checks.shipped import POLICY_FILE
from audit.checks.targets import load_target, target_names, target_of_nothing
from audit.errors import PolicyError
from audit.gate.rules import load_rules
from audit.yamlfile.problem import PolicyFileError, Problem

_AGES_FROM: Final = datetime(2000, 1, 1, tzinfo=UTC)
_OF_MUTANTS: Final = frozenset({"W302"})
"""Codes that are looked for only where mutants are run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Linted:
    """What lint says of one policy."""

    folder: Path
    problems: tuple[Problem, ...]
    """Sorted by place."""
    allowed: tuple[Allowed, ...] = ()
    """What comments in its files allow."""
    policy: Policy | None = None
    """``None`` where it does not load."""

    @property
    def errors(self) -> int:
        """Number of problems that are errors."""
        return sum(problem.level == "error" for problem in self.problems)


def lint_folder(folder: Path) -> list[Problem]:
    """Return every problem of the policy in ``folder``, sorted by place; never raises for one."""
    return list(lint_folders([folder])[0].problems)


def lint_folders(folders: Sequence[Path]) -> list[Linted]:
    """Lint several policies, each by itself and their ids against each other."""
    found = [_linted(folder) for folder in folders]
    clashes = list(_clashes([one.policy for one in found if one.policy is not None]))
    return [
        Linted(
            folder=one.folder,
            problems=tuple(sorted({*one.problems, *(p for f, p in clashes if f == one.folder)})),
            allowed=one.allowed,
            policy=one.policy,
        )
        for one in found
    ]


def _linted(folder: Path) -> Linted:
    try:
        policy = load_policy(folder)
    except PolicyError as error:
        return Linted(folder=folder, problems=tuple(_problems_of(error)))
    files = [check.located for check in policy.checks] + list(policy.located.values())
    standing, allowed = sift(_all_problems(policy), files, unused=_OF_MUTANTS)
    return Linted(folder=folder, problems=tuple(standing), allowed=tuple(allowed), policy=policy)


def lint(policy: Policy) -> list[Problem]:
    """Return what a loaded policy's checks, targets and gate leave to be desired."""
    files = [check.located for check in policy.checks] + list(policy.located.values())
    return sift(_all_problems(policy), files, unused=_OF_MUTANTS)[0]


def _all_problems(policy: Policy) -> list[Problem]:
    problems: list[Problem] = []
    targets: list[Target] = []
    for name in target_names(policy.folder):
        try:
            targets.append(load_target(policy, name))
        except PolicyError as error:
            problems += _problems_of(error)
    try:
        load_rules(policy)
    except PolicyError as error:
        problems += _problems_of(error)
    problems += _variables(policy, targets)
    problems += contradictions(policy)
    nothing = target_of_nothing(policy)
    for check in policy.checks:
        problems += honesty_problems(policy, check)
        problems += _examples(policy, nothing, check)
    return sorted(set(problems))


def _examples(policy: Policy, target: Target, check: LoadedCheck) -> Iterator[Problem]:
    """Yield what is wrong with the rows of examples; whether they hold is another question."""
    for index, example in enumerate(check.file.tests):
        try:
            ExampleEvidence(policy, target, check, example, ("tests", index)).capture()
        except PolicyFileError as error:
            yield from error.problems


def _clashes(policies: Sequence[Policy]) -> Iterator[tuple[Path, Problem]]:
    """Yield ids that two policies share, at the later one."""
    first_policy: dict[str, Policy] = {}
    first_check: dict[str, Policy] = {}
    for policy in policies:
        other = first_policy.setdefault(policy.id, policy)
        if other.folder.resolve() != policy.folder.resolve():
            located = policy.located[POLICY_FILE]
            message = f"the policy '{policy.id}' also stands in {other.folder.name}"
            yield policy.folder, located.problem(("id",), "E119", message)
        for check in policy.checks:
            other = first_check.setdefault(check.file.id, policy)
            if other.folder.resolve() != policy.folder.resolve():
                message = f"the check '{check.file.id}' also stands in policy '{other.id}'"
                yield policy.folder, check.located.problem(("id",), "E119", message)


def _problems_of(error: PolicyError) -> Iterable[Problem]:
    if isinstance(error, PolicyFileError):
        return error.problems
    place = (error.source or "").rsplit(":", 2)
    numbered = len(place) == 3 and place[1].isdigit() and place[2].isdigit()
    return (
        Problem(
            source=place[0] if numbered else error.source or "",
            line=int(place[1]) if numbered else 1,
            column=int(place[2]) if numbered else 1,
            code="E000",
            message=error.message,
            hint=error.hint,
        ),
    )


def _variables(policy: Policy, targets: list[Target]) -> Iterator[Problem]:
    """Yield variables that a check reads and nothing sets, and those that nothing reads."""
    settable = {name for target in targets for name in target.file.vars}
    read: set[str] = set()
    for check in policy.checks:
        program = compile_check(check, policy, None, _AGES_FROM, Faults())
        read |= program.variables
        for name in sorted(program.unset - settable):
            for path in check.located.places:
                if _is_read(check.located.value(path), name):
                    yield check.located.problem(
                        path,
                        "E104",
                        f"neither the pack nor a target sets '{name}'",
                        hint="give it a default in pack.yaml, or set it in a target",
                    )
    for rule in policy.pack.peer_roles.values():
        read |= {name for name in policy.pack.vars if f"${{{name}" in str(rule)}
    for name in sorted(policy.pack.vars.keys() - read):
        yield policy.located[PACK_FILE].problem(
            ("vars", name), "W105", f"nothing reads the variable '{name}'", at="key"
        )


def _is_read(value: object, name: str) -> bool:
    return isinstance(value, str) and (value == f"${{{name}}}" or value.startswith(f"${{{name}."))
