"""The whole job on real clients, held against what the stand-in servers really learned."""

import base64
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from audit.bundle.folder import open_bundle
from audit.bundle.identity import Identity
from audit.identifiers.detector import Detector
from audit.tables.extract import Payload
from audit.tables.reference import Reference
from tests.conftest import Demo, run_audit

pytestmark = [pytest.mark.system]

CLIENTS = ("session-python", "sessionpy-messenger")
PASSES = ("passive", "intercepted")
CAPTURES = [f"{client}-{pass_}" for client in CLIENTS for pass_ in PASSES]
EXPECTED = {
    "session-python": {
        "app.identity": "fail",
        "app.contacts": "fail",
        "app.contents": "pass",
        "app.no-collection": "pass",
        "app.device-identifiers": "pass",
        "app.account": "pass",
        "app.anonymous-use": "fail",
        "app.no-tracking-storage": "not_observable",
        "app.private-by-default": "not_observable",
        "seed.list-only": "pass",
        "seed.address-not-recorded": "not_observable",
        "seed.vpn": "inconclusive",
        "seed.blind": "pass",
    },
    "sessionpy-messenger": {
        "app.identity": "pass",
        "app.contacts": "pass",
        "app.contents": "pass",
        "app.no-collection": "pass",
        "app.device-identifiers": "fail",
        "app.account": "pass",
        "app.anonymous-use": "inconclusive",
        "app.no-tracking-storage": "not_observable",
        "app.private-by-default": "not_observable",
        "seed.list-only": "pass",
        "seed.address-not-recorded": "not_observable",
        "seed.vpn": "inconclusive",
        "seed.blind": "pass",
    },
}
"""What the stand-ins' logs say of the two published clients; the other tests here prove it.

What a client keeps on disk, what its defaults are and what servers record was not seen; no tunnel
was up, and nobody left the client idle or started it again. Every other sentence is about phones or the website: not applicable to a library.
"""


def result_of(demo: Demo, name: str) -> dict:
    return json.loads((demo.reports / name / "result.json").read_text())


def outcomes(result: dict) -> dict[str, str | None]:
    return {clause["id"]: clause["outcome"] for clause in result["clauses"]}


def learned(demo: Demo, capture: str) -> list[dict]:
    path = demo.captures / "lab" / capture / "learned.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def rows(demo: Demo, capture: str, table: str) -> list[dict]:
    ran = run_audit("tables", demo.captures / capture, table, "--format", "json")
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def standin_name(row: dict) -> str:
    """The lab's name for the server that a row went to."""
    host, address = row["host"] or "", row["responder_ip"] or ""
    if match := re.fullmatch(r"(seed\d)\.getsession\.org", host):
        return match[1]
    if host == "filev2.getsession.org":
        return "file"
    return f"node{int(address.rsplit('.', 1)[1]) - 10}"


def seen_client(demo: Demo, capture: str) -> str:
    """The address that the servers saw of the client: its own, or the recording proxy's."""
    network = open_bundle(demo.captures / capture).manifest.network
    if capture.endswith("passive"):
        return network.client[0]
    others = {
        event["peer"].rsplit(":", 1)[0]
        for event in learned(demo, capture)
        if event["event"] == "request" and event["layer"] == 0
    }
    proxies = [address for address in others if address.startswith("198.1")]
    assert len(proxies) == 1, others
    return proxies[0]


@pytest.mark.parametrize("client", CLIENTS)
def test_verdicts_are_those_of_the_servers_logs(demo: Demo, client: str) -> None:
    result = result_of(demo, client)
    found = {key: value for key, value in outcomes(result).items() if value != "not_applicable"}
    why = [
        (v["check"], v["reasons"], [f["message"] for f in v["findings"]])
        for v in result["verdicts"]
    ]
    assert found == EXPECTED[client], why


def test_every_clause_of_the_policy_has_an_outcome_in_the_report(demo: Demo) -> None:
    found = outcomes(result_of(demo, CLIENTS[0]))
    assert len(found) == 26
    assert None not in found.values()


@pytest.mark.parametrize("capture", CAPTURES)
def test_requests_are_those_that_the_servers_logged(demo: Demo, capture: str) -> None:
    address = seen_client(demo, capture)
    logged = Counter(
        (event["standin"], event["method"], event["path"], event["query"], event["body_len"])
        for event in learned(demo, capture)
        if event["event"] == "request" and event["peer"].rsplit(":", 1)[0] == address
    )
    read = Counter(
        (standin_name(row), row["method"], row["path"], row["query"], row["body_len"])
        for row in rows(demo, capture, "http_requests")
        if row["layer"] == 0 and row["process"] == "app"
    )
    assert read == logged


@pytest.mark.parametrize("capture", [name for name in CAPTURES if name.startswith("sessionpy")])
def test_onion_layers_are_those_that_the_nodes_opened(demo: Demo, capture: str) -> None:
    address = seen_client(demo, capture)
    events = [event for event in learned(demo, capture) if event["event"] == "opened"]
    first = Counter(
        e["standin"] for e in events if e["layer"] == 1 and e["peer"].rsplit(":", 1)[0] == address
    )
    inner = [row for row in rows(demo, capture, "http_requests") if row["layer"] >= 1]
    assert Counter(standin_name(row) for row in inner if row["layer"] == 1) == first
    for layer in (2, 3):
        logged = Counter(e["standin"] for e in events if e["layer"] == layer)
        read = Counter(standin_name(row) for row in inner if row["layer"] == layer)
        assert read <= logged
        assert read.total() == first.total()
    seen_as = {(row["layer"], row["seen_as"]) for row in inner}
    assert seen_as == {(1, "client"), (2, "onion"), (3, "onion")}


@pytest.mark.parametrize("capture", CAPTURES)
def test_who_learned_an_account_beside_the_address_is_what_the_bodies_say(
    demo: Demo, capture: str
) -> None:
    address = seen_client(demo, capture)
    identity = open_bundle(demo.captures / capture).identity
    values = {
        item.kind: item.value
        for item in identity.identifiers
        if item.kind in {"account_id", "contact_id"}
    }
    logged = {
        (kind, event["standin"])
        for event in learned(demo, capture)
        if event["event"] == "request" and event["peer"].rsplit(":", 1)[0] == address
        for kind, value in values.items()
        if value.encode() in base64.b64decode(event["body_base64"])
    }
    read = {
        (row["kind"], standin_name(row))
        for row in rows(demo, capture, "identifier_hits")
        if row["seen_as"] == "client" and row["direction"] == "sent" and row["kind"] in values
    }
    assert read == logged
    assert bool(read) == capture.startswith("session-python")


@pytest.mark.parametrize("capture", CAPTURES)
def test_user_agents_are_those_that_the_servers_saw(demo: Demo, capture: str) -> None:
    address = seen_client(demo, capture)
    logged = {
        {name.lower(): value for name, value in event["headers"]}.get("user-agent")
        for event in learned(demo, capture)
        if event["event"] == "request" and event["peer"].rsplit(":", 1)[0] == address
    }
    read = {
        row["user_agent"]
        for row in rows(demo, capture, "http_requests")
        if row["layer"] == 0 and row["process"] == "app"
    }
    assert read == logged


def test_every_planted_leak_is_found_with_kind_form_and_recipient(demo: Demo) -> None:
    planted = json.loads((demo.captures / "planted.json").read_text())
    findings = [
        finding
        for verdict in result_of(demo, "misbehaving")["verdicts"]
        for finding in verdict["findings"]
    ]

    def is_told(leak: dict) -> bool:
        """By the address itself, also where the finding names the server's role for it."""
        return any(
            finding["columns"].get("kind") == leak["kind"]
            and finding["columns"].get("form") == leak["form"]
            and leak["recipient"]
            in {finding["columns"].get("recipient"), *finding["message"].replace(",", " ").split()}
            for finding in findings
        )

    assert len(planted) >= 10
    missed = [leak for leak in planted if not is_told(leak)]
    assert not missed


def test_the_leak_to_the_control_echo_is_the_apps(demo: Demo) -> None:
    echo = open_bundle(demo.captures / "misbehaving-intercepted").manifest.network.echo
    assert any(
        leak["recipient"] == echo
        for leak in json.loads((demo.captures / "planted.json").read_text())
    )


def test_lookup_and_stun_of_the_misbehaving_recording_are_reported(demo: Demo) -> None:
    acts = json.loads((demo.captures / "planted-acts.json").read_text())
    result = (demo.reports / "misbehaving" / "result.json").read_text()
    for act in acts:
        assert act["name"] in result


def test_the_reports_open_to_flow_packets_and_bytes(demo: Demo) -> None:
    for name in (*CLIENTS, "misbehaving"):
        for verdict in result_of(demo, name)["verdicts"]:
            for finding in verdict["findings"]:
                assert finding["evidence"], finding
                for evidence in finding["evidence"]:
                    assert evidence["file"] in {"flows.mitm", "packets.pcapng"}
                    assert evidence["record"]


def test_the_same_bundle_gives_the_same_bytes(demo: Demo, tmp_path: Path) -> None:
    bundles = [demo.captures / f"sessionpy-messenger-{pass_}" for pass_ in PASSES]
    for out, order in (("a", bundles), ("b", bundles[::-1])):
        run_audit(
            "run",
            *order,
            "--as-of",
            "2026-11-24T00:00:00Z",
            "--out",
            tmp_path / out,
            PYTHONHASHSEED="1" if out == "a" else "2",
        )
    assert (tmp_path / "a/result.json").read_bytes() == (tmp_path / "b/result.json").read_bytes()
    assert (tmp_path / "a/index.html").read_bytes() == (tmp_path / "b/index.html").read_bytes()


def test_two_recordings_of_one_client_give_the_same_fingerprints(
    demo: Demo, tmp_path: Path
) -> None:
    def fingerprints(result: dict) -> set[str]:
        return {f["fingerprint"] for v in result["verdicts"] for f in v["findings"]}

    for client in CLIENTS:
        again = run_audit("record", "--target", client, "--lab", "--out", tmp_path / client)
        assert again.code == 0, again.err
        bundles = sorted((tmp_path / client).iterdir())
        assert len(bundles) == 2
        run_audit("run", *bundles, "--out", tmp_path / f"{client}-report")
        second = json.loads((tmp_path / f"{client}-report/result.json").read_text())
        first = fingerprints(result_of(demo, client))
        assert first
        assert fingerprints(second) == first


def scan_text(detector: Detector, data: bytes) -> list[str]:
    payload = Payload(
        table="http_requests",
        row=0,
        location="body",
        detail="",
        direction="sent",
        data=data,
        ref=Reference(file="x"),
    )
    return [hit.kind for hit in detector.scan(payload).hits]


@pytest.mark.parametrize("name", [*CLIENTS, "misbehaving"])
def test_no_report_holds_a_value_of_the_subject(demo: Demo, name: str) -> None:
    bundles = [
        path
        for path in demo.captures.iterdir()
        if path.name.startswith(f"{name}-") and path.is_dir()
    ]
    assert bundles
    for bundle in bundles:
        opened = open_bundle(bundle)
        secrets = Identity(
            tuple(i for i in opened.identity.identifiers if i.kind not in {"locale", "time_zone"})
        )
        tokens = [line.control["token"] for line in opened.journal if line.control]
        for file in (demo.reports / name).iterdir():
            data = file.read_bytes()
            assert not scan_text(Detector(secrets), data), file
            assert not [token for token in tokens if token.encode() in data]


def test_nothing_is_left_running(demo: Demo) -> None:
    del demo
    found = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(Path(sys.executable)) + " -m audit.lab" not in found or "pytest" in found
