import pytest

from audit.evidence.processes import Attribution, attribute, is_others, take_back
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
    take_back({"conversations": [row, other]}, hits, Attribution(rest=("app", "netns")))
    assert (row["process"], other["process"]) == (process, "os")
    assert {found["process"] for found in hits} <= {process}


@pytest.mark.parametrize(
    ("kind", "location", "process"),
    [
        ("serial", "path", "app"),
        ("host_name", "path", "app"),
        ("serial", "header x", "app"),
        ("address", "header host", "control"),
    ],
)
def test_a_control_that_holds_a_value_of_the_subject_is_none(kind, location, process):
    row = {"conversation": "tcp a", "process": "control"}
    found = {"kind": kind, "location": location} | row
    take_back({"http_requests": [row]}, [found], Attribution(rest=("app", "declared")))
    assert row["process"] == found["process"] == process


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


def programs_of(*rows: dict, programs=frozenset(), **changed) -> tuple[list[tuple], list[str]]:
    """Return process and basis of conversations of an import, and what is said of them."""
    tables = {
        "conversations": [
            {"proto": "tcp", "conversation": str(n)} | row for n, row in enumerate(rows)
        ]
    }
    found = attribute(
        tables, manifest(vantage="import", **changed), frozenset(), programs=frozenset(programs)
    )
    return [(row["process"], row["process_basis"]) for row in tables["conversations"]], found.limits


APP = {"process_name": "org.example.app", "uid": 10_123}
OTHER = {"process_name": "org.example.other", "uid": 10_124}
NETD = {"process_name": "netd", "uid": 1051}


def test_rows_of_the_targets_package_are_the_apps_and_others_are_not():
    rows, limits = programs_of(APP, OTHER, NETD, {}, programs={"org.example.app"})
    assert rows == [("app", "package"), ("unknown", "package"), ("os", "uid"), ("unknown", None)]
    assert "1 conversations are of other programs: they were not judged" in limits


def test_a_capture_of_one_program_is_that_programs():
    rows, limits = programs_of(APP, NETD, {})
    assert rows == [("app", "declared"), ("os", "uid"), ("app", "declared")]
    assert not limits


def test_several_programs_and_a_target_that_names_none_are_nobodys():
    rows, (limit,) = programs_of(APP, OTHER, {})
    assert rows == [("unknown", None)] * 3
    assert "org.example.app, org.example.other" in limit
    assert "app: {package: …}" in limit


def test_an_app_that_the_capture_does_not_hold_is_said():
    rows, limits = programs_of(OTHER, {}, programs={"org.example.app"})
    assert rows == [("unknown", "package"), ("unknown", None)]
    assert any("none of them is the app (org.example.app)" in limit for limit in limits)


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({"process_name": "org.example.app:push", "uid": 10_123}, "org.example.app"),
        (
            {"process_name": "org.example.app.Share", "process_basis": "bundle-id"},
            "org.example.app",
        ),
        ({"process_name": "A name that is too ", "uid": 10_123}, "A name that is too long"),
        ({"process_name": "a-very-long-name"}, "a-very-long-name-of-a-program"),
    ],
)
def test_the_app_has_more_than_one_name(row, name):
    assert programs_of(row, programs={name})[0][0][0] == "app"


@pytest.mark.parametrize("name", ["org.example.app2", "org.example", "org.example.app.web"])
def test_a_package_that_only_begins_alike_is_another(name):
    rows, _ = programs_of({"process_name": name, "uid": 10_125}, APP, programs={"org.example.app"})
    assert rows[0] == ("unknown", "package")


@pytest.mark.parametrize(
    ("uid", "process"),
    [
        (0, "os"),
        (1001, "os"),
        (1051, "os"),
        (9999, "os"),
        (1_010_123, "unknown"),
        (1_001_000, "os"),
    ],
)
def test_user_ids_below_those_of_apps_are_the_systems(uid, process):
    rows, _ = programs_of({"process_name": None, "uid": uid}, APP, programs={"org.example.app"})
    assert rows[0][0] == process


def test_what_a_person_browses_in_the_app_is_a_browsers():
    row = {"process": "browser", "process_name": "org.example.app", "process_basis": "bundle-id"}
    assert programs_of(row, programs={"org.example.app"})[0] == [("browser", "bundle-id")]


def test_mixed_without_names_knows_nobody():
    assert programs_of({}, mixed=True)[0] == [("unknown", None)]
    assert programs_of(APP, {}, mixed=True, programs={"org.example.app"})[0] == [
        ("app", "package"),
        ("unknown", None),
    ]


def test_the_proxys_own_connections_are_not_judged_again():
    row = {"conversation": "onward", "proto": "tcp"}
    found = attribute(
        {"conversations": [row]},
        manifest(vantage="import"),
        frozenset(),
        onward=frozenset({"onward"}),
    )
    assert is_others(row)
    assert "recording proxy's own" in found.limits[0]
