"""How much of what the checks ask for was done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from audit.checks.compiling import compile_check
from audit.checks.faults import Faults
from audit.checks.policy import Policy, Target
from audit.tables.evidence import CaptureEvidence


def share_exercised(
    policy: Policy, target: Target, captures: Sequence[CaptureEvidence], as_of: datetime
) -> float | None:
    """Return the share of the actions demanded by stable checks in scope that were proven.

    ``None`` where no check demands one. How long ago an action was done counts in the verdicts
    alone: ``as_of`` does not change the share.
    """
    demanded: set[str] = set()
    recorded = [capture.platform for capture in captures]
    for check in policy.checks:
        if check.file.status != "stable" or not target.is_judged(check, recorded):
            continue
        program = compile_check(check, policy, target, as_of, Faults())
        demanded |= {name for item in program.exercise for name in item.actions}
    if not demanded:
        return None
    done = {
        action.name
        for capture in captures
        for action in capture.actions
        if action.ok and action.corroborated_by
    }
    return len(demanded & done) / len(demanded)
