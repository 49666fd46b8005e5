from __future__ import annotations

import dataclasses

import pytest

from audit.model.outcome import Outcome
from audit.tables.evidence import OnionState

from .making import CHECK, make_capture, make_policy, verdict

OBSERVE = "{capability: transport.opened, where: {process: app}, min_ratio: 0.9}"
OPENED, SEALED = {"transport": "tls-keys"}, {"transport": "metadata-only"}


def policy(folder):
    return make_policy(folder, CHECK.replace("{capability: process.attribution}", OBSERVE))


def capture(name: str, *conversations: dict, **more):
    return make_capture(name, rows={"conversations": list(conversations)}, **more)


def to(recipient: str, *rows: dict, **more) -> list[dict]:
    return [row | {"recipient": recipient} | more for row in rows]


GOOD = capture("opened", *to("a.example", *[OPENED] * 3), *to("192.0.2.7", OPENED))


def test_a_client_without_keys_may_be_opened_in_the_other_pass(tmp_path):
    other = capture("sealed", *to("a.example", *[SEALED] * 3), *to("192.0.2.7", SEALED))
    record = verdict(policy(tmp_path), GOOD, other)
    assert record.outcome is Outcome.PASS
    assert record.limits == [
        "4 of 4 conversations of capture sealed could not be opened, to 192.0.2.7, a.example"
    ]


def test_what_is_closed_to_somebody_who_is_opened_nowhere_has_no_counterpart(tmp_path):
    other = capture("sealed", *to("a.example", *[SEALED] * 3), *to("192.0.2.9", SEALED))
    record = verdict(policy(tmp_path), GOOD, other)
    assert record.outcome is Outcome.INCONCLUSIVE
    assert record.reasons[0].text == (
        "1 conversation of capture sealed to 192.0.2.9 could not be opened and has no counterpart "
        "in the opened pass"
    )


def test_servers_of_one_role_stand_for_one_another(tmp_path):
    there = capture("opened", *to("192.0.2.7", OPENED, peer_role="server"))
    other = capture("sealed", *to("192.0.2.9", SEALED, peer_role="server"))
    assert verdict(policy(tmp_path), there, other).outcome is Outcome.PASS


@pytest.mark.parametrize(("extra", "outcome"), [(0, "pass"), (2, "inconclusive")])
def test_more_closed_conversations_than_were_opened_have_no_counterpart(tmp_path, extra, outcome):
    other = capture("sealed", *to("a.example", *[SEALED] * (3 + extra)))
    assert verdict(policy(tmp_path), GOOD, other).outcome == outcome


def test_what_stays_closed_beside_what_keys_opened_is_explained_by_nothing(tmp_path):
    other = capture("some-keys", *to("a.example", OPENED, SEALED))
    record = verdict(policy(tmp_path), GOOD, other)
    assert record.outcome is Outcome.INCONCLUSIVE
    assert "some-keys to a.example could not be opened" in record.reasons[0].text


def test_a_pinned_server_that_the_other_pass_opens_is_no_hole(tmp_path):
    pinned = {"transport": "pinned-refused"}
    other = capture("pinned", *to("a.example", pinned), *to("192.0.2.7", OPENED))
    assert verdict(policy(tmp_path), GOOD, other).outcome is Outcome.PASS
    stranger = capture("pinned", *to("b.example", pinned), *to("192.0.2.7", OPENED))
    assert verdict(policy(tmp_path), GOOD, stranger).outcome is Outcome.INCONCLUSIVE


def test_one_closed_conversation_within_the_share_is_a_printed_limit(tmp_path):
    most = capture("most", *to("a.example", *[OPENED] * 19), *to("192.0.2.9", SEALED))
    record = verdict(policy(tmp_path), GOOD, most)
    assert record.outcome is Outcome.PASS
    assert record.limits == [
        "1 of 20 conversations of capture most could not be opened, to 192.0.2.9"
    ]


def test_a_claimed_role_does_not_hide_what_stayed_closed(tmp_path):
    observe = OBSERVE.replace("process: app", "peer_role: server")
    made = make_policy(tmp_path, CHECK.replace("{capability: process.attribution}", observe))
    there = capture("opened", *to("a.example", OPENED, peer_role="server"))
    claim = {"host_basis": "claimed", "claimed_role": "server", "host": "good.example"}
    other = capture("sealed", *to("192.0.2.9", SEALED, **claim))
    assert verdict(made, there, other).outcome is Outcome.INCONCLUSIVE
    assert verdict(made, there).outcome is Outcome.PASS
    beside = to("a.example", OPENED, peer_role="server") + to("192.0.2.9", SEALED, **claim)
    assert verdict(made, capture("one", *beside)).outcome is Outcome.INCONCLUSIVE


def test_what_stayed_closed_may_hold_onion_requests(tmp_path):
    made = make_policy(
        tmp_path,
        CHECK.replace("{capability: process.attribution}", "{capability: onion.opened}"),
    )
    closed = OnionState(keys=True, seen=1, opened=1, sealed=1)
    beside = to("a.example", OPENED) + to("192.0.2.9", SEALED)
    other = capture("some-keys", *beside, onion=closed)
    assert verdict(made, GOOD, other).outcome is Outcome.INCONCLUSIVE
    assert verdict(made, GOOD).outcome is Outcome.PASS


@pytest.mark.parametrize("sees_all", [True, False])
def test_a_capture_that_sees_less_explains_no_more(tmp_path, sees_all):
    other = capture("proxy", *to("192.0.2.9", SEALED), sees_all=sees_all)
    record = verdict(policy(tmp_path), GOOD, other)
    assert record.outcome is Outcome.INCONCLUSIVE
    assert "1 conversation of capture proxy to 192.0.2.9 could not be opened" in [
        reason.text.partition(" and has")[0] for reason in record.reasons
    ]
    known = capture("proxy", *to("a.example", SEALED), sees_all=sees_all)
    assert verdict(policy(tmp_path), GOOD, known).outcome is Outcome.PASS


def test_without_conversations_nobody_can_say_what_stayed_closed_of_the_onion(tmp_path):
    observe = CHECK.replace("{capability: process.attribution}", "{capability: onion.opened}")
    onion = make_policy(
        tmp_path,
        observe.replace("from: conversations", "from: http_requests"),
    )
    assert verdict(onion, GOOD).outcome is Outcome.PASS
    tables = {name: frame for name, frame in GOOD.tables.items() if name != "conversations"}
    record = verdict(onion, dataclasses.replace(GOOD, tables=tables))
    assert record.outcome is Outcome.INCONCLUSIVE
    assert [reason.text for reason in record.reasons] == [
        "capture opened has no table conversations"
    ]
