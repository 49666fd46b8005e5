"""A result becomes the neutral tree of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from audit.model import result as model
from audit.model.outcome import Outcome
from audit.report import view
from audit.report.anchors import Anchors
from audit.report.coverage import coverage_view, table_of
from audit.report.dispositions import attestation_views, links_of, waiver_views
from audit.report.document import passages
from audit.report.flow import flow_views
from audit.report.matrix import matrix_view
from audit.report.sentence import client_of, mark_of, tallies_of, verdict_sentence
from audit.report.texts import meaning, say
from audit.report.timeline import timeline_views
from audit.report.verdicts import Context, by_severity, column_label, roles_of, verdict_view
from audit.report.wording import cell, joined, moment, sentence_case

CHAPTERS = (
    "verdict",
    "policy",
    "violations",
    "unproven",
    "reported",
    "coverage",
    "leaning",
    "dispositions",
    "method",
    "passes",
)
"""Chapters of a report in order; their numbers are 1-based places in it."""


def number_of(chapter: str) -> int:
    """Return the number of a chapter; raises ``ValueError`` for an unknown one."""
    return CHAPTERS.index(chapter) + 1


def make_view(result: model.Result) -> view.Report:
    """Return the whole report; equal for equal results."""
    anchors = Anchors()
    for clause in result.clauses:
        anchors.add("clause", clause.id)
    for capture in result.captures:
        anchors.add("capture", capture.id)
    marks = {clause.id: mark_of(clause.outcome) for clause in result.clauses}
    context = Context(anchors=anchors, roles=roles_of(result), marks=marks)
    groups = _verdicts(result.verdicts, context)
    links = links_of(result, anchors)
    seen = coverage_view(result, anchors)
    return view.Report(
        head=_head(result),
        sections=_sections(result, links, anchors),
        violations=groups[Outcome.FAIL],
        matrix=matrix_view(result, context),
        flows=flow_views(result, context),
        inconclusive=groups[Outcome.INCONCLUSIVE],
        not_observable=groups[Outcome.NOT_OBSERVABLE],
        reported=tuple(_reported(row, anchors) for row in result.reported),
        coverage=seen,
        timelines=timeline_views(result, anchors),
        leaning=_leaning(result.verdicts, links),
        waivers=waiver_views(result, links),
        attestations=attestation_views(result, links),
        captures=tuple(_capture(capture, anchors) for capture in result.captures),
        passes=groups[Outcome.PASS],
        out_of_scope=groups[Outcome.NOT_APPLICABLE],
        policy_digest=result.policy.sha256,
    )


def _verdicts(
    verdicts: Sequence[model.VerdictRecord], context: Context
) -> dict[Outcome, tuple[view.Verdict, ...]]:
    """Return the verdicts of every outcome, worst severity first, numbered in their chapter."""
    chapters = (
        ("violations", (Outcome.FAIL,)),
        ("unproven", (Outcome.INCONCLUSIVE, Outcome.NOT_OBSERVABLE)),
        ("passes", (Outcome.PASS, Outcome.NOT_APPLICABLE)),
    )
    groups: dict[Outcome, tuple[view.Verdict, ...]] = {}
    for chapter, outcomes in chapters:
        place = 0
        for outcome in outcomes:
            chosen = by_severity(v for v in verdicts if v.outcome is outcome)
            groups[outcome] = tuple(
                verdict_view(verdict, f"{number_of(chapter)}.{place + i}", context)
                for i, verdict in enumerate(chosen, start=1)
            )
            place += len(chosen)
    return groups


def _head(result: model.Result) -> view.Head:
    return view.Head(
        client=client_of(result),
        policy=result.policy.title,
        as_of=moment(result.as_of),
        tool=f"{result.tool.name} {result.tool.version}",
        recordings=joined(
            dict.fromkeys(meaning("pass", capture.pass_) for capture in result.captures)
        )
        + (say("page.stand_ins") if any(c.stand_ins for c in result.captures) else ""),
        sentence=verdict_sentence(result),
        tallies=tallies_of(result),
        n_clauses=len(result.clauses),
        gate=view.Gate(
            exit_code=result.gate.exit_code,
            reasons=tuple(result.gate.reasons),
            exit_zero=result.gate.exit_zero,
        ),
        baseline=tuple(
            (column_label(key), cell(value))
            for key, value in (result.baseline or {}).items()
            if not isinstance(value, list | dict) and value not in (None, "")
        ),
        truncated=tuple(
            f"{capture.id}: {why}" for capture in result.captures for why in capture.truncated
        ),
    )


def _sections(
    result: model.Result, links: Mapping[str, view.CheckLink], anchors: Anchors
) -> tuple[view.Section, ...]:
    grouped = groupby(result.clauses, key=lambda clause: clause.section)
    return tuple(
        view.Section(
            title=passage.title,
            paragraphs=passage.paragraphs,
            clauses=tuple(_clause(clause, links, anchors) for clause in clauses),
        )
        for (_, clauses), passage in zip(grouped, passages(result, anchors), strict=True)
    )


def _clause(
    clause: model.ClauseRecord, links: Mapping[str, view.CheckLink], anchors: Anchors
) -> view.Clause:
    return view.Clause(
        id=clause.id,
        anchor=anchors.add("clause", clause.id),
        quote=clause.quote,
        mark=mark_of(clause.outcome),
        is_disclosure=clause.kind == "disclosure",
        checks=tuple(links[check] for check in clause.checks if check in links),
    )


def _reported(row: dict[str, object], anchors: Anchors) -> view.Reported:
    columns, rows = row.get("columns"), row.get("rows")
    names = [str(name) for name in columns] if isinstance(columns, list | tuple) else []
    listed = rows if isinstance(rows, list | tuple) else []
    cells = [
        [item.get(name) for name in names] if isinstance(item, dict) else list(item)
        for item in listed
        if isinstance(item, dict | list | tuple)
    ]
    total = row.get("count")
    check = str(row.get("check") or "")
    return view.Reported(
        title=str(row.get("title") or row.get("id") or check),
        check=check,
        check_anchor=anchors.find("check", check),
        table=table_of(names, cells),
        total=total if isinstance(total, int) else len(cells),
        notes=tuple(map(str, notes)) if isinstance(notes := row.get("notes"), list) else (),
    )


def _leaning(
    verdicts: Sequence[model.VerdictRecord], links: Mapping[str, view.CheckLink]
) -> tuple[view.Leaning, ...]:
    """Return each thing leaned on once, with all the checks that lean on it."""
    checks: dict[str, list[view.CheckLink]] = {}
    for verdict in verdicts:
        for text in verdict.leaned_on:
            checks.setdefault(text, []).append(links[verdict.check])
    return tuple(
        view.Leaning(text=sentence_case(text), checks=tuple(by)) for text, by in checks.items()
    )


def _capture(capture: model.CaptureRef, anchors: Anchors) -> view.Capture:
    client = capture.client
    command = client.get("command")
    facts = [
        ("client", " ".join(cell(client[k]) for k in ("name", "version") if client.get(k))),
        ("command", " ".join(map(str, command)) if isinstance(command, list) else ""),
        ("exit", _exit(client.get("exit_code"))),
        ("vantage", f"{capture.vantage}, {meaning('pass', capture.pass_)}"),
        ("started", moment(capture.started_at, precise=True)),
        ("ended", moment(capture.ended_at, precise=True)),
        ("device", f"{capture.device}, {capture.install}"),
    ]
    return view.Capture(
        id=capture.id,
        anchor=anchors.add("capture", capture.id),
        facts=tuple((say(f"method.{key}"), text) for key, text in facts if text),
        ladder=tuple((str(rung.get("name")), _rung(rung)) for rung in capture.ladder),
        tools=", ".join(f"{name} {version}" for name, version in sorted(capture.tools.items())),
        limits=tuple(map(sentence_case, capture.limits)),
        truncated=tuple(map(sentence_case, capture.truncated)),
        digest=capture.digest,
        client_digest=str(client.get("digest") or ""),
        digests=tuple(sorted(capture.digests.items())),
    )


def _exit(code: object) -> str:
    if not isinstance(code, int):
        return ""
    if code < 0:
        return say("method.exit_signal", signal=-code)
    return say("method.exit_value", code=code)


def _rung(rung: dict[str, object]) -> str:
    if rung.get("works"):
        return say("method.ladder_works")
    if rung.get("reason"):
        return say("method.ladder_reason", reason=rung["reason"])
    return say("method.ladder_refused")
