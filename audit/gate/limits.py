"""How much work a check may be: rows, never seconds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from audit.checks.compiling import compile_check
from audit.checks.faults import Faults
from audit.checks.policy import Policy, Target
from audit.errors import CaptureError
from audit.tables.evidence import CaptureEvidence


def require_within(
    policy: Policy,
    target: Target,
    captures: Sequence[CaptureEvidence],
    as_of: datetime,
    rows_a_check: int,
) -> None:
    """Refuse, before anything is judged, what would be too much work.

    Counted are the rows of every table that a check in scope reads, over all captures. Raises
    :class:`CaptureError` (exit code 3): a check that was not judged to its end has no verdict.
    """
    rows: dict[str, int] = {}
    for capture in captures:
        for name, frame in capture.tables.items():
            rows[name] = rows.get(name, 0) + len(frame)
    if sum(rows.values()) <= rows_a_check:
        return
    recorded = [capture.platform for capture in captures]
    for check in policy.checks:
        if not target.is_judged(check, recorded):
            continue
        program = compile_check(check, policy, target, as_of, Faults())
        count = sum(rows.get(name, 0) for name in program.tables)
        if count > rows_a_check:
            raise CaptureError(
                f"{check.file.id} would read {count} rows, the gate's limit is {rows_a_check}",
                hint="raise limits.rows_a_check in the gate file, or judge fewer captures at once",
            )
