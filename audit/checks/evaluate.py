"""The only place where an outcome is chosen (design §7).

``fail`` (a violating row that nothing excuses) > ``not_observable`` (a capability that the check
observes is in no capture) > ``inconclusive`` (not exercised, or the evidence is not alive, whole,
readable or decided) > ``pass``. A missing bad row is never a pass by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from audit.checks import assertions, capabilities, doubts, leaning, opacity, records, sealed, unread
from audit.checks.capabilities import HINTS, Assumptions, Supply
from audit.checks.compiling import compile_check
from audit.checks.exercise import exercised
from audit.checks.faults import Faults
from audit.checks.findings import make_findings, missing_rows_finding
from audit.checks.policy import LoadedCheck, Policy, Target
from audit.checks.program import Program
from audit.checks.recurrence import Recurrence
from audit.checks.reporting import reported
from audit.checks.union import Union
from audit.model.outcome import Outcome
from audit.model.result import Finding, Reason, VerdictRecord
from audit.tables.evidence import CaptureEvidence
from audit.yamlfile.problem import PolicyFileError


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the checks of a policy say of some captures."""

    verdicts: tuple[VerdictRecord, ...]
    """One a check, sorted by its id."""
    reported: tuple[dict[str, Any], ...]
    """Disclosed, unscored rows, see ``Result.reported``."""


def evaluate(
    policy: Policy,
    target: Target,
    captures: Sequence[CaptureEvidence],
    as_of: datetime,
    redact: Callable[[str], str],
) -> Judgement:
    """Judge captures of one target, together, against every check of a policy.

    ``as_of`` (aware) is the moment that ages count from, ``redact`` blanks every value of the
    subject in a text. Raises :class:`PolicyError` where a value that the target sets does not fit
    where a check reads it.
    """
    judge = Judge(policy, target, Union(captures), as_of, lru_cache(maxsize=65536)(redact))
    judged = [judge.check(check) for check in policy.checks]
    return Judgement(
        verdicts=tuple(verdict for verdict, _ in judged),
        reported=tuple(entry for _, entries in judged for entry in entries),
    )


class Judge:
    """Judges checks over one body of evidence."""

    def __init__(
        self,
        policy: Policy,
        target: Target,
        union: Union,
        as_of: datetime,
        redact: Callable[[str], str],
        assumed: Assumptions | None = None,
    ) -> None:
        self._policy = policy
        self._target = target
        self._union = union
        self._as_of = as_of
        self._read_at = min(
            (capture.records_read_at for capture in union.captures if capture.records_read_at),
            default=as_of,
        )
        self._redact = redact
        self._assumed = assumed or Assumptions()
        self._recorded = [capture.platform for capture in union.captures]

    def check(self, check: LoadedCheck) -> tuple[VerdictRecord, list[dict[str, Any]]]:
        """Return the verdict of one check, and what it reports beside it."""
        if not self._target.is_judged(check, self._recorded):
            return _record(check, Outcome.NOT_APPLICABLE), []
        program = self.compile(check)
        return self._judge(program), list(reported(program, self._union, self._redact))

    def compile(self, check: LoadedCheck) -> Program:
        """Compile a check as it is judged here; raises :class:`PolicyError`."""
        faults = Faults()
        program = compile_check(check, self._policy, self._target, self._moment(check), faults)
        if faults.found:
            raise PolicyFileError(fault.problem(check.located) for fault in faults.found)
        return program

    def _moment(self, check: LoadedCheck) -> datetime:
        """Return what ages count to: no later than records were read, for they tell no more."""
        if any(item.capability.startswith("server.") for item in check.file.observe):
            return min(self._as_of, self._read_at)
        return self._as_of

    def _judge(self, program: Program) -> VerdictRecord:
        union = self._union
        tested = [assertions.apply(expectation, union) for expectation in program.expect]
        supplies = self._supplies(program)
        candidates = [
            index
            for index in range(len(union.captures))
            if all(supply[index].is_there for supply in supplies)
        ]
        items = [exercised(item, union, candidates, program.as_of) for item in program.exercise]
        recurrence = Recurrence(union, lambda index: self._could_show(program, candidates, index))
        findings = make_findings(tested, program, self._redact, recurrence)
        hidden = opacity.measure(program, tested, union)
        closed = sealed.measure(program, supplies, union)
        absent = list(_absent(program, supplies))
        doubted = [
            *doubts.unset_variables(program),
            *doubts.empty_lists(program),
            *doubts.not_exercised(program, items),
            *doubts.dead_evidence(program, union),
            *doubts.unfilled_columns(program, union),
            *doubts.partial_view(tested, union),
            *records.dead_feeds(program, items, union, candidates),
            *records.unsure_rows(program, union),
            *unread.reasons(program, tested, union),
            *sealed.reasons(closed, union),
            *doubts.unread(program, hidden, union, candidates),
            *doubts.undecided(program, tested, union),
        ]
        outcome, reasons = _choose(findings, absent, doubted)
        if outcome is Outcome.PASS:
            findings = [missing_rows_finding(one, program) for one in tested if one.is_short]
            outcome = Outcome.FAIL if findings else Outcome.PASS
        return _record(
            program.check,
            outcome,
            findings=findings,
            reasons=[_redacted(reason, self._redact) for reason in reasons],
            limits=[
                self._redact(limit)
                for limit in (
                    *_limits(program, supplies, hidden),
                    *sealed.limits(closed, union),
                )
            ],
            leaned_on=[
                *leaning.platforms(program, self._target, self._recorded),
                *leaning.leaned_on(
                    program, self._policy, self._target, tested, items, self._redact
                ),
            ],
            exercised=leaning.performed(items),
        )

    def _could_show(self, program: Program, candidates: Sequence[int], index: int) -> bool:
        """Whether a capture by itself supplies and exercises all that a check asks for."""
        return index in candidates and all(
            exercised(item, self._union, [index], program.as_of).is_met for item in program.exercise
        )

    def _supplies(self, program: Program) -> list[list[Supply]]:
        """Return, for each observed capability, what each capture has of it."""
        return [
            [
                capabilities.supply(item, program, self._union, index, self._assumed)
                for index in range(len(self._union.captures))
            ]
            for item in program.observe
        ]


def _choose(
    findings: Sequence[Finding], absent: Sequence[Reason], doubted: Sequence[Reason]
) -> tuple[Outcome, Sequence[Reason]]:
    """Evidence of harm wins over missing coverage; without either there is a pass."""
    if findings:
        return Outcome.FAIL, ()
    if absent:
        return Outcome.NOT_OBSERVABLE, absent
    if doubted:
        return Outcome.INCONCLUSIVE, doubted
    return Outcome.PASS, ()


def _absent(program: Program, supplies: Sequence[Sequence[Supply]]) -> Iterator[Reason]:
    for item, supply in zip(program.observe, supplies, strict=True):
        if any(one.is_there for one in supply):
            continue
        details = sorted({one.detail for one in supply if one.detail})
        text = "; ".join(details) or "there is no capture"
        name = item.item.capability
        yield Reason(text=f"{name}: {text}", hint=item.item.hint or HINTS.get(name))


def _limits(
    program: Program, supplies: Sequence[Sequence[Supply]], hidden: opacity.Opacity
) -> Iterator[str]:
    """Yield what a pass does not cover, a sentence each."""
    for supply in supplies:
        there = [one for one in supply if one.is_there]
        limits = sorted({one.limit for one in there if one.limit})
        if limits and all(one.limit for one in there):
            yield limits[0]
    if program.check.file.opaque == "limit" and hidden.opaque:
        share = hidden.opaque / hidden.selected
        yield (
            f"{hidden.opaque} of {hidden.selected} messages that the check reads ({share:.0%}) "
            "are opaque: what they hold was not read"
        )


def _redacted(reason: Reason, redact: Callable[[str], str]) -> Reason:
    return Reason(text=redact(reason.text), hint=reason.hint)


def _record(
    check: LoadedCheck,
    outcome: Outcome,
    *,
    findings: list[Finding] | None = None,
    reasons: list[Reason] | None = None,
    limits: list[str] | None = None,
    leaned_on: list[str] | None = None,
    exercised: list[str] | None = None,
) -> VerdictRecord:
    file = check.file
    return VerdictRecord(
        check=file.id,
        clause=file.clause.id,
        title=file.title,
        severity=file.severity,
        status=file.status,
        quote=file.clause.quote,
        reading=file.clause.reading,
        outcome=outcome,
        reasons=reasons or [],
        limits=limits or [],
        leaned_on=leaned_on or [],
        exercised=exercised or [],
        findings=findings or [],
        attest=None if file.attest is None else file.attest.model_dump(),
        procedure=file.procedure,
        remediation=file.remediation,
        references=list(file.references),
        file=check.path,
        line=check.located.line(("id",)),
        version=file.version,
    )
