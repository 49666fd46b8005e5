"""``audit redact``: a copy in which nothing of the subject is left, that opens everywhere."""

import base64
import gzip
import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from audit.bundle.folder import open_bundle
from audit.bundle.identity import Identifier, make_identity
from audit.cli.redacting import check, redact_bundle
from audit.cli.redacting_flows import SECRET_HEADERS
from audit.errors import CaptureError, UsageError
from audit.identifiers.blanking import Blanker
from tests.conftest import ROOT, Demo, run_audit
from tests.report.test_handover import WHO, make_pcap

SAMPLE = ROOT / "captures" / "sample"


@pytest.fixture(scope="module")
def redacted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("redacted") / "sample"
    ran = run_audit("redact", SAMPLE, "-o", folder)
    assert ran.code == 0, ran.err
    assert "left out: identity.json, onion-keys.json" in ran.out
    return folder


def spellings(value: str) -> set[bytes]:
    data = value.encode()
    three = [base64.b64encode(b"\0" * n + data)[n and 4 : -4] for n in range(3)]
    return {data, data.lower(), data.upper(), data[::-1], data.hex().encode(), *three}


def test_no_value_is_left_in_any_file_however_one_looks(redacted: Path) -> None:
    """Looked for with plain comparisons, which share nothing with the search that blanked."""
    values = [item.value for item in open_bundle(SAMPLE).identity.identifiers]
    for path in redacted.rglob("*"):
        data = path.read_bytes()
        for value in values:
            for form in spellings(value):
                assert len(form) < 8 or form not in data, (path.name, value)
    assert not (redacted / "identity.json").exists()
    assert not (redacted / "onion-keys.json").exists()
    assert b"TRAFFIC_SECRET" not in (redacted / "packets.pcapng").read_bytes()


def test_it_says_what_it_is_and_no_promise_passes_on_it(redacted: Path, tmp_path: Path) -> None:
    bundle, whole = open_bundle(redacted), open_bundle(SAMPLE)
    assert bundle.manifest.redacted_from == whole.digest
    assert "cut out of this bundle" in " ".join(bundle.truncated)
    ran = run_audit(
        "run", redacted, "--out", tmp_path, "--as-of", "2026-11-24T12:00:00Z", "--exit-zero"
    )
    assert ran.code == 0, ran.err
    result = json.loads((tmp_path / "result.json").read_text())
    outcomes = {verdict["check"]: verdict["outcome"] for verdict in result["verdicts"]}
    assert "pass" not in outcomes.values()
    assert outcomes["session.app.user-agent-generic"] == "fail"
    assert "audit redact" in json.dumps(result["captures"][0]["truncated"])


def test_what_is_not_the_subjects_reads_as_before(redacted: Path) -> None:
    """Same requests to the same servers: a violation that names no value is still shown."""
    columns = ("method", "path", "host", "responder_ip", "user_agent", "body_len")
    tables = []
    for capture in (SAMPLE, redacted):
        ran = run_audit("tables", capture, "http_requests", "--format", "json")
        assert ran.code == 0, ran.err
        rows = [row for row in json.loads(ran.out) if row["layer"] == 0]
        tables.append(sorted(str([row[name] for name in columns]) for row in rows))
    assert tables[0] == tables[1]


def test_other_programs_open_it(redacted: Path) -> None:
    from mitmproxy.io import FlowReader

    with (redacted / "flows.mitm").open("rb") as file:
        flows = list(FlowReader(file).stream())
    with (SAMPLE / "flows.mitm").open("rb") as file:
        assert len(flows) == len(list(FlowReader(file).stream()))
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("tshark is not installed")
    fields = ["tcp.checksum.status", "udp.checksum.status", "ip.checksum.status"]
    options = [f"-o{name}.check_checksum:TRUE" for name in ("ip", "tcp", "udp")]
    done = subprocess.run(
        [tshark, "-r", redacted / "packets.pcapng", *options, "-Tfields", *(f"-e{name}" for name in fields)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    states = {word for line in done.stdout.splitlines() for word in line.split()}
    assert states == {"1"}  # good


def test_a_zip_is_the_same_and_equal_bundles_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        assert run_audit("redact", SAMPLE, "-o", tmp_path / name).code == 0
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        archive.extractall(tmp_path / "out")
    assert open_bundle(tmp_path / "out").manifest.redacted_from == open_bundle(SAMPLE).digest


def imported(folder: Path, *files: Path) -> Path:
    identity = folder / "who.json"
    identity.write_text(json.dumps({"schema": "audit/identity@1", "identifiers": WHO}))
    ran = run_audit("import", *files, "-o", folder / "in", "--identity", identity)
    assert ran.code == 0, ran.err
    return folder / "in"


def test_every_copy_of_a_segment_is_blanked(tmp_path: Path) -> None:
    bundle = imported(tmp_path, make_pcap(tmp_path / "leak.pcap"))
    assert run_audit("redact", bundle, "-o", tmp_path / "out").code == 0
    before = (bundle / "packets.pcapng").read_bytes()
    after = (tmp_path / "out" / "packets.pcapng").read_bytes()
    assert before.count(b"U0VSLTAwNDE4LVFYNzc=") == 2
    assert b"U0VSLTAwNDE4LVFYNzc" not in after
    assert b"marie" not in after
    assert b"Content-Type: application/json" in after


def test_the_same_headers_are_credentials_in_packets_as_in_flows(tmp_path: Path) -> None:
    lines = b"".join(name.title() + b": SECRETSECRET\r\n" for name in sorted(SECRET_HEADERS))
    bundle = imported(tmp_path, make_pcap(tmp_path / "leak.pcap", lines))
    assert run_audit("redact", bundle, "-o", tmp_path / "out").code == 0
    assert b"SECRETSECRET" in (bundle / "packets.pcapng").read_bytes()
    after = (tmp_path / "out" / "packets.pcapng").read_bytes()
    assert b"SECRETSECRET" not in after
    assert b"X-Csrf-Token: xxxxxxxxxxxx\r\n" in after


def test_an_archive_is_written_anew_with_packed_and_encoded_bodies(tmp_path: Path) -> None:
    mail = WHO[0]["value"]
    packed = gzip.compress(json.dumps({"mail": mail, "keep": "this"}).encode())
    asked = {
        "method": "POST", "url": f"https://tracker.example/in?m={base64.b64encode(mail.encode()).decode()}",
        "httpVersion": "HTTP/1.1", "queryString": [], "headersSize": -1, "bodySize": -1,
        "headers": [{"name": "Cookie", "value": "sid=SECRETSECRET; other=1"}, {"name": "Accept", "value": "a/b"}],
        "cookies": [{"name": "sid", "value": "SECRETSECRET", "httpOnly": True}],
        "postData": {"mimeType": "application/json", "text": base64.b64encode(packed).decode(), "encoding": "base64"},
    }  # fmt: skip
    answer = {
        "status": 204, "statusText": "No Content", "httpVersion": "HTTP/1.1", "headers": [],
        "cookies": [], "content": {"size": 0, "mimeType": ""}, "redirectURL": "", "headersSize": -1, "bodySize": 0,
    }  # fmt: skip
    entry = {
        "startedDateTime": "2026-01-01T00:00:00Z",
        "time": 1,
        "request": asked,
        "response": answer,
        "cache": {},
        "timings": {},
    }
    har = tmp_path / "leak.har"
    har.write_text(
        json.dumps(
            {
                "log": {
                    "version": "1.2",
                    "creator": {"name": "x", "version": "1"},
                    "entries": [entry],
                }
            }
        )
    )
    assert run_audit("redact", imported(tmp_path, har), "-o", tmp_path / "out").code == 0
    text = (tmp_path / "out" / "flows.har").read_text()
    assert "SECRETSECRET" not in text
    assert "tracker.example" in text
    assert "a/b" in text
    assert base64.b64encode(mail.encode()).decode() not in text


def test_what_is_not_known_is_refused_and_nothing_written(tmp_path: Path) -> None:
    bundle = open_bundle(SAMPLE)
    with pytest.raises(UsageError, match="nothing is known"):
        redact_bundle(bundle, make_identity([]), tmp_path / "out")
    (tmp_path / "there").mkdir()
    with pytest.raises(UsageError, match="something already"):
        redact_bundle(bundle, bundle.identity, tmp_path / "there")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_the_check_of_the_copy_finds_what_was_missed(redacted: Path, tmp_path: Path) -> None:
    """A copy with one value put back is not accepted."""
    subject = make_identity([Identifier("email", "marie.curie.1867@example.org")])
    copy = Path(shutil.copytree(redacted, tmp_path / "copy"))
    manifest = open_bundle(copy).manifest
    check(copy, manifest, Blanker(subject), subject)
    again = manifest.model_copy(update={"device": "marie.curie.1867@example.org"})
    again.write(copy)
    with pytest.raises(CaptureError, match="still in capture"):
        check(copy, again, Blanker(subject), subject)


@pytest.mark.system
@pytest.mark.parametrize("name", ["misbehaving-intercepted", "session-python-passive"])
def test_the_demos_recordings_are_redacted(demo: Demo, tmp_path: Path, name: str) -> None:
    """Leaks drawn at random in every container and form are cut out of flows and packets."""
    ran = run_audit("redact", demo.captures / name, "-o", tmp_path / "out")
    assert ran.code == 0, ran.err
    bundle = open_bundle(tmp_path / "out")
    who = demo.captures / name / "identity.json"
    again = run_audit("tables", tmp_path / "out", "identifier_hits", "--format", "json")
    assert json.loads(again.out) == []
    assert bundle.manifest.redacted_from
    values = [item["value"] for item in json.loads(who.read_text())["identifiers"]]
    for path in (tmp_path / "out").iterdir():
        data = path.read_bytes()
        assert not [v for v in values if len(v) > 7 and v.encode() in data], path.name


def test_a_copy_does_not_go_into_its_own_bundle(tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(SAMPLE, tmp_path / "sample"))
    for name in ("copy", "deep/copy.zip"):
        ran = run_audit("redact", bundle, "-o", bundle / name)
        assert ran.code == 2
        assert "does not go into the bundle" in ran.err
    assert open_bundle(bundle).digest == open_bundle(SAMPLE).digest
    assert not (bundle / "deep").exists()
