"""Verdicts to an exit code: 0 the gate holds, 1 violated, 4 unproven, 5 something lapsed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from audit.gate.dispositions import Laid, lay
from audit.gate.rules import GateRules
from audit.model.outcome import Outcome
from audit.model.result import Finding, Gate, VerdictRecord
from audit.tables.vocabulary import SEVERITIES

ExitCode = Literal[0, 1, 4, 5]
HOLDS: Final = 0
VIOLATED: Final = 1
UNPROVEN: Final = 4
LAPSED: Final = 5
_PRECEDENCE: Final[tuple[ExitCode, ...]] = (VIOLATED, LAPSED, UNPROVEN)
"""Highest cause first, as in the table of exit codes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a gate says."""

    gate: Gate
    verdicts: tuple[VerdictRecord, ...]
    """The verdicts, their dispositions filled in."""


@dataclass(frozen=True, slots=True)
class _Cause:
    code: ExitCode
    text: str


def decide(
    verdicts: Sequence[VerdictRecord],
    rules: GateRules,
    as_of: datetime,
    exercised: float | None = None,
) -> Decision:
    """Decide whether a pipeline may go on.

    Only stable checks count. ``exercised`` is the share of the demanded actions that were proven,
    see :func:`audit.gate.exercised.share_exercised`; ``None``: none was demanded.
    """
    laid = [lay(verdict, rules, as_of) for verdict in verdicts]
    causes = [
        cause for one in laid if one.verdict.status == "stable" for cause in _causes(one, rules)
    ]
    least = rules.gate.require.min_exercised
    if least is not None and exercised is not None and exercised < least:
        text = f"{exercised:.0%} of the actions that the checks ask for were exercised"
        causes.append(_Cause(UNPROVEN, f"{text}, {least:.0%} are required"))
    found: list[ExitCode] = [code for code in _PRECEDENCE if any(c.code == code for c in causes)]
    ordered = sorted(causes, key=lambda cause: _PRECEDENCE.index(cause.code))
    return Decision(
        gate=Gate(
            exit_code=found[0] if found else HOLDS,
            reasons=[*(cause.text for cause in ordered), *_unused(laid, rules)],
        ),
        verdicts=tuple(one.verdict for one in laid),
    )


def _unused(laid: Sequence[Laid], rules: GateRules) -> list[str]:
    if rules.gate.waivers.unused == "ignore":
        return []
    used = frozenset().union(*(one.used for one in laid))
    return [
        f"waiver {item.file.id} covers nothing"
        for item in rules.waivers
        if item.file.id not in used
    ]


def _causes(one: Laid, rules: GateRules) -> Iterator[_Cause]:
    outcome = one.verdict.outcome
    if outcome is Outcome.FAIL:
        yield from _violations(one, rules)
    elif outcome is not Outcome.NOT_APPLICABLE:
        yield from _unproven(one, rules)


def _violations(one: Laid, rules: GateRules) -> Iterator[_Cause]:
    verdict = one.verdict
    accepted = rules.gate.require.verdicts.get(verdict.severity)  # type: ignore[call-overload]

    def gating(findings: Sequence[Finding]) -> list[Finding]:
        return [item for item in findings if accepted is not None or _blocks(item, rules)]

    open_, lapsed = gating(one.open), gating(one.lapsed)
    if open_:
        yield _Cause(VIOLATED, f"{verdict.check} is fail, {verdict.severity}: {_count(len(open_))}")
    if lapsed:
        names = ", ".join(sorted(one.used))
        yield _Cause(
            LAPSED, f"{verdict.check}: {_count(len(lapsed))} covered only by expired {names}"
        )


def _blocks(finding: Finding, rules: GateRules) -> bool:
    return SEVERITIES.index(finding.severity) >= SEVERITIES.index(rules.gate.fail_on.severity)


def _count(number: int) -> str:
    return "1 finding" if number == 1 else f"{number} findings"


def _unproven(one: Laid, rules: GateRules) -> Iterator[_Cause]:
    verdict = one.verdict
    accepted = rules.gate.require.verdicts.get(verdict.severity)  # type: ignore[call-overload]
    if accepted is None or verdict.outcome.value in accepted:
        return
    text = f"{verdict.check} is {verdict.outcome}, {verdict.severity}"
    if verdict.outcome is Outcome.NOT_OBSERVABLE and "not_observable+attested" in accepted:
        if one.is_attested:
            return
        if one.attestation is not None:
            until = one.attestation.valid_until
            yield _Cause(LAPSED, f"{text}: the attestation has expired ({until})")
            return
        text += ", and nobody attests it"
    yield _Cause(UNPROVEN, f"{text}: {' or '.join(accepted)} is required")
