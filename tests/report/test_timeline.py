import pytest

from audit.report.actions import action_views
from audit.report.anchors import Anchors
from audit.report.timeline import timeline_views

from . import results


def test_actions_spans_and_findings_lie_where_they_were(broken):
    anchors = Anchors()
    action_views(broken, anchors)
    (timeline,) = timeline_views(broken, anchors)
    assert timeline.capture == "session-python-intercepted"
    assert [tick.name for tick in timeline.ticks][:3] == [
        "app.install.clean",
        "app.first-launch",
        "account.create",
    ]
    assert [tick.at for tick in timeline.ticks] == sorted(tick.at for tick in timeline.ticks)
    assert [tick.number for tick in timeline.ticks] == [1, 2, 3, 4, 5, 6]
    assert timeline.ticks[2].anchor == "action-session-python-intercepted-3"
    starts = [lane.spans[0].start for lane in timeline.lanes]
    assert starts == sorted(starts)
    lane = next(lane for lane in timeline.lanes if lane.recipient == "203.0.113.12")
    assert len(lane.spans) == 3
    assert lane.findings == pytest.approx([1.91025 / 7.307])
    assert lane.alt == "203.0.113.12: 3 spans, one finding, from 1.8 s to 6.4 s of 7.3 s"


@pytest.mark.parametrize(
    "update", [{"ended_at": None}, {"started_at": "soon"}, {"started_at": "2027-01-01T00:00:00Z"}]
)
def test_recording_without_a_length_has_no_timeline(broken, update):
    captures = [capture.model_copy(update=update) for capture in broken.captures]
    assert timeline_views(broken.model_copy(update={"captures": captures}), Anchors()) == ()


def test_moments_outside_the_recording_stay_on_the_line(broken):
    row = {
        "capture": "session-python-intercepted",
        "recipient": "a",
        "spans": [["2020-01-01T00:00:00Z", "2030-01-01T00:00:00Z"], ["x", "y"], [], [None, None]],
    }
    coverage = results.make_coverage(timeline=[row])
    (timeline,) = timeline_views(broken.model_copy(update={"coverage": coverage}), Anchors())
    assert [(span.start, span.end) for span in timeline.lanes[0].spans] == [(0.0, 1.0)]


def test_numbers_of_close_actions_stand_below_one_another(broken):
    actions = [
        {"capture": "session-python-intercepted", "name": "a", "ts": f"2026-04-14T08:41:0{n}Z"}
        for n in ("1.00", "1.01", "1.02", "1.03", "5.00")
    ]
    coverage = broken.coverage.model_copy(update={"actions": actions})
    (timeline,) = timeline_views(broken.model_copy(update={"coverage": coverage}), Anchors())
    assert [tick.row for tick in timeline.ticks] == [0, 1, 2, 0, 0]
