from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.checks.fingerprints import fingerprint, normalise, without_ids
from audit.checks.program import FieldRef

from .making import CHECK, make_capture, make_policy, verdict


def field(column: str, type_="text") -> FieldRef:
    return FieldRef(table="http_requests", column=column, path=(), type=type_, text=column)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/api/v1/users/1234", "/api/v1/users/{id}"),
        ("/file/0123456789abcdef", "/file/{id}"),
        ("/u/8c5f1f0e-9d5c-4d0e-8f6a-111111111111/x", "/u/{id}/x"),
        ("/t/AbCdEf0123456789xyzAB", "/t/{id}"),
        ("/storage_rpc/v1", "/storage_rpc/v1"),
        ("/deadbeef", "/deadbeef"),
        ("header x-id", "header x-id"),
    ],
)
def test_ids_in_paths_are_taken_out(text, expected):
    assert without_ids(text) == expected


@pytest.mark.parametrize(
    ("column", "value", "role", "expected"),
    [
        (field("recipient"), "203.0.113.11", "storage_node", "storage_node"),
        (field("recipient"), "Tracker.Example", None, "tracker.example"),
        (field("host", "host"), "Seed1.Example.", None, "seed1.example"),
        (field("location"), "body $.requests[12].params.id", None, "body $.requests[].params.id"),
        (field("path"), "/a/99", "storage_node", "/a/{id}"),
        (field("name"), "android.permission.READ_SMS", None, "android.permission.READ_SMS"),
        (field("path"), "/u/ann", None, "/u/{user_name}"),
        (field("path"), None, None, None),
    ],
)
def test_identity_columns_are_compared_without_what_differs_between_recordings(
    column, value, role, expected
):
    def redact(text: str) -> str:
        return text.replace("ann", "[user_name:0a1b2c]")

    assert normalise(column, value, role, redact) == expected


@given(st.dictionaries(st.text(max_size=5), st.none() | st.text(max_size=5), max_size=4))
def test_a_fingerprint_does_not_depend_on_the_order_of_columns(columns):
    turned = dict(reversed(columns.items()))
    assert fingerprint("c", "e", columns) == fingerprint("c", "e", turned)
    assert fingerprint("c", "e", columns) != fingerprint("c", "f", columns)


def test_two_recordings_of_one_client_give_the_same_fingerprints(tmp_path):
    text = CHECK.replace("tracker.example}", "x.example}").replace(
        "message:", "identity: [recipient], message:"
    )
    policy = make_policy(tmp_path, text)

    def recorded(day: str, node: str, name: str):
        row = {
            "host": f"{node}.x.example",
            "peer_role": "server",
            "ts": f"2026-02-{day}T11:00:00Z",
            "ref": f"packets.pcapng#{day}",
            "conversation": f"tcp 198.18.0.2:4{day} > 192.0.2.{day}:443",
        }
        return verdict(policy, make_capture(name, rows={"conversations": [row, row]}))

    first, second = recorded("11", "node7", "a"), recorded("12", "node9", "b")
    assert [f.fingerprint for f in first.findings] == [f.fingerprint for f in second.findings]
    assert first.findings[0].columns == {"recipient": "server"}
    assert re.fullmatch("[0-9a-f]{64}", first.findings[0].fingerprint)
