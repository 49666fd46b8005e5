"""A real mitmdump with the add-on: traffic on 127.0.0.1, and recordings replayed through it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from base64 import b64encode
from pathlib import Path

import pytest

from audit.bundle.identity import Identifier, make_identity
from audit.errors import SetupError
from audit.live.proxy import LiveProxy
from audit.readers.mitm import FlowOptions, read_flows
from tests.conftest import ROOT, run_audit
from tests.readers.live_proxy import echo_server

from .judging import judged_whole, make_judge

SAMPLE = ROOT / "captures" / "sample"
MAIL = "probe.person@mail.example"
LIMIT_S = 60


def ask(
    proxy_port: int, server_port: int, path: str, secret: str | None = None, **headers: str
) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", proxy_port, timeout=LIMIT_S)
    if secret is not None:
        headers["Proxy-Authorization"] = "Basic " + b64encode(f"audit:{secret}".encode()).decode()
    connection.request("POST", f"http://127.0.0.1:{server_port}{path}", b'{"a":1}', headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


@pytest.fixture
def subject():
    return make_identity([Identifier(kind="email", value=MAIL, canary=True)])


def test_traffic_is_judged_as_it_flows_and_again_when_it_is_whole(tmp_path, subject):
    judge = make_judge(subject, None, "session")
    path = tmp_path / "flows.mitm"
    with echo_server() as server, LiveProxy(secret="opensesame") as proxy:
        proxy.wait_ready()
        assert ask(proxy.port, server, "/stranger?mail=" + MAIL) == 407
        statuses = [
            ask(
                proxy.port,
                server,
                f"/{number}?who={who}",
                "opensesame",
                **{"User-Agent": "WhatsApp"},
            )
            for number, who in enumerate(["nobody", MAIL, MAIL.encode().hex(), "nobody"])
        ]
        assert statuses == [200] * 4
        found = []
        with path.open("wb") as file:
            for batch in proxy.batches():
                file.write(b"".join(batch))
                found += judge.judge(batch)
                if judge.flows >= 4:
                    proxy.stop()
    assert judge.flows == 4
    assert proxy.lost == 0
    assert judge.counts == judged_whole(judge, path)
    assert {"plain", "hex"} == {
        finding.message.split(" as ")[-1]
        for finding in found
        if "email" in finding.message and "identity-beside" in finding.check
    }
    assert MAIL not in "".join(finding.message for finding in found)


def test_what_the_add_on_hands_over_reads_as_the_dump_does(tmp_path):
    with LiveProxy(replay=SAMPLE / "flows.mitm") as proxy:
        records = [record for batch in proxy.batches() for record in batch]
    path = tmp_path / "flows.mitm"
    path.write_bytes(b"".join(records))
    live = read_flows(path, FlowOptions(capture="x"))
    dump = read_flows(SAMPLE / "flows.mitm", FlowOptions(capture="x"))
    assert live.rows == dump.rows
    assert [(p.table, p.row, p.location, p.data) for p in live.payloads] == [
        (p.table, p.row, p.location, p.data) for p in dump.payloads
    ]
    assert live.truncated == dump.truncated == []


def test_a_recording_is_replayed_by_the_command(tmp_path):
    ran = run_audit(
        "live", "--read", SAMPLE / "flows.mitm", "--identity", SAMPLE / "identity.json", "--json",
        "--policy", "session", "--write", tmp_path / "kept.mitm",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert lines[-1]["flows"] == 18
    assert lines[-1]["lost"] == 0
    checks = {line["check"] for line in lines[:-1]}
    assert "session.app.user-agent-generic" in checks
    assert (tmp_path / "kept.mitm").stat().st_size > 0


def test_the_command_ends_in_order_when_it_is_told_to(tmp_path):
    command = [sys.executable, "-m", "audit.cli.main", "live", "--json", "--policy", "session"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        watchdog = threading.Timer(LIMIT_S, process.kill)
        watchdog.start()
        try:
            port = json.loads(process.stdout.readline())["ready"]
            authority = Path(json.loads(process.stdout.readline())["authority"])
            assert port > 0
            process.send_signal(signal.SIGINT)
            rest = process.stdout.read()
        finally:
            watchdog.cancel()
    assert process.returncode == 0
    assert json.loads(rest.splitlines()[-1])["flows"] == 0
    assert not authority.parent.exists()


def test_a_wrong_call_is_told():
    assert run_audit("live", "--listen", "nowhere").code == 2
    assert run_audit("live", "--read", "nothing.mitm").code == 2


def test_a_proxy_that_cannot_listen_is_told():
    with LiveProxy() as first:
        first.wait_ready()
        with (
            LiveProxy(port=first.port) as second,
            pytest.raises(SetupError, match="does not listen"),
        ):
            second.wait_ready()
