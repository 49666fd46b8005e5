import pytest

from audit.evidence.processes import attribute
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


@pytest.mark.parametrize(
    "row",
    [
        {"proto": "arp"},
        {"proto": "2"},
        {"proto": "icmp6", "originator_port": 135},
        {"proto": "icmp6", "originator_port": 143},
        {
            "proto": "udp",
            "originator_port": 68,
            "responder_port": 67,
            "responder_ip": "255.255.255.255",
        },
        {"proto": "udp", "originator_port": 68, "responder_port": 67, "responder_ip": ECHO},
        {
            "proto": "udp",
            "originator_port": 546,
            "responder_port": 547,
            "responder_ip": "ff02::1:2",
        },
    ],
)
def test_the_kernels_own_is_the_systems(row):
    assert process({"conversation": None, **row})[0] == "os"


@pytest.mark.parametrize(
    "row",
    [
        {"proto": "icmp6", "originator_port": 128},
        {"proto": "icmp", "originator_port": 8},
        {
            "proto": "udp",
            "originator_port": 68,
            "responder_port": 67,
            "responder_ip": "198.51.100.9",
        },
        {
            "proto": "udp",
            "originator_port": 5000,
            "responder_port": 67,
            "responder_ip": "255.255.255.255",
        },
        {
            "proto": "udp",
            "originator_port": 5353,
            "responder_port": 5353,
            "responder_ip": "224.0.0.251",
        },
    ],
)
def test_what_a_program_can_send_is_the_apps(row):
    assert process({"conversation": None, **row})[0] == "app"


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
