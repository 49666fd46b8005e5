import json
import os
import shutil
import stat
import subprocess

import pytest

from audit.bundle.folder import open_bundle
from audit.record.recorder import record
from audit.sandbox.network import has_ipv6
from tests.record import recordings
from tests.record.recordings import make_plan, script
from tests.record.stand_in import ONION_KEY, SERVER_V6

pytestmark = pytest.mark.system


def test_the_passive_pass_keeps_packets_with_their_secrets(tmp_path, netns):
    folder = tmp_path / "b"
    report = record(make_plan(folder, vantage=netns))
    bundle = open_bundle(folder)
    assert bundle.truncated == ()
    assert not (folder / "flows.mitm").exists()
    seen = b"".join(recordings.frames(folder / "packets.pcapng"))
    assert report.packets == len(recordings.frames(folder / "packets.pcapng")) > 0
    assert bundle.manifest.drops["packets"].dropped == 0
    assert b"GET /plain HTTP/1.1" in seen
    assert b"GET /secret" not in seen
    for token in recordings.tokens(folder)["http"]:
        assert f"GET /{token}".encode() in seen
    labels = {
        line.split()[0] for line in recordings.key_log(folder / "packets.pcapng").splitlines()
    }
    assert b"CLIENT_TRAFFIC_SECRET_0" in labels


@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
@pytest.mark.parametrize("pass_", ["passive", "intercepted"])
def test_wireshark_reads_every_request_from_the_packets_alone(tmp_path, netns, pass_):
    folder = tmp_path / "b"
    record(make_plan(folder, vantage=netns, pass_=pass_))
    run = subprocess.run(
        ["tshark", "-r", folder / "packets.pcapng", "-Y", "http.request", "-T", "fields", "-e", "http.request.uri"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    controls = [f"/{token}" for found in recordings.tokens(folder).values() for token in found]
    assert sorted(run.stdout.split()) == sorted(["/plain", "/secret", "/bare", *controls])


def test_the_intercepted_pass_keeps_every_exchange_twice(tmp_path, netns):
    folder = tmp_path / "b"
    record(make_plan(folder, vantage=netns, pass_="intercepted"))
    bundle = open_bundle(folder)
    paths = [flow.request.path for flow in recordings.flows(folder / "flows.mitm")]
    controls = [f"/{token}" for found in recordings.tokens(folder).values() for token in found]
    assert sorted(paths) == sorted(["/plain", "/secret", "/bare", *controls])
    outcomes = {
        (line["sni"], line["outcome"]) for line in recordings.json_lines(folder / "tls.jsonl")
    }
    assert outcomes == {("shop.example", "decrypted"), (None, "decrypted")}
    clients = {
        flow.client_conn.peername[0].removeprefix("::ffff:")
        for flow in recordings.flows(folder / "flows.mitm")
    }
    assert clients == {bundle.manifest.network.client[0]}
    assert b"GET /plain" in b"".join(recordings.frames(folder / "packets.pcapng"))


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here")
def test_ipv6_is_intercepted_like_ipv4(tmp_path, netns):
    folder = tmp_path / "b"
    urls = [f"http://[{SERVER_V6}]/six", f"https://[{SERVER_V6}]/six-too"]
    record(
        make_plan(
            folder, vantage=netns, pass_="intercepted", client_command=recordings.fetch(*urls)
        )
    )
    found = {
        f.request.path: f.client_conn.peername[0] for f in recordings.flows(folder / "flows.mitm")
    }
    client = open_bundle(folder).manifest.network.client[1]
    assert found["/six"] == found["/six-too"] == client
    server = {line["server"] for line in recordings.json_lines(folder / "tls.jsonl")}
    assert f"[{SERVER_V6}]:443" in server


def test_the_proxy_rung_needs_no_namespace_and_keeps_no_secret_of_its_own(tmp_path):
    folder = tmp_path / "b"
    report = record(make_plan(folder, vantage="proxy", pass_="intercepted"))
    bundle = open_bundle(folder)
    assert report.vantage == bundle.manifest.vantage == "proxy"
    assert report.packets == 0
    assert not (folder / "packets.pcapng").exists()
    paths = {flow.request.path for flow in recordings.flows(folder / "flows.mitm")}
    assert {"/plain", "/secret", "/bare"} < paths
    assert b"roxyauth" not in (folder / "flows.mitm").read_bytes()
    assert b"roxy-Auth" not in (folder / "flows.mitm").read_bytes()


def test_the_passive_pass_on_the_proxy_rung_opens_the_control_alone(tmp_path):
    folder = tmp_path / "b"
    record(make_plan(folder, vantage="proxy"))
    paths = {flow.request.path for flow in recordings.flows(folder / "flows.mitm")}
    controls = {f"/{token}" for found in recordings.tokens(folder).values() for token in found}
    assert paths == {"/plain", *controls}
    passed = [
        line
        for line in recordings.json_lines(folder / "tls.jsonl")
        if line["outcome"] == "passed-through"
    ]
    assert {line["server"] for line in passed} == {"shop.example:443", "203.0.113.5:443"}


@pytest.mark.parametrize("pass_", ["passive", "intercepted"])
def test_every_tap_shows_every_control_at_start_and_end(tmp_path, vantage, pass_):
    folder = tmp_path / "b"
    record(make_plan(folder, vantage=vantage, pass_=pass_, client_command=script("pass")))
    found = recordings.tokens(folder)
    assert [len(tokens) for tokens in found.values()] == [2, 2]
    assert all(len(token) == 32 for tokens in found.values() for token in tokens)
    if (folder / "flows.mitm").exists():
        paths = {flow.request.path for flow in recordings.flows(folder / "flows.mitm")}
        assert {f"/{token}" for tokens in found.values() for token in tokens} == paths


def test_the_manifest_says_who_is_who(tmp_path, netns):
    folder = tmp_path / "b"
    record(make_plan(folder, vantage=netns, device="d", install="i"))
    manifest = open_bundle(folder).manifest
    assert len(manifest.network.client) in {1, 2}
    assert manifest.network.echo == manifest.network.gateway[0]
    assert manifest.network.resolvers == ("198.51.100.53",)
    assert "eth0" in manifest.network.interfaces
    assert (manifest.device, manifest.install, manifest.client.exit_code) == ("d", "i", 0)
    assert manifest.client.command[0].startswith("python")
    assert [rung.name for rung in manifest.ladder] == ["netns"]
    assert manifest.started_at < manifest.ended_at


def test_secret_files_are_for_their_owner_alone(tmp_path, vantage):
    folder = tmp_path / "b"
    record(make_plan(folder, vantage=vantage, client_command=script("pass")))
    for name in ("identity.json", "onion-keys.json"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    keys = json.loads((folder / "onion-keys.json").read_text())
    assert keys == {"schema": "audit/onion-keys@1", "keys": [ONION_KEY]}


def test_nothing_is_left_in_the_folder_for_temporary_files(tmp_path, vantage, monkeypatch):
    import tempfile

    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    record(
        make_plan(
            tmp_path / "b", vantage=vantage, pass_="intercepted", client_command=script("pass")
        )
    )
    assert not any((tmp_path / "tmp").iterdir())


def test_no_descriptor_stays_open(tmp_path, vantage):
    plan = make_plan(tmp_path / "one", vantage=vantage, client_command=script("pass"))
    record(plan)
    before = os.listdir("/proc/self/fd")  # noqa: PTH208 - names alone
    record(make_plan(tmp_path / "two", vantage=vantage, client_command=script("pass")))
    assert len(os.listdir("/proc/self/fd")) == len(before)  # noqa: PTH208


def test_two_recordings_share_no_identity(tmp_path, netns):
    values = []
    for name in ("one", "two"):
        record(make_plan(tmp_path / name, vantage=netns, client_command=script("pass")))
        values.append(
            {(item.kind, item.value) for item in open_bundle(tmp_path / name).identity.identifiers}
        )
    shared = {kind for kind, _ in values[0] & values[1]}
    assert shared <= {"locale", "time_zone", "device_model"}  # drawn from short lists


def test_a_client_that_refuses_the_certificate_is_noted_and_let_through_next_time(tmp_path, netns):
    """The client verifies and trusts nobody: the first attempt fails, the second is not opened."""
    code = (
        "import socket, ssl, sys\n"
        "for verify in (ssl.CERT_REQUIRED, ssl.CERT_NONE):\n"
        "    context = ssl.create_default_context(); context.check_hostname = False; context.verify_mode = verify\n"
        "    try:\n"
        "        with context.wrap_socket(socket.create_connection(('203.0.113.5', 443), 5)) as s:\n"
        "            s.sendall(b'GET /pinned HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n'); s.recv(99)\n"
        "    except ssl.SSLError: pass\n"
    )
    folder = tmp_path / "b"
    record(make_plan(folder, vantage=netns, pass_="intercepted", client_command=script(code)))
    lines = [
        line
        for line in recordings.json_lines(folder / "tls.jsonl")
        if line["server"] == "203.0.113.5:443"
    ]
    assert [line["outcome"] for line in lines] == ["refused-by-client", "passed-through"]
    assert lines[0]["reason"]
    assert "/pinned" not in {flow.request.path for flow in recordings.flows(folder / "flows.mitm")}
