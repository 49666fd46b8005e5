"""One page over the results of several clients."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from audit.model.result import ClauseRecord, Result
from audit.report.anchors import anchor
from audit.report.sentence import client_of, mark_of, tallies_of, verdict_sentence
from audit.report.templating import environment
from audit.report.view import Client, Gate, Tally

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One client on the page."""

    name: str
    client: Client
    link: str
    """Relative URL of the client's own report."""
    sentence: str
    tallies: tuple[Tally, ...]
    n_clauses: int
    gate: Gate
    policy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The outcome of one clause for one client."""

    mark: str
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One clause over all clients."""

    id: str
    anchor: str
    section: str
    quote: str
    cells: tuple[Cell | None, ...]
    """``None`` where the client's policy has no such clause."""


def render_index(results: Sequence[tuple[str, Result, str]]) -> str:
    """Return one page over ``(name, result, relative link to its report)``.

    Raises ``ValueError`` for a link that is not relative: the page must work from any folder.
    """
    entries = [_entry(name, result, link) for name, result, link in results]
    template = environment().get_template("index.html.j2")
    policies = list(dict.fromkeys(entry.policy for entry in entries))
    return template.render(
        entries=entries,
        rows=_rows([result for _, result, _ in results], entries),
        policies=policies,
    )


def _entry(name: str, result: Result, link: str) -> Entry:
    if _SCHEME.match(link) or link.startswith(("/", "\\")):
        raise ValueError(f"the link to a report must be relative: {link!r}")
    return Entry(
        name=name,
        client=client_of(result),
        link=quote(link, safe="/"),
        sentence=verdict_sentence(result),
        tallies=tallies_of(result),
        n_clauses=len(result.clauses),
        gate=Gate(exit_code=result.gate.exit_code, reasons=tuple(result.gate.reasons)),
        policy=result.policy.title,
    )


def _rows(results: Sequence[Result], entries: Sequence[Entry]) -> list[Row]:
    by_id: list[dict[str, ClauseRecord]] = [
        {clause.id: clause for clause in result.clauses} for result in results
    ]
    merged: dict[str, ClauseRecord] = {}
    for clauses in by_id:
        for clause_id, clause in clauses.items():
            merged.setdefault(clause_id, clause)
    rows = []
    for clause_id, clause in merged.items():
        place = anchor("clause", clause_id)
        cells = tuple(
            Cell(mark=mark_of(clauses[clause_id].outcome), link=f"{entry.link}#{place}")
            if clause_id in clauses
            else None
            for clauses, entry in zip(by_id, entries, strict=True)
        )
        rows.append(
            Row(id=clause_id, anchor=place, section=clause.section, quote=clause.quote, cells=cells)
        )
    return rows
