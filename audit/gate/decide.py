"""Verdicts to an exit code: 0 the gate holds, 1 violated, 4 unproven, 5 something lapsed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from audit.gate.compare import Comparison
from audit.gate.dispositions import Clock, Laid, lay, state_of
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
    code: ExitCode | None
    """``None``: said, and nothing follows."""
    text: str


_Key = tuple[str, str]
"""Check and fingerprint of a finding."""


def decide(
    verdicts: Sequence[VerdictRecord],
    rules: GateRules,
    clock: Clock,
    exercised: float | None = None,
    comparison: Comparison | None = None,
) -> Decision:
    """Decide whether a pipeline may go on.

    Only stable checks count. ``exercised`` is the share of the demanded actions that were proven,
    see :func:`audit.gate.exercised.share_exercised`; ``None``: none was demanded. ``comparison``
    is with the baseline; ``None``: there is none, and every finding is new.
    """
    laid = [lay(verdict, rules, clock) for verdict in verdicts]
    known = _known(comparison) if rules.gate.compare.new_only else frozenset()
    causes = [
        cause
        for one in laid
        if one.verdict.status == "stable"
        for cause in _causes(one, rules, known)
    ]
    causes += _unexercised(rules, exercised)
    if comparison is not None:
        causes += _fallen(comparison, rules)
    found = [code for code in _PRECEDENCE if any(cause.code == code for cause in causes)]
    said = [cause.text for code in (*found, None) for cause in causes if cause.code == code]
    return Decision(
        gate=Gate(
            exit_code=found[0] if found else HOLDS,
            reasons=[*said, *_waivers(laid, rules, clock)],
            waivers=_listed(laid, rules, clock),
        ),
        verdicts=tuple(one.verdict for one in laid),
    )


def _known(comparison: Comparison | None) -> frozenset[_Key]:
    """Return the findings that the baseline holds against the same promise."""
    if comparison is None:
        return frozenset()
    return frozenset(
        (one.verdict.check, one.finding.fingerprint) for one in comparison.kept if one.is_known
    )


def _unexercised(rules: GateRules, exercised: float | None) -> Iterator[_Cause]:
    least = rules.gate.require.min_exercised
    if least is not None and exercised is not None and exercised < least:
        text = f"{exercised:.0%} of the actions that the checks ask for were exercised"
        yield _Cause(UNPROVEN, f"{text}, {least:.0%} are required")


def _fallen(comparison: Comparison, rules: GateRules) -> Iterator[_Cause]:
    """Yield what the baseline had and this result has not."""
    compare = rules.gate.compare
    code: ExitCode | None = UNPROVEN if compare.coverage_loss == "block" else None
    for loss in comparison.losses:
        yield _Cause(code, f"coverage loss: {loss.check}: {loss.text}")
    code = UNPROVEN if compare.removed_checks == "block" else None
    for removed in comparison.removed_checks:
        yield _Cause(code, f"removed check: {removed.check}: {removed.why}")


def _waivers(laid: Sequence[Laid], rules: GateRules, clock: Clock) -> Iterator[str]:
    """Yield what a reader must know of waivers that excuse nothing."""
    used = frozenset().union(*(one.covers for one in laid))
    for item in rules.waivers:
        if item.file.id not in used:
            if rules.gate.waivers.unused == "warn":
                yield f"waiver {item.file.id} covers nothing"
        elif state_of(item, clock) == "not yet in force":
            yield f"waiver {item.file.id} is not in force before {item.file.created}"


def _listed(laid: Sequence[Laid], rules: GateRules, clock: Clock) -> list[dict[str, Any]]:
    """Return every waiver that was given, used or not."""
    covers: Counter[str] = Counter()
    for one in laid:
        covers.update(one.covers)
    return [
        {
            "id": item.file.id,
            "check": item.file.check,
            "state": state_of(item, clock),
            "covers": covers[item.file.id],
            "reason": item.file.reason,
            "owner": item.file.owner,
            "approved_by": item.file.approved_by,
            "created": item.file.created,
            "expires": item.file.expires,
            "issue": item.file.issue,
        }
        for item in sorted(rules.waivers, key=lambda item: item.file.id)
    ]


def _causes(one: Laid, rules: GateRules, known: frozenset[_Key]) -> Iterator[_Cause]:
    outcome = one.verdict.outcome
    if outcome is Outcome.FAIL:
        yield from _violations(one, rules, known)
    elif outcome is not Outcome.NOT_APPLICABLE:
        yield from _unproven(one, rules)


def _violations(one: Laid, rules: GateRules, known: frozenset[_Key]) -> Iterator[_Cause]:
    verdict = one.verdict
    is_required = rules.gate.require.verdicts.get(verdict.severity) is not None  # type: ignore[call-overload]

    def gating(findings: Sequence[Finding]) -> list[Finding]:
        return [item for item in findings if is_required or _blocks(item, rules)]

    if not verdict.findings:
        yield _Cause(VIOLATED, f"{verdict.check} is fail, {verdict.severity}")
    old = [item for item in one.open if (verdict.check, item.fingerprint) in known]
    excused = frozenset() if is_required else frozenset(item.fingerprint for item in old)
    open_ = gating([item for item in one.open if item.fingerprint not in excused])
    lapsed = gating(one.lapsed)
    if open_:
        yield _Cause(VIOLATED, f"{verdict.check} is fail, {verdict.severity}: {_count(len(open_))}")
    if lapsed:
        names = ", ".join(sorted(one.expired))
        yield _Cause(
            LAPSED, f"{verdict.check}: {_count(len(lapsed))} covered only by expired {names}"
        )
    if old:
        why = f", but a verdict is required at {verdict.severity}" if is_required else ""
        yield _Cause(None, f"{verdict.check}: {_count(len(old))} in the baseline already{why}")


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
        if one.attestation is not None and one.attestation.is_entitled:
            until = one.attestation.lapses.date().isoformat()
            if one.attestation.is_shortened:
                until += f", as its check lets an answer hold {one.attestation.attest.valid_for}"
            yield _Cause(LAPSED, f"{text}: the attestation has expired ({until})")
            return
        text += ", and nobody attests it"
        if one.attestation is not None:
            who = " or ".join(one.attestation.attest.by)
            text += f" who may ({one.attestation.file.role} does, {who} is asked)"
    yield _Cause(UNPROVEN, f"{text}: {' or '.join(accepted)} is required")
