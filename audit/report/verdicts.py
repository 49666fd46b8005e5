"""Verdicts, findings and evidence of a result as parts of the view."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from audit.model import result as model
from audit.model.outcome import Outcome
from audit.report import view
from audit.report.anchors import Anchors
from audit.report.commands import LINE_FILES, PACKET_FILES, commands_for, onion_layer
from audit.report.texts import catalogue, meaning, say
from audit.report.wording import cell, moment, period, plain_words, sentence_case
from audit.tables.reference import Reference, parse_reference
from audit.tables.vocabulary import SEVERITIES as MILDEST_FIRST

PSEUDONYM = re.compile(r"\[[a-z][a-z0-9_-]*:[0-9a-f]{6}\]")
"""What redaction leaves of a value of the subject: ``[kind:hhhhhh]``."""
SEVERITIES = tuple(reversed(MILDEST_FIRST))
"""Worst first."""
FIRST_FINDINGS = 12
"""Findings of one check that stand open; the others are folded below them, by recipient."""
_RECIPIENT_COLUMNS = ("recipient", "host", "name", "sni", "responder_ip")
"""Identity columns that say who got it, the best first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the parts of a report need to know of one another."""

    anchors: Anchors
    roles: Mapping[str, str]
    """Recipient -> role."""
    marks: Mapping[str, str]
    """Clause -> its outcome's mark."""


def verdict_view(verdict: model.VerdictRecord, number: str, context: Context) -> view.Verdict:
    """Return one verdict; its anchor and those of its findings are added to the context's."""
    anchors = context.anchors
    place_of_check = anchors.add("check", verdict.check)
    findings = tuple(
        _finding(finding, f"{number}.{place}", finding_key(verdict.check, place), context)
        for place, finding in enumerate(verdict.findings, start=1)
    )
    return view.Verdict(
        number=number,
        check=verdict.check,
        anchor=place_of_check,
        clause=verdict.clause,
        clause_anchor=anchors.find("clause", verdict.clause),
        clause_mark=context.marks.get(verdict.clause, "none"),
        title=verdict.title,
        severity=verdict.severity,
        status=verdict.status,
        quote=verdict.quote,
        reading=verdict.reading,
        mark=verdict.outcome.value,
        reasons=tuple(
            (sentence_case(reason.text), sentence_case(reason.hint) if reason.hint else None)
            for reason in verdict.reasons
        ),
        limits=tuple(map(sentence_case, verdict.limits)),
        exercised=tuple(verdict.exercised),
        findings=findings[:FIRST_FINDINGS],
        more=tuple(_grouped(findings[FIRST_FINDINGS:])),
        n_findings=len(findings),
        n_rows=sum(finding.count for finding in verdict.findings),
        attest=_attest(verdict.attest),
        procedure=verdict.procedure,
        disposition=tuple(
            (key.replace("_", " "), cell(value))
            for key, value in (verdict.disposition or {}).items()
        ),
        remediation=verdict.remediation,
        references=tuple(verdict.references),
    )


def by_severity(verdicts: Iterable[model.VerdictRecord]) -> list[model.VerdictRecord]:
    """Return verdicts worst severity first, else in the order given."""
    return sorted(verdicts, key=lambda verdict: rank_of(verdict.severity))


def rank_of(severity: str) -> int:
    """Return the place of a severity, 0 the worst; a word that is not known comes last."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def violations_of(
    result: model.Result,
) -> Iterator[tuple[model.VerdictRecord, model.Finding | None]]:
    """Yield what is broken, finding by finding, worst check first.

    ``None``: the check fails and lists no finding.
    """
    for verdict in by_severity(v for v in result.verdicts if v.outcome is Outcome.FAIL):
        yield from ((verdict, finding) for finding in verdict.findings)
        if not verdict.findings:
            yield verdict, None


def by_clause(verdicts: Iterable[model.VerdictRecord]) -> dict[str, list[model.VerdictRecord]]:
    """Return clause -> what its checks say, in the order given."""
    found: dict[str, list[model.VerdictRecord]] = {}
    for verdict in verdicts:
        found.setdefault(verdict.clause, []).append(verdict)
    return found


def recipient_of(columns: Mapping[str, str | None]) -> tuple[str | None, str | None]:
    """Return who got it and the column that says so."""
    for column in _RECIPIENT_COLUMNS:
        value = columns.get(column)
        if value:
            return value, column
    return None, None


def roles_of(result: model.Result) -> dict[str, str]:
    """Return the role of every recipient that has one."""
    return {
        str(row["recipient"]): str(row["role"])
        for row in result.coverage.recipients
        if row.get("recipient") and row.get("role")
    }


def column_label(name: str) -> str:
    """Return the heading of a column."""
    return catalogue().get(f"column.{name}", name.replace("_", " ").capitalize())


def _attest(attest: Mapping[str, object] | None) -> view.Pairs:
    if not attest:
        return ()
    known = [key for key in ("question", "by", "needs", "valid_for") if attest.get(key)]
    other = [key for key in attest if key not in {"question", "by", "needs", "valid_for"}]
    return tuple(
        (meaning("open", key), (period if key == "valid_for" else cell)(attest[key]))
        for key in known + other
    )


def finding_key(check: str, place: int) -> str:
    """Return the name under which a finding's anchor is kept: its 1-based place in its verdict."""
    return f"{check} {place}"


def _finding(finding: model.Finding, number: str, key: str, context: Context) -> view.Finding:
    recipient, used = recipient_of(finding.columns)
    role = finding.columns.get("peer_role") or context.roles.get(recipient or "")
    left_out = {used, "peer_role"}
    role_alone = recipient in context.roles.values()
    return view.Finding(
        number=number,
        anchor=context.anchors.add("finding", key, finding.fingerprint[:16]),
        message=sentence_case(plain_words(finding.message, finding.columns.get("kind"))),
        severity=finding.severity,
        expected=sentence_case(finding.expected) if finding.expected else None,
        recipient=recipient.replace("_", " ") if recipient and role_alone else recipient,
        role=role,
        columns=tuple(
            (column_label(name), _column(name, value))
            for name, value in finding.columns.items()
            if name not in left_out
        ),
        terms=tuple((meaning("terms", name), term) for name, term in sorted(finding.terms.items())),
        count=finding.count,
        fingerprint=finding.fingerprint,
        evidence=tuple(_evidence(one, finding, context.anchors) for one in finding.evidence),
        notes=tuple(_notes(finding)),
    )


def _column(name: str, value: str | None) -> str:
    known = catalogue().get(f"{name}.{value}") if name in {"kind", "form"} else None
    return say("finding.word", meaning=known, word=value) if known else cell(value)


def _notes(finding: model.Finding) -> Iterator[tuple[str, str]]:
    if finding.baseline:
        yield say("finding.baseline"), meaning("baseline", finding.baseline)
    if finding.recordings:
        k, n = finding.recordings
        told = (
            say("finding.recordings_all", n=n)
            if k == n
            else say("finding.recordings_some", k=k, n=n)
        )
        yield say("finding.recordings"), told
    for waiver, state in finding.waivers.items():
        yield say("finding.waiver"), say("finding.waiver_state", id=waiver, state=state)


def _grouped(findings: Sequence[view.Finding]) -> Iterator[view.FindingGroup]:
    """Yield findings by recipient, those with most of them first."""
    groups: dict[str, list[view.Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.recipient or say("finding.no_recipient"), []).append(finding)
    for title, group in sorted(groups.items(), key=lambda pair: -len(pair[1])):
        yield view.FindingGroup(title=title, findings=tuple(group))


def reference_of(locator: str | None) -> Reference | None:
    """Return what a locator points to; ``None``: there is none, or it is damaged."""
    try:
        return parse_reference(locator or "")
    except ValueError:
        return None


def _evidence(evidence: model.Evidence, finding: model.Finding, anchors: Anchors) -> view.Evidence:
    reference, other = reference_of(evidence.locator), reference_of(evidence.also)
    layer = onion_layer(evidence.part)
    return view.Evidence(
        place=_place(evidence, reference),
        locator=evidence.locator,
        excerpt=pieces(evidence.excerpt),
        reasoning=_reasoning(evidence, finding),
        capture=evidence.capture,
        capture_anchor=anchors.find("capture", evidence.capture),
        ts=moment(evidence.ts, precise=True),
        conversation=evidence.conversation,
        also=evidence.also,
        commands=tuple(
            command
            for one in (reference, other)
            if one
            for command in commands_for(one, evidence.conversation)
        ),
        remark=say("place.onion", layer=layer) if layer else None,
        chain=_chain(evidence),
    )


def _reasoning(evidence: model.Evidence, finding: model.Finding) -> str | None:
    """Return what the evidence adds to the words of its finding."""
    text = evidence.reasoning.removesuffix(f"; {finding.expected}") if finding.expected else ""
    text = text or evidence.reasoning
    if finding.message == text or finding.message.startswith(f"{text} ("):
        return None
    return sentence_case(plain_words(text, finding.columns.get("kind")))


def _chain(evidence: model.Evidence) -> str | None:
    """Return the decoders on the way to the value; nothing where there was nothing to decode."""
    steps = [step for step in evidence.chain if step != "plain"]
    return say("finding.chain_steps", steps=" › ".join(steps)) if steps else None


def pieces(text: str) -> tuple[view.Piece, ...]:
    """Return an excerpt cut at the pseudonyms in it."""
    parts: list[view.Piece] = []
    at = 0
    for match in PSEUDONYM.finditer(text):
        if match.start() > at:
            parts.append(view.Piece(text=text[at : match.start()], is_pseudonym=False))
        parts.append(view.Piece(text=match[0], is_pseudonym=True))
        at = match.end()
    if at < len(text):
        parts.append(view.Piece(text=text[at:], is_pseudonym=False))
    return tuple(parts)


def _place(evidence: model.Evidence, reference: Reference | None) -> str:
    words = [evidence.file]
    if evidence.record:
        records = evidence.record.replace(",", ", ")
        words.append(say(f"place.{_record_word(evidence)}", records=records))
    if evidence.part:
        words.append(meaning("part", evidence.part.partition("/")[0]))
    if reference and reference.start is not None and reference.end is not None:
        last = max(reference.start, reference.end - 1)
        words.append(say("place.bytes", start=f"{reference.start:,}", end=f"{last:,}"))
    return ", ".join(words)


def _record_word(evidence: model.Evidence) -> str:
    if evidence.file.endswith(".mitm"):
        return "flow"
    if evidence.file.endswith(PACKET_FILES):
        return "packets" if "," in evidence.record else "packet"
    if evidence.file.endswith(LINE_FILES):
        return "line"
    return "record"
