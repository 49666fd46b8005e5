"""Ways to a pass that would mean nothing: each is closed."""

from __future__ import annotations

import pytest

from audit.errors import PolicyError
from audit.model.outcome import Outcome

from .making import CHECK, PACK, make_capture, make_policy, verdict

EXPECT = CHECK[CHECK.index("  - {id: no-tracker") : CHECK.index("tests:")]
EMPTY = PACK.replace("default: [push.example], settable: true", "default: [], settable: true")
PUSH = "${push_hosts}"


def policy(folder, expectation: str, pack: str = PACK, observe: str = ""):
    text = CHECK.replace(EXPECT, f"  - {{id: x, message: x, {expectation}}}\n")
    return make_policy(folder, text.replace("observe:\n", f"observe:\n{observe}"), pack=pack)


def none(match: str) -> str:
    return f"assert: none, from: conversations, where: {{process: app}}, match: {{{match}}}"


def every(where: str, match: str) -> str:
    return f"assert: every, from: conversations, where: {{{where}}}, match: {{{match}}}"


def told(record) -> str:
    return "; ".join(reason.text for reason in record.reasons)


def conversation(**row):
    return make_capture(rows={"conversations": [row]})


@pytest.mark.parametrize(
    ("expectation", "row", "outcome"),
    [
        (none("host: bad.example"), {"host": "bad.example"}, "inconclusive"),
        (none("host: bad.example"), {"host": "good.example"}, "pass"),
        (every("process: app", "host: good.example"), {"host": "bad.example"}, "inconclusive"),
        (every("process: app", "host: good.example"), {"host": "good.example"}, "pass"),
        (every("process|not: os", "host: good.example"), {"host": "bad.example"}, "inconclusive"),
        (every("process: unknown", "host: good.example"), {"host": "bad.example"}, "fail"),
        (every("process|in: [app, unknown]", "host: a.example"), {"host": "b.example"}, "fail"),
        (every("process|not: unknown", "host: a.example"), {"host": "b.example"}, "pass"),
        (every("process|exists: true", "host: a.example"), {"host": "b.example"}, "fail"),
    ],
)
def test_traffic_of_nobody_knows_whom_may_be_the_apps(tmp_path, expectation, row, outcome):
    record = verdict(policy(tmp_path, expectation), conversation(process="unknown", **row))
    assert record.outcome == outcome
    if outcome == "inconclusive":
        assert "traffic of nobody knows whom" in told(record)


CLAIM = {"host": "good.example", "host_basis": "claimed", "responder_ip": "203.0.113.9"}


@pytest.mark.parametrize(
    ("match", "outcome"),
    [
        ("recipient: good.example", "inconclusive"),
        ("recipient|not: good.example", "inconclusive"),
        ("recipient|not: other.example", "fail"),
        ("owner: Good", "inconclusive"),
        ("owner|not: Good", "inconclusive"),
        ("not: {recipient|re: 'good'}", "inconclusive"),
    ],
)
def test_a_claimed_name_counts_under_no_other_column_either(tmp_path, match, outcome):
    row = CLAIM | {"recipient": "good.example", "owner": "Good"}
    assert verdict(policy(tmp_path, none(match)), conversation(**row)).outcome == outcome


@pytest.mark.parametrize("pattern", ["^", "$", "a*", "(?:)", ".*", "(?i)", "x?", "|a"])
def test_a_pattern_that_is_in_every_text_is_refused(tmp_path, pattern):
    with pytest.raises(PolicyError, match="found in every text"):
        policy(tmp_path, every("process: app", f"host|re: '{pattern}'"))


@pytest.mark.parametrize("pattern", ["^$", "^[^@]*$", "[.]", "^good|^better"])
def test_a_pattern_that_asks_something_is_not(tmp_path, pattern):
    made = policy(tmp_path, every("process: app", f"host|re: '{pattern}'"))
    assert verdict(made, conversation(host="a@b")).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("expectation", "outcome"),
    [
        (none(f"host|domain: '{PUSH}'"), "inconclusive"),
        (none(f"not: {{host|domain|not: '{PUSH}'}}"), "inconclusive"),
        (every("process: app", f"host|domain|not: '{PUSH}'"), "inconclusive"),
        (every(f"host|domain: '{PUSH}'", "iface: tun0"), "inconclusive"),
        (none(f"not: {{host|domain: '{PUSH}'}}"), "fail"),
        (none(f"host: bad.example, not: {{host|domain: '{PUSH}'}}"), "pass"),
        (
            every("process: app", f"any: [{{host: good.example}}, {{host|domain: '{PUSH}'}}]"),
            "pass",
        ),
    ],
)
def test_an_empty_list_excuses_nothing_and_blames_nobody(tmp_path, expectation, outcome):
    made = policy(tmp_path, expectation, pack=EMPTY)
    record = verdict(made, conversation(host="good.example"))
    assert record.outcome == outcome
    assert ("compares with an empty list" in told(record)) is (outcome == "inconclusive")


@pytest.mark.parametrize("key", ["taps|all_of", "host|contains|all_of"])
def test_all_of_nothing_is_refused(tmp_path, key):
    with pytest.raises(PolicyError, match="all of an empty list"):
        policy(tmp_path, every("process: app", f"{key}: '{PUSH}'"), pack=EMPTY)


PASTED = {"name": "app.link.paste", "phase": "steady"}
SOME = "assert: some, from: events, match: {name: app.link.paste}"


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        (PASTED | {"corroborated_by": "peer"}, "pass"),
        (PASTED | {"corroborated_by": None}, "inconclusive"),
        (PASTED | {"corroborated_by": "peer", "ok": False}, "inconclusive"),
    ],
)
def test_a_duty_is_not_met_by_the_clients_word(tmp_path, row, outcome):
    found = verdict(policy(tmp_path, SOME), make_capture(rows={"events": [row]}))
    assert found.outcome == outcome


JOIN = (
    "assert: no_join, left: {from: events, where: {name: app.remove}, key: subject_hash}, "
    "right: {from: db_records, key: email_hash}"
)


@pytest.mark.parametrize(
    ("left", "right", "outcome", "words"),
    [
        ({"subject_hash": "h"}, [{"email_hash": "i"}], "pass", ""),
        ({"subject_hash": "h"}, [{"email_hash": "h"}], "fail", ""),
        ({"subject_hash": None}, [{"email_hash": "i"}], "inconclusive", "cannot compare 1 event"),
        ({"subject_hash": None}, [], "inconclusive", "nothing fills events.subject_hash"),
        ({"subject_hash": "h", "corroborated_by": None}, [{"email_hash": "h"}], "inconclusive", ""),
    ],
)
def test_a_join_of_what_has_no_key_or_no_proof_says_nothing(tmp_path, left, right, outcome, words):
    row = {"name": "app.remove", "corroborated_by": "recorder"} | left
    record = verdict(
        policy(tmp_path, JOIN), make_capture(rows={"events": [row], "db_records": right})
    )
    assert record.outcome == outcome
    assert words in told(record)


def test_a_column_that_nothing_fills_is_told_of_an_empty_table_too(tmp_path):
    record = verdict(policy(tmp_path, JOIN), make_capture())
    assert "nothing fills events.subject_hash here" in told(record)
