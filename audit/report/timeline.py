"""The recordings in time: what the client was made to do, whom it spoke to, where findings lie."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from audit.model import result as model
from audit.report import view
from audit.report.texts import count, say
from audit.report.verdicts import recipient_of
from audit.report.wording import duration, parse_moment

_MAX_LANES = 40
_MAX_SPANS = 60
_MAX_MARKS = 200


def timeline_views(result: model.Result) -> tuple[view.Timeline, ...]:
    """Return one timeline a recording; none for a recording without start, end and spans."""
    drawn = (_timeline(result, capture) for capture in result.captures)
    return tuple(timeline for timeline in drawn if timeline)


def _timeline(result: model.Result, capture: model.CaptureRef) -> view.Timeline | None:
    start, end = parse_moment(capture.started_at), parse_moment(capture.ended_at)
    rows = [row for row in result.coverage.timeline if row.get("capture") == capture.id]
    if start is None or end is None or end <= start or not rows:
        return None
    clock = _Clock(start, end)
    marks = _marks(result, capture.id, clock)
    lanes = [_lane(row, marks, clock) for row in rows[:_MAX_LANES]]
    return view.Timeline(
        capture=capture.id,
        length=duration(clock.length_s),
        ticks=_ticks(result, capture.id, clock),
        lanes=tuple(lanes),
    )


class _Clock:
    def __init__(self, start: datetime, end: datetime) -> None:
        self._start = start
        self.length_s = (end - start).total_seconds()

    def at(self, text: object) -> float | None:
        """Return the moment as a share of the length, ``None`` where it is none."""
        value = parse_moment(text) if isinstance(text, str) else None
        if value is None:
            return None
        return min(max((value - self._start).total_seconds() / self.length_s, 0.0), 1.0)

    def after(self, at: float) -> str:
        return duration(at * self.length_s)


def _marks(result: model.Result, capture: str, clock: _Clock) -> dict[str, list[float]]:
    marks: dict[str, list[float]] = {}
    for verdict in result.verdicts:
        for finding in verdict.findings:
            recipient = recipient_of(finding.columns)[0]
            for evidence in finding.evidence:
                at = clock.at(evidence.ts) if evidence.capture == capture else None
                if recipient and at is not None:
                    marks.setdefault(recipient, []).append(at)
    return marks


def _ticks(result: model.Result, capture: str, clock: _Clock) -> tuple[view.Tick, ...]:
    ticks = []
    for action in result.coverage.actions:
        at = clock.at(action.get("ts")) if action.get("capture") == capture else None
        if at is not None and action.get("name"):
            ticks.append(view.Tick(at=at, name=str(action["name"]), after=clock.after(at)))
    return tuple(sorted(ticks[:_MAX_MARKS], key=lambda tick: tick.at))


def _lane(row: Mapping[str, Any], marks: dict[str, list[float]], clock: _Clock) -> view.Lane:
    recipient = str(row.get("recipient"))
    spans = []
    for pair in (row.get("spans") or [])[:_MAX_SPANS]:
        first, last = (clock.at(pair[0]), clock.at(pair[-1])) if pair else (None, None)
        if first is not None and last is not None:
            spans.append(view.Span(start=first, end=max(first, last)))
    found = tuple(sorted(marks.get(recipient, []))[:_MAX_MARKS])
    what = count("coverage.timeline_spans", len(spans))
    if found:
        what += ", " + count("coverage.timeline_findings", len(found))
    return view.Lane(
        recipient=recipient,
        alt=say(
            "coverage.timeline_alt",
            recipient=recipient,
            spans=what,
            start=clock.after(min((span.start for span in spans), default=0.0)),
            end=clock.after(max((span.end for span in spans), default=0.0)),
            length=duration(clock.length_s),
        ),
        spans=tuple(spans),
        findings=found,
    )
