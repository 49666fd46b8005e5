"""The recordings in time: what the client was made to do, whom it spoke to, where findings lie."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from audit.model import result as model
from audit.report import pictures
from audit.report.actions import action_key
from audit.report.anchors import Anchors
from audit.report.texts import count, say
from audit.report.verdicts import recipient_of, roles_of
from audit.report.wording import duration, parse_moment

_MAX_LANES = 40
_MAX_SPANS = 60
_MAX_MARKS = 200
_NUMBER_ROWS = 3
_NUMBER_WIDTH = 0.035
"""Share of the line's length that a number needs to itself."""
_RESPONDER = re.compile(r" > \[?([0-9a-f:.]+?)\]?(?::\d+)?\Z")


def timeline_views(result: model.Result, anchors: Anchors) -> tuple[pictures.Timeline, ...]:
    """Return one timeline a recording; none for a recording without start, end and spans.

    Anchors of actions must have been added.
    """
    drawn = (_timeline(result, capture, anchors) for capture in result.captures)
    return tuple(timeline for timeline in drawn if timeline)


def _timeline(
    result: model.Result, capture: model.CaptureRef, anchors: Anchors
) -> pictures.Timeline | None:
    start, end = parse_moment(capture.started_at), parse_moment(capture.ended_at)
    rows = [row for row in result.coverage.timeline if row.get("capture") == capture.id]
    if start is None or end is None or end <= start or not rows:
        return None
    clock = _Clock(start, end)
    lanes = sorted((_Lane.read(row, clock) for row in rows), key=_Lane.first)[:_MAX_LANES]
    _mark(lanes, result, capture.id, clock)
    return pictures.Timeline(
        capture=capture.id,
        length=duration(clock.length_s),
        ticks=_ticks(result, capture.id, clock, anchors),
        lanes=tuple(lane.drawn(clock) for lane in lanes),
    )


class _Clock:
    def __init__(self, start: datetime, end: datetime) -> None:
        self._start = start
        self.length_s = (end - start).total_seconds()

    def at(self, text: object) -> float | None:
        """Return the moment as a share of the length, ``None`` where it is none."""
        value = parse_moment(text)
        if value is None:
            return None
        return min(max((value - self._start).total_seconds() / self.length_s, 0.0), 1.0)

    def after(self, at: float) -> str:
        return duration(at * self.length_s)


@dataclass(slots=True)
class _Lane:
    recipient: str
    spans: list[pictures.Span]
    findings: list[float] = field(default_factory=list)

    @classmethod
    def read(cls, row: Mapping[str, Any], clock: _Clock) -> _Lane:
        spans = []
        said = row.get("spans")
        for pair in said[:_MAX_SPANS] if isinstance(said, list) else ():
            is_span = isinstance(pair, list) and pair
            first, last = (clock.at(pair[0]), clock.at(pair[-1])) if is_span else (None, None)
            if first is not None and last is not None:
                spans.append(pictures.Span(start=first, end=max(first, last)))
        return cls(recipient=str(row.get("recipient")), spans=spans)

    def first(self) -> float:
        """Return when the recipient was first spoken to, as a share of the length."""
        return min((span.start for span in self.spans), default=1.0)

    def distance(self, at: float) -> float:
        """Return how far a moment lies from the nearest span, as a share of the length."""
        return min((max(s.start - at, at - s.end, 0.0) for s in self.spans), default=2.0)

    def drawn(self, clock: _Clock) -> pictures.Lane:
        what = count("coverage.timeline_spans", len(self.spans))
        if self.findings:
            what += ", " + count("coverage.timeline_findings", len(self.findings))
        alt = say(
            "coverage.timeline_alt",
            recipient=self.recipient,
            spans=what,
            start=clock.after(self.first()),
            end=clock.after(max((span.end for span in self.spans), default=0.0)),
            length=duration(clock.length_s),
        )
        return pictures.Lane(
            recipient=self.recipient,
            alt=alt,
            spans=tuple(self.spans),
            findings=tuple(sorted(self.findings)[:_MAX_MARKS]),
        )


def _mark(lanes: list[_Lane], result: model.Result, capture: str, clock: _Clock) -> None:
    """Put each piece of evidence of a finding on the lane of the recipient that got it."""
    roles = roles_of(result)
    for verdict in result.verdicts:
        for finding in verdict.findings:
            for evidence in finding.evidence:
                at = clock.at(evidence.ts) if evidence.capture == capture else None
                if at is not None:
                    lane = _lane_of(lanes, finding, evidence, roles, at)
                    if lane:
                        lane.findings.append(at)


def _lane_of(
    lanes: list[_Lane],
    finding: model.Finding,
    evidence: model.Evidence,
    roles: Mapping[str, str],
    at: float,
) -> _Lane | None:
    """Return the lane of the server that the conversation names, else of the recipient or role."""
    responder = _RESPONDER.search(evidence.conversation or "")
    named = {recipient_of(finding.columns)[0], responder[1] if responder else None} - {None}
    exact = [lane for lane in lanes if lane.recipient in named]
    alike = exact or [lane for lane in lanes if roles.get(lane.recipient) in named]
    return min(alike, key=lambda lane: lane.distance(at), default=None)


def _ticks(
    result: model.Result, capture: str, clock: _Clock, anchors: Anchors
) -> tuple[pictures.Tick, ...]:
    """Return the actions in time; the number of one that is close to others goes a line down."""
    rows = [row for row in result.coverage.actions if row.get("capture") == capture]
    placed = [(clock.at(row.get("ts")), number, row) for number, row in enumerate(rows, start=1)]
    dated = sorted(
        (at, number, str(row.get("name"))) for at, number, row in placed if at is not None
    )
    ticks: list[pictures.Tick] = []
    ends = [-1.0] * _NUMBER_ROWS
    for at, number, name in dated[:_MAX_MARKS]:
        free = [row for row, end in enumerate(ends) if end + _NUMBER_WIDTH <= at]
        row = free[0] if free else min(range(_NUMBER_ROWS), key=lambda one: ends[one])
        ends[row] = at
        anchor = anchors.find("action", action_key(capture, number))
        after = clock.after(at)
        ticks.append(
            pictures.Tick(at=at, number=number, name=name, after=after, anchor=anchor, row=row)
        )
    return tuple(ticks)
