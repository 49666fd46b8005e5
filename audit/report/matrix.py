"""Who got what: recipients by kinds of identifier."""

from __future__ import annotations

from collections.abc import Iterable

from audit.model import result as model
from audit.report import view
from audit.report.verdicts import Context, finding_key, recipient_of
from audit.tables.vocabulary import KINDS


def matrix_view(result: model.Result, context: Context) -> view.Matrix | None:
    """Return the matrix; from all hits where the result has them, else from the findings.

    ``None`` where no identifier reached anybody. Anchors of findings must have been added.
    """
    anchors: dict[tuple[str, str], str] = {}
    counts: dict[tuple[str, str], int] = {}
    roles = dict(context.roles)
    for name, finding in _findings(result):
        kind, recipient = finding.columns.get("kind"), recipient_of(finding.columns)[0]
        if kind and recipient:
            key = (recipient, kind)
            place = context.anchors.find("finding", name)
            if place:
                anchors.setdefault(key, place)
            counts[key] = counts.get(key, 0) + finding.count
    hits = result.coverage.who_got_what
    if hits:
        from_findings, counts = counts, {}
        for row in hits:
            key = (str(row.get("recipient")), str(row.get("kind")))
            n = row.get("count")
            counts[key] = counts.get(key, 0) + (n if isinstance(n, int) else 1)
            if row.get("role"):
                roles[key[0]] = str(row["role"])
        for key, n in from_findings.items():
            counts.setdefault(key, n)
    return _matrix(counts, anchors, roles, is_complete=bool(hits)) if counts else None


def _findings(result: model.Result) -> Iterable[tuple[str, model.Finding]]:
    for verdict in result.verdicts:
        for place, finding in enumerate(verdict.findings, start=1):
            yield finding_key(verdict.check, place), finding


def _matrix(
    counts: dict[tuple[str, str], int],
    anchors: dict[tuple[str, str], str],
    roles: dict[str, str],
    *,
    is_complete: bool,
) -> view.Matrix:
    seen = {kind for _, kind in counts}
    kinds = [kind for kind in KINDS if kind in seen] + sorted(seen - set(KINDS))
    found = {recipient for recipient, _ in anchors}
    recipients = sorted({recipient for recipient, _ in counts}, key=lambda r: (r not in found, r))
    return view.Matrix(
        kinds=tuple(kinds),
        rows=tuple(
            (
                recipient,
                roles.get(recipient),
                tuple(
                    view.MatrixCell(
                        count=counts[recipient, kind], anchor=anchors.get((recipient, kind))
                    )
                    if (recipient, kind) in counts
                    else None
                    for kind in kinds
                ),
            )
            for recipient in recipients
        ),
        is_complete=is_complete,
    )
