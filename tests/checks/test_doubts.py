"""What nothing fills yet is no reason for a pass."""

from __future__ import annotations

from audit.model.outcome import Outcome

from .making import CHECK, make_capture, make_policy, verdict

LINE = next(line for line in CHECK.splitlines() if "no-tracker" in line)
PHONE = (
    "  - {id: no-phone, assert: none, from: captures, match: {device_model: Pixel},"
    " message: 'recorded on {device_model}'}"
)


def outcome(folder, *rows: dict):
    text = CHECK.replace("from: conversations", "from: events").replace(
        "where: {process: app}, match: {host|domain: tracker.example}, message: '{recipient}",
        "match: {subject_hash: h1}, message: '{name}",
    )
    rows = [{"name": "app.idle", **row} for row in rows]
    return verdict(make_policy(folder, text), make_capture(rows={"events": rows}))


def test_a_column_that_nothing_filled_is_told_and_no_pass(tmp_path):
    record = outcome(tmp_path, {})
    assert record.outcome is Outcome.INCONCLUSIVE
    assert "nothing fills events.subject_hash" in record.reasons[0].text


def test_a_column_that_something_filled_is_judged(tmp_path):
    assert outcome(tmp_path, {}, {"subject_hash": "h2"}).outcome is Outcome.PASS
    assert outcome(tmp_path, {"subject_hash": "h1"}).outcome is Outcome.FAIL


def test_a_key_that_nothing_filled_joins_nothing(tmp_path):
    join = (
        "assert: no_join, left: {from: events, where: {name: app.idle}, key: subject_hash}, "
        "right: {from: conversations, key: host}, message: x}"
    )
    text = CHECK.replace(CHECK[CHECK.index("assert: none") : CHECK.index("\ntests:")], join)
    capture = make_capture(rows={"events": [{"name": "app.idle"}]})
    assert verdict(make_policy(tmp_path, text), capture).outcome is Outcome.INCONCLUSIVE
