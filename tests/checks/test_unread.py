from __future__ import annotations

import pytest

from audit.tables.evidence import TapState, UnreadBody

from .making import CHECK, make_capture, make_policy, verdict

LINE = next(line for line in CHECK.splitlines() if "no-tracker" in line)
SENT = "assert: none, from: identifier_hits, where: {direction: sent}, match: {kind: email}"
ANY = "assert: none, from: identifier_hits, match: {kind: email}"
NAMES = "assert: none, from: conversations, match: {host|domain: tracker.example}"
HEADERS = "assert: none, from: http_responses, match: {headers|has_key: [x-id]}"
ANSWERS = "assert: none, from: http_responses, match: {json.id|exists: true}"
SOME = "assert: some, from: http_responses, match: {json.id|exists: true}, min: 1"
MESSAGES = (
    "assert: none, from: websocket_messages, where: {direction: sent}, "
    "match: {json.id|exists: true}"
)


@pytest.mark.parametrize(
    ("expect", "direction", "outcome"),
    [
        (NAMES, "sent", "pass"),
        (NAMES, "received", "pass"),
        (HEADERS, "received", "pass"),
        (SENT, "received", "pass"),
        (SENT, "sent", "inconclusive"),
        (ANY, "received", "inconclusive"),
        (ANSWERS, "received", "inconclusive"),
        (ANSWERS, "sent", "pass"),
        (SOME, "received", "pass"),
        (MESSAGES, "received", "pass"),
        (MESSAGES, "sent", "inconclusive"),
    ],
)
def test_a_body_that_was_cut_touches_what_reads_bodies_of_its_direction(
    tmp_path, expect, direction, outcome
):
    line = f"  - {{id: e, {expect}, message: found}}"
    policy = make_policy(tmp_path, CHECK.replace(LINE, line))
    cut = (UnreadBody(direction=direction, text="it is cut"),)
    rows = {"http_responses": [{"json": '{"id":1}', "content": "readable"}]}
    capture = make_capture(rows=rows if expect == SOME else None, unread=cut)
    record = verdict(policy, capture)
    assert record.outcome == outcome
    told = [reason.text for reason in record.reasons]
    assert (told == ["in capture one a body was not read whole: it is cut"]) is (outcome != "pass")


@pytest.mark.parametrize(
    "changes",
    [
        {"truncated": ("the recorder was killed",)},
        {"taps": (TapState(tap="packets", control_found=True, truncated=("the file ends",)),)},
        {"taps": (TapState(tap="packets", control_found=True, dropped=1),)},
    ],
)
def test_what_a_tap_lost_blocks_every_check(tmp_path, changes):
    line = f"  - {{id: e, {NAMES}, message: found}}"
    policy = make_policy(tmp_path, CHECK.replace(LINE, line))
    assert verdict(policy, make_capture(**changes)).outcome == "inconclusive"


def test_many_cut_bodies_are_counted(tmp_path):
    policy = make_policy(tmp_path, CHECK.replace(LINE, f"  - {{id: e, {ANY}, message: found}}"))
    cut = tuple(UnreadBody(direction="sent", text=f"cut {n}") for n in range(9))
    reasons = verdict(policy, make_capture(unread=cut)).reasons
    assert reasons[-1].text == "in capture one 4 more were not read whole"
