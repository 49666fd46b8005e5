"""Who got what: recipients by kinds of identifier, on the wire and inside the onion apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from audit.model import result as model
from audit.report import pictures
from audit.report.anchors import Anchors
from audit.report.commands import onion_layer
from audit.report.texts import count, meaning, say
from audit.report.verdicts import Context, finding_key, recipient_of, roles_of
from audit.report.wording import joined
from audit.tables.vocabulary import KINDS

_Who = tuple[str, bool]
"""Recipient, or role as findings name it; whether inside the onion."""


@dataclass(slots=True)
class _Counts:
    hits: dict[tuple[_Who, str], int] = field(default_factory=lambda: defaultdict(int))
    anchors: dict[tuple[_Who, str], str] = field(default_factory=dict)
    servers: dict[_Who, set[str]] = field(default_factory=lambda: defaultdict(set))


def matrix_view(result: model.Result, context: Context) -> pictures.Matrix | None:
    """Return the matrix; from all hits where the result has them, else from the findings.

    Servers of one role are one row, as in findings: which of them serves a client is drawn anew
    in every run. ``None`` where no identifier reached anybody. Anchors of findings must have been
    added to the context.
    """
    found, seen = _from_findings(result, context), _from_hits(result)
    for key, n in found.hits.items():
        if key not in seen.hits:
            seen.hits[key] = n
    if not seen.hits:
        return None
    seen.anchors = found.anchors
    return _matrix(seen, context, is_complete=bool(result.coverage.who_got_what))


def matrix_alone(result: model.Result) -> pictures.Matrix | None:
    """Return the matrix outside of a page: an anchor in it tells that there is a finding."""
    anchors = Anchors()
    for verdict in result.verdicts:
        for place in range(1, len(verdict.findings) + 1):
            anchors.add("finding", finding_key(verdict.check, place))
    return matrix_view(result, Context(anchors=anchors, roles=roles_of(result), marks={}))


def accusations_of(
    result: model.Result, context: Context
) -> Iterator[tuple[model.Finding, str, str]]:
    """Yield every finding whose recipient is known, with recipient and anchor.

    Anchors of findings must have been added to the context.
    """
    for verdict in result.verdicts:
        for place, finding in enumerate(verdict.findings, start=1):
            recipient = recipient_of(finding.columns)[0]
            anchor = context.anchors.find("finding", finding_key(verdict.check, place))
            if recipient and anchor:
                yield finding, recipient, anchor


def _from_findings(result: model.Result, context: Context) -> _Counts:
    counts = _Counts()
    for finding, recipient, anchor in accusations_of(result, context):
        kind = finding.columns.get("kind")
        if not kind:
            continue
        for is_inside in sorted({bool(onion_layer(e.part)) for e in finding.evidence}):
            key = ((recipient, is_inside), kind)
            counts.anchors.setdefault(key, anchor)
            counts.hits[key] = max(counts.hits[key], finding.count)
    return counts


def _from_hits(result: model.Result) -> _Counts:
    counts = _Counts()
    for row in result.coverage.who_got_what:
        recipient, layer, n = str(row.get("recipient")), row.get("layer"), row.get("count")
        who = (str(row.get("role") or recipient), isinstance(layer, int) and layer > 0)
        counts.hits[who, str(row.get("kind"))] += n if isinstance(n, int) else 1
        if row.get("role"):
            counts.servers[who].add(recipient)
    return counts


def _matrix(counts: _Counts, context: Context, *, is_complete: bool) -> pictures.Matrix:
    seen = {kind for _, kind in counts.hits}
    kinds = [kind for kind in KINDS if kind in seen] + sorted(seen - set(KINDS))
    accused = {who for who, _ in counts.anchors}
    everybody = sorted({who for who, _ in counts.hits}, key=lambda who: (who not in accused, who))
    return pictures.Matrix(
        kinds=tuple(meaning("kind", kind) for kind in kinds),
        rows=tuple(
            pictures.MatrixRow(
                recipient=who[0],
                note=_note(who, counts, context),
                cells=tuple(_cell(counts, who, kind) for kind in kinds),
            )
            for who in everybody
        ),
        is_complete=is_complete,
    )


def _cell(counts: _Counts, who: _Who, kind: str) -> pictures.MatrixCell | None:
    if (who, kind) not in counts.hits:
        return None
    return pictures.MatrixCell(count=counts.hits[who, kind], anchor=counts.anchors.get((who, kind)))


def _note(who: _Who, counts: _Counts, context: Context) -> str:
    servers = counts.servers.get(who, set())
    words = [joined(sorted(servers)) if len(servers) == 1 else context.roles.get(who[0], "")]
    if len(servers) > 1:
        words = [count("matrix.servers", len(servers))]
    if who[1]:
        words.append(say("matrix.inside"))
    return ", ".join(word for word in words if word)
