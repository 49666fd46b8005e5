from __future__ import annotations

import pytest

from audit.model.outcome import Outcome

from .making import CHECK, make_capture, make_policy, verdict

LINE = next(line for line in CHECK.splitlines() if "no-tracker" in line)
HITS = (
    "  - {id: hit, assert: none, from: identifier_hits, where: {process: app, layer: 0, direction: sent},"
    " match: {kind: email, seen_as: client}, message: '{kind}'}"
)
BODIES = (
    "  - {id: body, assert: none, from: http_requests, where: {process: app},"
    " match: {json.email|exists: true}, message: '{recipient}'}"
)
HEADERS = (
    "  - {id: head, assert: none, from: http_requests, where: {process: app},"
    " match: {headers|has_key: x-id}, message: '{recipient}'}"
)


def make(folder, expect: str, opaque: str = "block"):
    text = CHECK.replace(LINE, expect).replace("exercise:", f"opaque: {opaque}\nexercise:")
    return make_policy(folder, text)


def outcome(policy, **rows):
    return verdict(policy, make_capture(rows=rows))


def request(**changes):
    return {"host": "good.example", "content": "opaque", "conversation": "tcp a > b"} | changes


@pytest.mark.parametrize("content", ["opaque", "mixed"])
@pytest.mark.parametrize("expect", [HITS, BODIES])
def test_opaque_content_that_the_check_reads_blocks_a_pass(tmp_path, expect, content):
    record = outcome(make(tmp_path, expect), http_requests=[request(content=content)])
    assert record.outcome is Outcome.INCONCLUSIVE
    assert "1 of 1 messages that the check reads are opaque" in record.reasons[0].text


def test_opaque_content_is_printed_as_a_limit_where_the_check_says_so(tmp_path):
    rows = [request(), request(content="readable"), request(content="empty")]
    record = outcome(make(tmp_path, HITS, "limit"), http_requests=rows)
    assert record.outcome is Outcome.PASS
    assert record.limits == [
        "1 of 2 messages that the check reads (50%) are opaque: what they hold was not read"
    ]


def test_a_check_of_headers_has_nothing_to_do_with_opaque_bodies(tmp_path):
    assert outcome(make(tmp_path, HEADERS), http_requests=[request()]).outcome is Outcome.PASS


@pytest.mark.parametrize(
    "other",
    [
        {"process": "os"},
        {"process": "control"},
        {"layer": 1},
        {"seen_as": "onion"},
        {"content": "readable"},
        {"content": "empty"},
    ],
)
def test_only_rows_that_could_violate_count(tmp_path, other):
    assert outcome(make(tmp_path, HITS), http_requests=[request(**other)]).outcome is Outcome.PASS


def test_what_was_received_cannot_break_a_check_of_what_was_sent(tmp_path):
    policy = make(tmp_path, HITS)
    assert outcome(policy, http_responses=[request()]).outcome is Outcome.PASS
    ws = {"content": "opaque", "opcode": "binary"}
    assert (
        outcome(policy, websocket_messages=[ws | {"direction": "received"}]).outcome is Outcome.PASS
    )
    sent = outcome(policy, websocket_messages=[ws | {"direction": "sent"}])
    assert sent.outcome is Outcome.INCONCLUSIVE


def test_an_opaque_stream_without_messages_counts(tmp_path):
    policy = make(tmp_path, HITS)
    stream = {"content": "opaque", "transport": "plaintext", "conversation": "tcp a > b"}
    assert outcome(policy, conversations=[stream]).outcome is Outcome.INCONCLUSIVE


def test_a_stream_whose_messages_are_rows_is_judged_by_them(tmp_path):
    policy = make(tmp_path, HITS)
    stream = {"content": "mixed", "transport": "plaintext", "conversation": "tcp a > b"}
    rows = {"http_requests": [request(content="readable")], "http_responses": [request()]}
    assert outcome(policy, conversations=[stream], **rows).outcome is Outcome.PASS


def test_conversations_that_were_never_opened_block_what_nothing_else_answers_for(tmp_path):
    sealed = {"conversations": [{"transport": "tls-passthrough", "content": "opaque"}]}
    policy = make(tmp_path, HITS)
    record = verdict(policy, make_capture(rows=sealed))
    assert record.outcome is Outcome.INCONCLUSIVE
    assert "were never opened" in record.reasons[0].text
    opened = make_capture("two")
    assert verdict(policy, make_capture(rows=sealed), opened).outcome is Outcome.PASS


def test_a_share_that_the_check_asks_for_answers_for_what_stayed_closed(tmp_path):
    text = CHECK.replace(LINE, HITS).replace(
        "{capability: process.attribution}", "{capability: transport.opened, min_ratio: 0.5}"
    )
    rows = {"conversations": [{"transport": "tls-passthrough"}, {"transport": "tls-keys"}]}
    record = verdict(make_policy(tmp_path, text), make_capture(rows=rows))
    assert record.outcome is Outcome.PASS
    assert record.limits == ["1 of 2 conversations of capture one could not be opened, to None"]


def test_a_violation_in_what_can_be_read_is_a_violation(tmp_path):
    hit = {"kind": "email", "recipient": "a.example"}
    record = outcome(make(tmp_path, HITS), http_requests=[request()], identifier_hits=[hit])
    assert record.outcome is Outcome.FAIL


def test_every_body_must_say_so_and_an_opaque_one_cannot(tmp_path):
    expect = (
        "  - {id: e, assert: every, from: http_requests, where: {process: app},"
        " match: {any: [{json.ok: true}, {path: /skip}]}, message: '{recipient}'}"
    )
    policy = make(tmp_path, expect)
    row = request(path="/skip")
    assert outcome(policy, http_requests=[row]).outcome is Outcome.PASS
