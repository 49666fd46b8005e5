"""A result as Markdown: a step's summary on GitHub, and a comment on a pull request.

Captured values stand in code spans, words of policies are escaped; see
:mod:`audit.report.markdown_text`. What does not fit is counted, never dropped in silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from audit.model.outcome import Outcome
from audit.model.result import Finding, Result, VerdictRecord
from audit.report.markdown_text import cell, code, escape
from audit.report.matrix import matrix_alone
from audit.report.sarif import text_without_finding
from audit.report.sentence import tallies_of, verdict_sentence
from audit.report.suppressions import is_waived, word_of_attestation
from audit.report.texts import count, say
from audit.report.verdicts import by_severity, recipient_of, violations_of
from audit.report.wording import shortened

SUMMARY_BYTES: Final = 1 << 20
"""Largest summary of a step that GitHub takes."""
COMMENT_CHARS: Final = 65_536
"""Longest comment that GitHub takes."""
_LONGEST: Final = 300
_MORE: Final = 200
"""Bytes kept free for the line that says how much was cut."""


@dataclass(frozen=True, slots=True)
class _Size:
    findings: int
    rows: int
    limit: int


_SUMMARY: Final = _Size(findings=1_000, rows=200, limit=SUMMARY_BYTES)
_COMMENT: Final = _Size(findings=20, rows=20, limit=COMMENT_CHARS)


def render_summary(result: Result) -> bytes:
    """Return the summary of a step, for ``$GITHUB_STEP_SUMMARY``: with the who-got-what matrix."""
    return _render(result, _SUMMARY)


def render_comment(result: Result) -> bytes:
    """Return the same, short enough for a comment on a pull request."""
    return _render(result, _COMMENT)


def _render(result: Result, size: _Size) -> bytes:
    blocks = [
        *_head(result),
        *_violations(result, size),
        *_matrix(result, size),
        *_unproven(result, size),
        *_baseline(result, size),
        [escape(f"{result.tool.name} {result.tool.version}, {result.as_of}")],
    ]
    lines = [line for block in blocks for line in (*block, "")]
    return _fitted(lines, size.limit)


def _fitted(lines: Sequence[str], limit: int) -> bytes:
    """Return whole lines up to the limit, and how many were left out."""
    used, kept = 0, 0
    for line in lines:
        used += len(line.encode("utf-8")) + 1
        if used > limit - _MORE:
            break
        kept += 1
    text = "\n".join(lines[:kept]) + "\n"
    if kept < len(lines):
        text += "\n" + count("outputs.lines_more", len(lines) - kept) + "\n"
    return text.encode("utf-8")


def _head(result: Result) -> Iterator[list[str]]:
    yield [f"## {escape(verdict_sentence(result))}"]
    words = [
        f"{tally.n} {say(f'outcome_lower.{tally.mark}')}" for tally in tallies_of(result) if tally.n
    ]
    if words:
        yield [escape(", ".join(words))]
    code_ = result.gate.exit_code
    gate = [f"**{say('outputs.gate')}: {escape(say(f'gate.{code_}'))}** (exit {code_})"]
    if result.gate.exit_zero:
        gate.append(say("gate.exit_zero"))
    yield [" ".join(gate), "", *(f"- {escape(reason)}" for reason in result.gate.reasons[:50])]


def _violations(result: Result, size: _Size) -> Iterator[list[str]]:
    found = list(violations_of(result))
    if not found:
        return
    yield [f"### {say('section.violations')}"]
    lines = [say("outputs.columns_findings"), "|---|---|---|---|---:|---|"]
    lines += [_row(*pair) for pair in found[: size.findings]]
    yield lines
    yield from _more(len(found) - size.findings)


def _row(verdict: VerdictRecord, finding: Finding | None) -> str:
    if finding is None:
        cells = [escape(verdict.severity), cell(_short(verdict.check))]
        cells += [cell(_short(text_without_finding(verdict))), "–", "–", "–"]
        return f"| {' | '.join(cells)} |"
    marks: list[str] = [finding.baseline] if finding.baseline else []
    marks += ["waived"] if is_waived(finding) else []
    where = finding.evidence[0].locator if finding.evidence else "–"
    told = f" ({', '.join(marks)})" if marks else ""
    cells = [
        escape(finding.severity) + told,
        cell(_short(verdict.check)),
        cell(_short(finding.message)),
        cell(_short(recipient_of(finding.columns)[0] or "–")),
        f"{finding.count:,}",
        cell(_short(where)),
    ]
    return f"| {' | '.join(cells)} |"


def _matrix(result: Result, size: _Size) -> Iterator[list[str]]:
    matrix = matrix_alone(result)
    if matrix is None:
        return
    yield [f"### {say('section.matrix')}"]
    heads = ["", *(cell(kind) for kind in matrix.kinds)]
    lines = [f"| {' | '.join(heads)} |", "|---" + "|---:" * len(matrix.kinds) + "|"]
    for row in matrix.rows[: size.rows]:
        note = f" {cell(_short(row.note))}" if row.note else ""
        cells = [cell(_short(row.recipient)) + note]
        for one in row.cells:
            mark = "" if one is None else f"**{one.count:,}**" if one.anchor else f"{one.count:,}"
            cells.append(mark)
        lines.append(f"| {' | '.join(cells)} |")
    yield lines
    yield [say("outputs.matrix_bold")]
    yield from _more(len(matrix.rows) - size.rows)


def _unproven(result: Result, size: _Size) -> Iterator[list[str]]:
    open_ = (Outcome.INCONCLUSIVE, Outcome.NOT_OBSERVABLE)
    found = by_severity(verdict for verdict in result.verdicts if verdict.outcome in open_)
    if not found:
        return
    yield [f"### {say('section.unproven')}"]
    yield [_open_line(verdict) for verdict in found[: size.rows]]
    yield from _more(len(found) - size.rows)


def _open_line(verdict: VerdictRecord) -> str:
    why = "; ".join(reason.text for reason in islice(verdict.reasons, 3)) or verdict.outcome.value
    told = " ".join(filter(None, (_short(why), word_of_attestation(verdict))))
    return f"- {code(_short(verdict.check))}: {escape(told)}"


def _baseline(result: Result, size: _Size) -> Iterator[list[str]]:
    baseline = result.baseline
    if baseline is None:
        return
    findings = [finding for verdict in result.verdicts for finding in verdict.findings]
    new = sum(finding.baseline == "new" for finding in findings)
    absent = _entries(baseline.get("absent"))
    losses = _entries(baseline.get("coverage_loss"))
    removed = _entries(baseline.get("removed_checks"))
    yield [f"### {say('outputs.against_baseline')}"]
    fixed = sum(not entry.get("doubt") for entry in absent)
    lines = [
        f"- {count('outputs.new', _counted(baseline, 'new', new))}",
        f"- {count('outputs.fixed', _counted(baseline, 'fixed', fixed))}",
        f"- {count('outputs.unseen', _counted(baseline, 'not_seen', len(absent) - fixed))}",
    ]
    yield lines
    lines = [f"- {escape(_short(str(one.get('text'))))}" for one in losses]
    lines += [f"- {code(str(one.get('check')))}: {escape(str(one.get('why')))}" for one in removed]
    if lines:
        yield lines[: size.rows]
    yield from _more(len(lines) - size.rows)


def _counted(baseline: Mapping[str, object], name: str, listed: int) -> int:
    """Return a number as the result gives it, for it lists no more than some; else of those."""
    n = baseline.get(name)
    return n if isinstance(n, int) else listed


def _entries(value: object) -> list[dict[str, object]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _more(n: int) -> Iterator[list[str]]:
    if n > 0:
        yield [count("outputs.more", n)]


def _short(text: str) -> str:
    return shortened(text, _LONGEST)
