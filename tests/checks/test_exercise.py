from __future__ import annotations

import pytest

from audit.model.outcome import Outcome

from .making import CHECK, make_action, make_capture, make_policy, verdict


def make(folder, item: str):
    return make_policy(folder, CHECK.replace("exercise:", f"exercise:\n  - {item}"))


def outcome(policy, actions=("app.idle",), **rows):
    return verdict(policy, make_capture(actions=actions, rows=rows))


def lacking(record) -> str:
    return " ".join(reason.text for reason in record.reasons)


def test_rows_must_have_been_seen(tmp_path):
    policy = make(tmp_path, "{id: seen, from: conversations, where: {host: a.example}, min: 2}")
    row = {"host": "a.example"}
    assert outcome(policy, conversations=[row, row]).outcome is Outcome.PASS
    record = outcome(policy, conversations=[row])
    assert record.outcome is Outcome.INCONCLUSIVE
    assert "('seen'): 1 conversation, at least 2 are needed" in lacking(record)


def test_without_a_number_one_row_is_needed(tmp_path):
    policy = make(tmp_path, "{id: seen, from: conversations}")
    assert outcome(policy).outcome is Outcome.INCONCLUSIVE
    assert outcome(policy, conversations=[{}]).outcome is Outcome.PASS


def test_rows_that_must_not_be_there(tmp_path):
    policy = make(tmp_path, "{id: none, from: conversations, where: {bytes_out|gt: 5}, max: 0}")
    assert outcome(policy).outcome is Outcome.PASS
    assert outcome(policy, conversations=[{"bytes_out": 4}]).outcome is Outcome.PASS
    assert "at most 0 may be" in lacking(outcome(policy, conversations=[{"bytes_out": 6}]))
    assert outcome(policy, conversations=[{"bytes_out": None}]).outcome is Outcome.INCONCLUSIVE


def test_different_values_are_counted(tmp_path):
    policy = make(tmp_path, "{id: variety, from: conversations, distinct: host, min: 2}")
    a, b, none = {"host": "a.example"}, {"host": "b.example"}, {"host": None}
    assert outcome(policy, conversations=[a, b]).outcome is Outcome.PASS
    assert outcome(policy, conversations=[a, a, none]).outcome is Outcome.INCONCLUSIVE


def test_rows_of_two_captures_are_not_added_up(tmp_path):
    policy = make(tmp_path, "{id: seen, from: conversations, min: 2}")
    one, two = (make_capture(name, rows={"conversations": [{}]}) for name in "ab")
    assert verdict(policy, one, two).outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"corroborated_by": "peer"}, Outcome.PASS),
        ({"corroborated_by": None}, Outcome.INCONCLUSIVE),
        ({"corroborated_by": "peer", "ok": False}, Outcome.INCONCLUSIVE),
    ],
)
def test_an_event_exercises_only_where_something_proves_it(tmp_path, event, expected):
    policy = make(tmp_path, "{id: used, from: events, where: {name: app.message.receive}}")
    row = {"name": "app.message.receive"} | event
    assert outcome(policy, events=[row]).outcome is expected


def test_an_event_that_must_not_be_there_counts_without_proof(tmp_path):
    policy = make(tmp_path, "{id: untouched, from: events, where: {name: setting.changed}, max: 0}")
    assert outcome(policy).outcome is Outcome.PASS
    row = {"name": "setting.changed", "corroborated_by": None}
    assert outcome(policy, events=[row]).outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("ts", "expected"),
    [
        ("2026-02-21T12:00:00Z", Outcome.PASS),
        ("2026-02-25T12:00:00Z", Outcome.INCONCLUSIVE),
        ("2027-01-01T12:00:00Z", Outcome.INCONCLUSIVE),
        ("no date", Outcome.INCONCLUSIVE),
    ],
)
def test_a_probe_must_be_old_enough(tmp_path, ts, expected):
    policy = make(tmp_path, "{id: old, actions: [web.probe], age|gte: 8d}")
    record = outcome(policy, actions=("app.idle", make_action("web.probe", ts=ts)))
    assert record.outcome is expected
    if expected is not Outcome.PASS:
        assert "web.probe was done less than 8d ago" in lacking(record)


def test_the_items_own_hint_is_given(tmp_path):
    policy = make(tmp_path, "{id: old, actions: [web.probe], hint: send one}")
    assert [reason.hint for reason in outcome(policy).reasons] == ["send one"]
