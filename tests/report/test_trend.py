from __future__ import annotations

import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from audit.model.outcome import Outcome
from audit.model.result import ClauseRecord
from audit.report.history import Kept
from audit.report.trend import releases, trend_data, trend_lines, trend_svg
from tests.gate.making import make_finding, make_result, make_verdict


def clause(outcome, name="trackers"):
    return ClauseRecord(id=name, quote="q", section="One", outcome=outcome, checks=[])


def kept(day: int, outcome, title="client"):
    findings = [make_finding()] if outcome is Outcome.FAIL else []
    result = make_result(
        make_verdict("tracker", outcome, *findings),
        clauses=[clause(outcome)],
        target={"name": title, "title": title},
    )
    return Kept(moment=f"2026-03-0{day}T12:00:00Z", result=result)


BROKEN, MENDED, LOST = (
    kept(1, Outcome.FAIL),
    kept(2, Outcome.PASS),
    kept(3, Outcome.INCONCLUSIVE),
)


def test_each_release_is_told_against_the_one_before_it():
    first, second, third = releases([BROKEN, MENDED, LOST])
    assert (first.new, first.fixed, first.coverage_loss) == (None, None, None)
    assert (second.new, second.fixed, second.coverage_loss) == (0, 1, 0)
    assert (third.new, third.fixed, third.coverage_loss) == (0, 0, 1)
    assert [one["clauses"]["fail"] for one in trend_data([first, second, third])] == [1, 0, 0]


def test_the_lines_stand_in_columns():
    lines = trend_lines(releases([BROKEN, MENDED, LOST]))
    assert len(lines) == 4
    at = lines[0].index("broken")
    assert [line[at] for line in lines[1:]] == ["1", "0", "0"]


@given(st.text(max_size=50))
def test_the_picture_is_xml_that_loads_nothing_whatever_a_client_is_called(title):
    found = releases([kept(1, Outcome.FAIL, title), kept(2, Outcome.PASS, title)])
    picture = trend_svg(found, title)
    root = ET.fromstring(picture)
    bars = [
        one for one in root.iter("{http://www.w3.org/2000/svg}rect") if one.get("height") == "160.0"
    ]
    assert [one.get("class") for one in bars] == ["fail", "pass"]
    assert "url(" not in picture
    assert "href" not in picture.replace(title, "")
