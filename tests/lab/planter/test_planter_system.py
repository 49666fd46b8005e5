"""The planter in a namespace beside the lab: all of it arrives, raw protocols too."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.policies.conftest import ROOT, namespaces_refused

pytestmark = pytest.mark.system
COUNT = 40


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict], list[dict]]:
    """Return what was planted and what the stand-ins learned."""
    if namespaces_refused():
        pytest.skip("this machine refuses network namespaces")
    folder: Path = tmp_path_factory.mktemp("planted")
    out = folder / "planted.json"
    planter = [sys.executable, "-m", "audit.lab.planter", "--out", out, "--count", str(COUNT)]
    script = ROOT / "tests/lab/two_namespaces.py"
    done = subprocess.run(
        [sys.executable, script, folder, "--", *planter, "--echo", "198.51.100.31:80"],
        cwd=ROOT,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    assert json.loads(done.stdout)["codes"] == [0], done.stderr.decode()[-3000:]
    lines = (folder / "learned.jsonl").read_text().splitlines()
    planted = json.loads(out.read_text())
    acts = json.loads((folder / "planted-acts.json").read_text())
    return [*planted, *acts], [json.loads(line) for line in lines]


def test_every_leak_is_sent_and_one_goes_to_the_echo(run) -> None:
    planted, _ = run
    leaks = [item for item in planted if item.get("kind")]
    assert len(leaks) == COUNT + 1
    assert all(item["sent"] for item in leaks)
    assert [
        item["place"] in {"query", "header", "path"}
        for item in leaks
        if item.get("recipient") == "198.51.100.31"
    ] == [True]


def test_trackers_and_resolver_got_each_by_its_way(run) -> None:
    planted, learned = run
    ways = {"tcp": "stream", "udp": "datagram", "websocket": "message"}
    for place in {item["place"] for item in planted if item.get("kind")}:
        sent = [item for item in planted if item.get("kind") and item["place"] == place]
        if place in ways:
            events = [
                row
                for row in learned
                if row["standin"] == "tracker" and row["event"] == ways[place]
            ]
            assert len(events) == len(sent), place
        elif place == "dns":
            names = [
                row["host"]
                for row in learned
                if row["standin"] == "dns" and row["inner"]["qtype"] == 1
            ]
            labels = {
                name
                for name in names
                if name.endswith(".ads.example") and name != "beacon.ads.example"
            }
            assert len(labels) <= len(sent)
            assert labels


def test_the_client_s_own_address_is_what_the_lab_sees(run) -> None:
    _, learned = run
    peers = {row["peer"].rpartition(":")[0] for row in learned if row["standin"] == "tracker"}
    assert peers == {"198.18.77.200"}


def test_a_name_is_looked_up_and_never_contacted_and_stun_is_spoken(run) -> None:
    planted, learned = run
    assert [item["act"] for item in planted[-2:]] == ["lookup", "stun"]
    assert all(item["answered"] for item in planted[-2:])
    assert any(row["host"] == "beacon.ads.example" for row in learned if row["event"] == "query")
    assert not any(row["host"].startswith("beacon") for row in learned if row["event"] != "query")
    (asked,) = [row for row in learned if row["standin"] == "stun"]
    assert asked["saw"] == {"mapped_address": "198.18.77.200"}
