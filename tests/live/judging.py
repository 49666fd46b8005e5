"""What a recording gives when it is judged whole, to hold the live judgement against."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from audit.bundle.identity import Identity
from audit.checks.evaluate import evaluate
from audit.checks.targets import locate_target
from audit.evidence.context import EvidenceContext
from audit.evidence.imports import import_file
from audit.identifiers.redaction import Redactor
from audit.live.judge import LiveJudge
from audit.readers.tnetstring import records

AS_OF = datetime(2026, 12, 1, tzinfo=UTC)


def make_judge(
    identity: Identity, target: str | None = None, policy: str | None = None
) -> LiveJudge:
    loaded, chosen = locate_target(target, policy)
    context = EvidenceContext.of(loaded, chosen.file, as_of=AS_OF, identity=identity)
    return LiveJudge(loaded, chosen, context, AS_OF, Redactor(identity, []).text)


def judged_whole(judge: LiveJudge, path: Path) -> dict[str, int]:
    """Return fingerprint -> rows, for what ``judge`` judges live."""
    evidence = import_file(path, judge.context)
    found = evaluate(judge.policy, judge.target, [evidence], AS_OF, judge.redact)
    live = {(program.check.file.id, item.item.id) for program, item in judge.expectations()}
    return {
        finding.fingerprint: finding.count
        for verdict in found.verdicts
        for finding in verdict.findings
        if (verdict.check, finding.expectation) in live
    }


def records_of(path: Path) -> list[bytes]:
    return [record for record in records(path) if isinstance(record, bytes)]
