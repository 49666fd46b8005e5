from __future__ import annotations

import pytest

from audit.model.outcome import Outcome
from audit.tables.evidence import OnionState

from .making import CHECK, make_capture, make_policy, verdict

OPENED, SEALED = {"transport": "tls-keys"}, {"transport": "tls-passthrough"}


def observing(folder, observe: str, expect: str | None = None):
    text = CHECK.replace("{capability: process.attribution}", observe)
    if expect:
        line = next(line for line in CHECK.splitlines() if "no-tracker" in line)
        text = text.replace(line, expect)
    return make_policy(folder, text)


def outcome(policy, *conversations, **more):
    rows = {"conversations": list(conversations), **more}
    return verdict(policy, make_capture(rows=rows))


def test_opened_is_the_share_of_conversations_with_payload(tmp_path):
    policy = observing(tmp_path, "{capability: transport.opened, min_ratio: 0.6}")
    assert outcome(policy, OPENED, OPENED, SEALED).outcome is Outcome.PASS
    record = outcome(policy, OPENED, SEALED)
    assert record.outcome is Outcome.NOT_OBSERVABLE
    assert "1 of 2 conversations could be opened, 60% are needed" in record.reasons[0].text


def test_all_must_be_opened_unless_the_check_says_otherwise(tmp_path):
    policy = observing(tmp_path, "{capability: transport.opened}")
    assert outcome(policy, OPENED, OPENED).outcome is Outcome.PASS
    assert outcome(policy, OPENED, SEALED).outcome is Outcome.NOT_OBSERVABLE


def test_what_was_not_opened_is_printed_as_a_limit(tmp_path):
    policy = observing(tmp_path, "{capability: transport.opened, min_ratio: 0.5}")
    record = outcome(policy, OPENED, SEALED | {"recipient": "a.example"})
    assert record.outcome is Outcome.PASS
    assert record.limits == [
        "1 of 2 conversations of capture one could not be opened, to a.example"
    ]
    assert outcome(policy, OPENED).limits == []


@pytest.mark.parametrize(
    "other",
    [
        {"payload_bytes": 0},
        {"proto": "icmp"},
        {"process": "control"},
        {"process": "os"},
        {"proto": "udp", "responder_port": 53},
    ],
)
def test_conversations_that_carry_nothing_of_the_app_do_not_count(tmp_path, other):
    policy = observing(tmp_path, "{capability: transport.opened, where: {process: app}}")
    assert outcome(policy, OPENED, SEALED | other).outcome is Outcome.PASS
    assert outcome(policy, SEALED | other).outcome is Outcome.NOT_OBSERVABLE


def test_udp_to_the_port_of_dns_that_is_no_dns_counts(tmp_path):
    policy = observing(tmp_path, "{capability: transport.opened}")
    tunnel = SEALED | {"proto": "udp", "responder_port": 53, "conversation": "udp a > b:53"}
    assert outcome(policy, OPENED, tunnel).outcome is Outcome.NOT_OBSERVABLE
    asked = [{"name": "a.example", "conversation": "udp a > b:53"}]
    mixed = outcome(policy, OPENED, tunnel, dns_queries=asked)
    assert mixed.outcome is Outcome.NOT_OBSERVABLE
    pure = outcome(policy, OPENED, tunnel | {"only_dns": True}, dns_queries=asked)
    assert pure.outcome is Outcome.PASS


def test_no_such_conversation_is_an_absent_capability(tmp_path):
    policy = observing(tmp_path, "{capability: transport.opened, where: {peer_role: server}}")
    record = outcome(policy, OPENED)
    assert record.outcome is Outcome.NOT_OBSERVABLE
    assert "no conversation of the kind that the check observes was seen" in record.reasons[0].text


@pytest.mark.parametrize("layer", [0, None])
def test_a_conversation_is_on_the_wire_whether_or_not_a_reader_said_so(tmp_path, layer):
    policy = observing(tmp_path, "{capability: transport.opened, where: {layer: 0}}")
    assert outcome(policy, OPENED | {"layer": layer}).outcome is Outcome.PASS
    deep = observing(tmp_path / "deep", "{capability: transport.opened, where: {layer|gte: 1}}")
    assert outcome(deep, OPENED | {"layer": layer}).outcome is Outcome.NOT_OBSERVABLE


def test_it_is_enough_that_one_capture_was_opened(tmp_path):
    policy = observing(tmp_path, "{capability: transport.opened}")
    sealed = make_capture("a", rows={"conversations": [SEALED]})
    opened = make_capture("b", rows={"conversations": [OPENED]})
    assert verdict(policy, sealed, opened).outcome is Outcome.PASS
    assert verdict(policy, sealed).outcome is Outcome.NOT_OBSERVABLE


def test_a_column_that_conversations_lack_is_refused_at_its_place(tmp_path):
    from audit.yamlfile.problem import PolicyFileError

    with pytest.raises(PolicyFileError, match="table 'conversations' has no column 'method'"):
        observing(tmp_path, "{capability: transport.opened, where: {method: GET}}")


@pytest.mark.parametrize(
    ("state", "expected", "words"),
    [
        (OnionState(keys=True, seen=3, opened=3), Outcome.PASS, ""),
        (OnionState(keys=True, seen=3, opened=2), Outcome.NOT_OBSERVABLE, "only 2 of 3"),
        (
            OnionState(keys=False, seen=0),
            Outcome.NOT_OBSERVABLE,
            "keys of the onion's nodes are not",
        ),
        (OnionState(keys=True, seen=0), Outcome.PASS, ""),
        (
            OnionState(keys=True, seen=3, opened=3, sealed=1),
            Outcome.NOT_OBSERVABLE,
            "1 conversations",
        ),
        (OnionState(keys=True, sealed=4), Outcome.NOT_OBSERVABLE, "may hold onion requests"),
    ],
)
def test_the_onion_is_opened_where_every_request_seen_was(tmp_path, state, expected, words):
    policy = observing(tmp_path, "{capability: onion.opened}")
    record = verdict(policy, make_capture(onion=state))
    assert record.outcome is expected
    assert words in " ".join(reason.text for reason in record.reasons)


def test_that_no_onion_request_was_seen_is_printed_as_a_limit(tmp_path):
    policy = observing(tmp_path, "{capability: onion.opened}")
    none, some = OnionState(keys=True), OnionState(keys=True, seen=1, opened=1)
    limits = verdict(policy, make_capture(onion=none)).limits
    assert limits == ["no onion request was seen, so nothing inside one was judged"]
    assert (
        verdict(policy, make_capture("a", onion=none), make_capture("b", onion=some)).limits == []
    )


HITS = (
    "  - {id: hit, assert: none, from: identifier_hits, where: {process: app},"
    " match: {kind|in: [email, phone]}, message: '{kind}'}"
)


@pytest.mark.parametrize(
    ("least", "kinds", "expected"),
    [
        ("", {"email"}, Outcome.PASS),
        ("", {"mac"}, Outcome.NOT_OBSERVABLE),
        (", min: 2", {"email", "mac"}, Outcome.NOT_OBSERVABLE),
        (", min: 2", {"email", "phone"}, Outcome.PASS),
    ],
)
def test_planted_counts_the_kinds_that_the_check_searches_for(tmp_path, least, kinds, expected):
    policy = observing(tmp_path, f"{{capability: identifiers.planted{least}}}", HITS)
    assert verdict(policy, make_capture(planted_kinds=frozenset(kinds))).outcome is expected


def test_kinds_that_where_excludes_are_not_searched_for(tmp_path):
    expect = HITS.replace("{process: app}", "{process: app, kind|not: email}")
    policy = observing(tmp_path, "{capability: identifiers.planted}", expect)
    email, phone = frozenset({"email"}), frozenset({"phone"})
    assert verdict(policy, make_capture(planted_kinds=email)).outcome is Outcome.NOT_OBSERVABLE
    assert verdict(policy, make_capture(planted_kinds=phone)).outcome is Outcome.PASS
