"""The policy as it reads: its running text with every judged sentence in its place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from audit.model import result as model
from audit.report.anchors import Anchors
from audit.report.sentence import mark_of
from audit.report.view import Run

_BREAK = re.compile(r"\s*\n\s*\n\s*")
_SPACE = re.compile(r"\s+")
_PARAGRAPH = "\n"
_LONGEST_GAP = 1_400
"""Characters between two quotes that are shown in full; more of them are cut in the middle."""
_KEPT = 500
"""Characters of such a stretch that are shown at either end."""
ELLIPSIS = "[…]"


@dataclass(frozen=True, slots=True)
class Passage:
    """The text of one section, by paragraphs."""

    title: str
    paragraphs: tuple[tuple[Run, ...], ...]


def passages(result: model.Result, anchors: Anchors) -> tuple[Passage, ...]:
    """Return the sections of the policy as running text.

    What stands before the first and behind the last quote is left out; so is nothing else but the
    middle of very long stretches without any quote. Where the result holds no text, or a quote
    does not stand in it behind the one before, the quote stands alone.
    """
    text = _BREAK.sub("\0", result.policy.text)
    text = _SPACE.sub(" ", text).replace("\0", _PARAGRAPH)
    return tuple(
        Passage(title, tuple(_paragraphs(runs)))
        for title, runs in _sections(result.clauses, text, anchors)
    )


def _sections(
    clauses: Sequence[model.ClauseRecord], text: str, anchors: Anchors
) -> list[tuple[str, list[Run]]]:
    sections: list[tuple[str, list[Run]]] = []
    at: int | None = None
    for clause in clauses:
        is_new = not sections or sections[-1][0] != clause.section
        found = _pattern(clause.quote).search(text, at or 0) if text else None
        gap = "" if found is None else text[(found.start() if at is None else at) : found.start()]
        before, after = _at_heading(gap, clause.section) if is_new else ("", gap)
        if before and sections:
            sections[-1][1].append(Run(text=_shortened(before)))
        if is_new:
            sections.append((clause.section, []))
        runs = sections[-1][1]
        if after.strip():
            runs.append(Run(text=_shortened(after)))
        elif runs:
            runs.append(Run(text=after or " "))
        runs.append(_quote(clause, anchors))
        at = at if found is None else found.end()
    return sections


def _quote(clause: model.ClauseRecord, anchors: Anchors) -> Run:
    return Run(
        text=_SPACE.sub(" ", clause.quote).strip(),
        mark=mark_of(clause.outcome),
        anchor=anchors.add("clause", clause.id),
    )


def _pattern(quote: str) -> re.Pattern[str]:
    return re.compile(r"\s+".join(map(re.escape, quote.split())) or r"(?!)")


def _at_heading(gap: str, title: str) -> tuple[str, str]:
    """Return a stretch of text before and behind the section's heading, which is taken out."""
    headings = re.finditer(rf"(?:^|(?<=\s)){_pattern(title).pattern}(?=\s|$)", gap)
    last = max(headings, key=re.Match.start, default=None)
    if last is None:
        return gap, ""
    return gap[: last.start()], gap[last.end() :]


def _shortened(text: str) -> str:
    if len(text) <= _LONGEST_GAP:
        return text
    head, tail = text[:_KEPT].rpartition(" ")[0], text[-_KEPT:].partition(" ")[2]
    return f"{head} {ELLIPSIS} {tail}"


def _paragraphs(runs: Sequence[Run]) -> list[tuple[Run, ...]]:
    """Return the runs cut at the breaks in the text between quotes, without empty ends."""
    paragraphs: list[list[Run]] = [[]]
    for run in runs:
        if run.anchor is not None:
            paragraphs[-1].append(run)
            continue
        for number, part in enumerate(run.text.split(_PARAGRAPH)):
            if number:
                paragraphs.append([])
            if part:
                paragraphs[-1].append(Run(text=part))
    return [tuple(p) for p in paragraphs if any(run.text.strip() for run in p)]
