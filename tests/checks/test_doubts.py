"""What nothing fills yet is no reason for a pass."""

from __future__ import annotations

from audit.model.outcome import Outcome

from .making import CHECK, make_capture, make_policy, verdict

LINE = next(line for line in CHECK.splitlines() if "no-tracker" in line)
PHONE = (
    "  - {id: no-phone, assert: none, from: captures, match: {device_model: Pixel},"
    " message: 'recorded on {device_model}'}"
)


def outcome(folder, rows: list[dict]):
    text = CHECK.replace(LINE, PHONE)
    return verdict(make_policy(folder, text), make_capture(rows={"captures": rows}))


def test_a_column_that_nothing_filled_is_told_and_no_pass(tmp_path):
    record = outcome(tmp_path, [{"device_model": None}])
    assert record.outcome is Outcome.INCONCLUSIVE
    assert "nothing fills captures.device_model yet" in record.reasons[0].text


def test_a_column_that_something_filled_is_judged(tmp_path):
    assert outcome(tmp_path, [{"device_model": "Ultra"}]).outcome is Outcome.PASS
    assert outcome(tmp_path, [{"device_model": "Pixel"}]).outcome is Outcome.FAIL
