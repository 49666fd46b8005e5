"""The examples of a check, run: judged exactly as real evidence is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.authoring.example_evidence import AS_OF, ExampleEvidence
from audit.checks.capabilities import Assumptions
from audit.checks.evaluate import Judge
from audit.checks.policy import LoadedCheck, Policy, Target
from audit.checks.targets import target_of_nothing
from audit.checks.union import Union
from audit.model.result import VerdictRecord
from audit.tables.vocabulary import CAPABILITIES
from audit.yamlfile.check import Example
from audit.yamlfile.located import Path
from audit.yamlfile.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleResult:
    """What one example gave."""

    check: str
    name: str
    verdict: VerdictRecord
    problems: tuple[Problem, ...]
    """How it differs from what it says, each at its place; empty: it holds."""


Judged = tuple[VerdictRecord, list[dict[str, Any]]]
"""A verdict, and what is reported beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedExample:
    """An example whose evidence is made; it can judge its check, and any mutant of it."""

    example: Example
    path: Path
    judge: Judge

    def judged(self, check: LoadedCheck) -> Judged:
        """Judge a check over the example's evidence."""
        return self.judge.check(check)

    def differences(self, judged: Judged) -> Iterator[tuple[Path, str, str | None]]:
        """Yield where, how and why a verdict is not the one that the example says."""
        verdict, reported = judged
        example = self.example
        if verdict.outcome.value != example.verdict:
            why = "; ".join(reason.text for reason in verdict.reasons)
            why = why or "; ".join(finding.message for finding in verdict.findings)
            yield ("verdict",), f"the verdict is {verdict.outcome}", why or None
        if example.hits is not None and len(verdict.findings) != example.hits:
            found = "; ".join(finding.message for finding in verdict.findings)
            yield ("hits",), f"there are {len(verdict.findings)} findings", found or None
        counts = {entry["id"]: entry["count"] for entry in reported}
        for name, count in example.reported.items():
            if counts.get(name) != count:
                yield ("reported", name), f"'{name}' reports {counts.get(name, 'nothing')}", None

    def holds(self, check: LoadedCheck) -> bool:
        """Whether a check gives over this evidence what the example says."""
        return next(self.differences(self.judged(check)), None) is None


def prepare(
    policy: Policy,
    base: Target,
    check: LoadedCheck,
    example: Example,
    path: Path = (),
    as_of: datetime = AS_OF,
) -> PreparedExample:
    """Make the evidence of an example; raises :class:`PolicyError` for rows that are none."""
    evidence = ExampleEvidence(policy, base, check, example, path, as_of)
    without = frozenset[str](example.without)
    judge = Judge(
        policy,
        evidence.target,
        Union([evidence.capture()]),
        as_of,
        lambda text: text,
        Assumptions(there=frozenset(CAPABILITIES) - without, absent=without),
    )
    return PreparedExample(example=example, path=path, judge=judge)


def prepare_all(
    policy: Policy, base: Target, check: LoadedCheck, as_of: datetime = AS_OF
) -> list[PreparedExample]:
    """Make the evidence of every example of a check."""
    return [
        prepare(policy, base, check, example, ("tests", index), as_of)
        for index, example in enumerate(check.file.tests)
    ]


def run_examples(
    policy: Policy, target: Target | None = None, as_of: datetime = AS_OF
) -> list[ExampleResult]:
    """Run every example of every check, in order; ``target`` gives variables that a pack lacks.

    Raises :class:`PolicyError` for examples whose rows are no rows of their tables.
    """
    base = target or target_of_nothing(policy)
    return [
        _result(prepared, check)
        for check in policy.checks
        for prepared in prepare_all(policy, base, check, as_of)
    ]


def _result(prepared: PreparedExample, check: LoadedCheck) -> ExampleResult:
    judged = prepared.judged(check)
    name = prepared.example.name
    return ExampleResult(
        check=check.file.id,
        name=name,
        verdict=judged[0],
        problems=tuple(
            check.located.problem(
                (*prepared.path, *path), "E302", f"{message}, in example '{name}'", hint=why
            )
            for path, message, why in prepared.differences(judged)
        ),
    )
