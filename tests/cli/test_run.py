"""``audit run`` on evidence that was broken, cut or forged: one sentence, the designed exit code, no pass."""

import json
import random
from pathlib import Path

import pytest

from audit.bundle.folder import digest_file, files_in
from audit.bundle.manifest import read_manifest
from tests.conftest import run_audit

pytestmark = [pytest.mark.system]


def judged(bundle: Path, out: Path, *more: object) -> tuple[int, dict[str, str | None]]:
    ran = run_audit("run", bundle, "--out", out, *more)
    assert ran.code in {0, 1, 4, 5}, ran.err
    result = json.loads((out / "result.json").read_text())
    return ran.code, {verdict["check"]: verdict["outcome"] for verdict in result["verdicts"]}


def sealed_again(bundle: Path) -> None:
    """Give a changed bundle a manifest that fits: the forger's own."""
    manifest = read_manifest(bundle)
    files = {name: digest_file(bundle / name) for name in files_in(bundle)}
    manifest.model_copy(update={"files": files}).write(bundle)


@pytest.mark.parametrize("file", ["packets.pcapng", "flows.mitm", "journal.jsonl", "identity.json"])
def test_one_changed_byte_is_no_evidence(bundle_copy, tmp_path: Path, file: str) -> None:
    bundle = bundle_copy("sessionpy-messenger-intercepted")
    data = bytearray((bundle / file).read_bytes())
    data[random.Random(file).randrange(len(data))] ^= 0x20
    (bundle / file).write_bytes(data)
    ran = run_audit("run", bundle, "--out", tmp_path / "out")
    assert ran.code == 3
    assert f"{file} was changed after the recording" in ran.err
    assert not (tmp_path / "out").exists()
    assert run_audit("verify", bundle).code == 3


def test_a_recording_that_did_not_finish_proves_nothing(bundle_copy, tmp_path: Path) -> None:
    bundle = bundle_copy("sessionpy-messenger-passive")
    read_manifest(bundle).model_copy(update={"status": "recording", "files": {}}).write(bundle)
    code, outcomes = judged(bundle, tmp_path / "out")
    assert "pass" not in outcomes.values()
    assert code in {1, 4}


def test_packets_cut_in_the_middle_are_read_so_far_and_prove_nothing(
    bundle_copy, tmp_path: Path
) -> None:
    bundle = bundle_copy("session-python-passive")
    packets = bundle / "packets.pcapng"
    packets.write_bytes(packets.read_bytes()[:-15000])
    sealed_again(bundle)
    _, outcomes = judged(bundle, tmp_path / "out")
    assert outcomes["session.app.identity-beside-address"] == "fail"
    assert "pass" not in outcomes.values()


@pytest.mark.parametrize("lost", ["packets.pcapng", "journal.jsonl", "identity.json"])
def test_without_a_part_nothing_passes_that_needs_it(
    bundle_copy, tmp_path: Path, lost: str
) -> None:
    bundle = bundle_copy("sessionpy-messenger-passive")
    (bundle / lost).unlink()
    sealed_again(bundle)
    _, outcomes = judged(bundle, tmp_path / "out")
    passed = {check for check, outcome in outcomes.items() if outcome == "pass"}
    if lost == "identity.json":
        assert not {
            check
            for check in passed
            if "identi" in check or "content" in check or check.endswith("contacts-beside-address")
        }
    else:
        assert not passed


def test_without_node_keys_the_inside_of_the_onion_is_not_observable(
    bundle_copy, tmp_path: Path
) -> None:
    bundle = bundle_copy("sessionpy-messenger-passive")
    (bundle / "onion-keys.json").unlink()
    sealed_again(bundle)
    _, outcomes = judged(bundle, tmp_path / "out")
    inside = {check: outcome for check, outcome in outcomes.items() if check.endswith("in-onion")}
    assert set(inside.values()) == {"not_observable"}


def test_a_forged_journal_beside_a_capture_without_controls_passes_nothing(
    bundle_copy, tmp_path: Path
) -> None:
    real = bundle_copy("sessionpy-messenger-passive")
    lines = [json.loads(line) for line in (real / "journal.jsonl").read_text().splitlines()]
    forged = tmp_path / "journal.jsonl"
    forged.write_text("".join(json.dumps(line) + "\n" for line in lines if line["control"] is None))
    made = run_audit(
        "import", real / "packets.pcapng", "-o", tmp_path / "forged", "--journal", forged,
        "--identity", real / "identity.json", "--target", "sessionpy-messenger",
    )  # fmt: skip
    assert made.code == 0, made.err
    _, outcomes = judged(tmp_path / "forged", tmp_path / "out")
    assert "pass" not in outcomes.values()


def test_a_bare_capture_can_fail_and_cannot_pass(bundle_copy, tmp_path: Path) -> None:
    bundle = bundle_copy("session-python-passive")
    code, outcomes = judged(
        bundle / "packets.pcapng", tmp_path / "out",
        "--identity", bundle / "identity.json", "--target", "session-python",
    )  # fmt: skip
    assert code == 1
    assert outcomes["session.app.identity-beside-address"] == "fail"
    assert "pass" not in outcomes.values()


def test_captures_of_two_targets_are_refused(bundle_copy) -> None:
    ran = run_audit(
        "run", bundle_copy("session-python-passive"), bundle_copy("sessionpy-messenger-passive")
    )
    assert ran.code == 2
    assert "different targets" in ran.err


def test_a_flow_taken_out_of_the_dump_is_missed_by_the_proxy(bundle_copy, tmp_path: Path) -> None:
    from mitmproxy.io import FlowReader, FlowWriter

    bundle = bundle_copy("sessionpy-messenger-intercepted")
    with (bundle / "flows.mitm").open("rb") as file:
        flows = list(FlowReader(file).stream())
    taken = next(flow for flow in flows if flow.request.path == "/json_rpc")
    host, port = taken.client_conn.peername[:2]
    with (bundle / "flows.mitm").open("wb") as file:
        writer = FlowWriter(file)
        for flow in flows:
            if flow is not taken:
                writer.add(flow)
    (bundle / "tls.jsonl").write_text(
        "".join(
            line + "\n"
            for line in (bundle / "tls.jsonl").read_text().splitlines()
            if f":{port}" not in json.loads(line)["client"]
        )
    )
    sealed_again(bundle)
    judged(bundle, tmp_path / "out")
    ran = run_audit("tables", bundle, "conversations", "--format", "json")
    name = next(
        row["conversation"]
        for row in json.loads(ran.out)
        if f"{host}:{port} >" in row["conversation"]
    )
    result = json.loads((tmp_path / "out/result.json").read_text())
    missed = [entry["conversation"] for entry in result["coverage"]["missed_by_proxy"]]
    assert any(entry.endswith(name.split(" > ")[1]) and f":{port} >" in entry for entry in missed)


def test_what_is_no_capture_gets_one_sentence(tmp_path: Path) -> None:
    for name, content, code in (
        ("x.pcap", b"not a capture", 3),
        ("x.mitm", b"hello, no flows", 3),
        ("x.har", b"{", 3),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        ran = run_audit("run", path, "--out", tmp_path / "out")
        assert ran.code == code, (name, ran.err)
        assert len(ran.err.strip().splitlines()) == 1
        assert name in ran.err
    assert run_audit("run", tmp_path / "nowhere").code == 3


def test_a_policy_with_a_typo_judges_nothing(bundle_copy, tmp_path: Path) -> None:
    import shutil

    policy = tmp_path / "policy"
    shutil.copytree("policies/session", policy)
    check = policy / "checks" / "app-contacts.yaml"
    check.write_text(check.read_text().replace("    match:", "    matc:"))
    bundle = bundle_copy("session-python-passive")
    ran = run_audit("run", bundle, "--policy", policy, "--out", tmp_path / "out")
    assert ran.code == 2
    assert "app-contacts.yaml:" in ran.err
    assert "matc" in ran.err
    assert not (tmp_path / "out").exists()


def test_a_misspelt_kind_judges_nothing(bundle_copy, tmp_path: Path) -> None:
    file = tmp_path / "identity.json"
    file.write_text(
        '{"schema": "audit/identity@1", "identifiers": [{"kind": "emial", "value": "a@b.example"}]}'
    )
    ran = run_audit("run", bundle_copy("session-python-passive"), "--identity", file)
    assert ran.code == 2
    assert "emial" in ran.err


def test_verify_does_not_bless_what_has_no_digests(bundle_copy) -> None:
    bundle = bundle_copy("session-python-passive")
    read_manifest(bundle).model_copy(update={"status": "recording", "files": {}}).write(bundle)
    ran = run_audit("verify", bundle)
    assert ran.code == 3
    assert "no digests" in ran.err


def test_a_report_that_cannot_be_written_is_said(bundle_copy, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where the folder should go")
    ran = run_audit("run", bundle_copy("session-python-passive"), "--out", tmp_path / "taken")
    assert ran.code == 3
    assert "cannot be written" in ran.err
