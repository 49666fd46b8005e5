import pytest

from audit.evidence.processes import attribute, take_back
from tests.evidence.bundles import ECHO, manifest

TOKEN = {"ref": "flows.mitm#1:request.head", "conversation": "own"}


def process(
    row: dict,
    *,
    table: str = "conversations",
    controls: frozenset[str] = frozenset(),
    more=(),
    **changed,
) -> tuple:
    tables = {"http_requests": [dict(TOKEN), *more]}
    tables.setdefault(table, []).append(row)
    attribute(tables, manifest(**changed), controls)
    return row["process"], row["process_basis"]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"vantage": "netns"}, ("app", "netns")),
        ({"vantage": "proxy"}, ("app", "declared")),
        ({"vantage": "import"}, ("app", "declared")),
        ({"vantage": "import", "mixed": True}, ("unknown", None)),
    ],
)
def test_traffic_is_whose_the_vantage_says(changed, expected):
    assert process({"proto": "tcp", "conversation": "a"}, **changed) == expected


def test_what_the_kernel_sent_is_the_systems():
    row = {"conversation": "arp a", "proto": "arp"}
    attribute({"conversations": [row]}, manifest(), frozenset(), frozenset({"arp a"}))
    assert row["process"] == "os"


def hit(kind: str) -> dict:
    return {"conversation": "udp a", "process": "os", "kind": kind}


@pytest.mark.parametrize(
    ("kinds", "process"),
    [(["mac", "host_name", "address"], "os"), (["mac", "message"], "app"), ([], "os")],
)
def test_what_no_kernel_sends_is_taken_back_to_the_app(kinds, process):
    row, other = {"conversation": "udp a", "process": "os"}, {"process": "os"}
    hits = [hit(kind) for kind in kinds]
    take_back({"conversations": [row, other]}, hits, manifest())
    assert (row["process"], other["process"]) == (process, "os")
    assert {found["process"] for found in hits} <= {process}


def test_a_request_with_a_token_is_the_recorders_and_what_carried_it():
    controls = frozenset({TOKEN["ref"]})
    assert process({"conversation": "own", "proto": "tcp"}, controls=controls)[0] == "control"
    assert (
        process({"conversation": "own"}, table="tls_handshakes", controls=controls)[0] == "control"
    )


def test_what_is_sent_to_the_echo_without_a_token_is_the_apps():
    controls = frozenset({TOKEN["ref"]})
    row = {"ref": "flows.mitm#2:request.head", "conversation": "other", "responder_ip": ECHO}
    assert process(row, table="http_requests", controls=controls)[0] == "app"
    assert (
        process({"conversation": "other", "responder_ip": ECHO, "proto": "tcp"}, controls=controls)[
            0
        ]
        == "app"
    )


def test_a_conversation_that_carried_more_than_tokens_is_the_apps():
    controls = frozenset({TOKEN["ref"]})
    beside = {"ref": "flows.mitm#3:request.head", "conversation": "own"}
    assert (
        process({"conversation": "own", "proto": "tcp"}, controls=controls, more=[beside])[0]
        == "app"
    )
    assert beside["process"] == "app"
