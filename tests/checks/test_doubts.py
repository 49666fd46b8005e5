"""What nothing fills yet is no reason for a pass."""

from __future__ import annotations

from audit.model.outcome import Outcome

from .making import CHECK, make_capture, make_policy, verdict


def outcome(folder, rows: list[dict]):
    text = CHECK.replace("where: {process: app}", "where: {process: app, vpn_up: true}")
    return verdict(make_policy(folder, text), make_capture(rows={"conversations": rows}))


def test_a_column_that_nothing_filled_is_told_and_no_pass(tmp_path):
    record = outcome(tmp_path, [{"vpn_up": None, "host": "good.example"}])
    assert record.outcome is Outcome.INCONCLUSIVE
    assert "nothing fills conversations.vpn_up yet" in record.reasons[0].text


def test_a_column_that_something_filled_is_judged(tmp_path):
    assert outcome(tmp_path, [{"vpn_up": False}]).outcome is Outcome.PASS
    row = {"vpn_up": True, "host": "tracker.example"}
    assert outcome(tmp_path, [row]).outcome is Outcome.FAIL
