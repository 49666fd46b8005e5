import json

import pytest

from tests.conftest import run_audit

TARGET = """\
schema: audit/target@1
policy: session
app: {name: app, package: com.example.App1, platform: desktop}
"""
CONTACTS = [
    {"domain": "o1.ingest.sentry.io", "bundleID": "com.example.App1"},
    {"domain": "app-measurement.com", "bundleID": "com.example.other"},
]


@pytest.fixture
def report(tmp_path):
    path = tmp_path / "App_Privacy_Report_v4.ndjson"
    given = {"type": "networkActivity", "timeStamp": "2024-01-01T00:00:00Z", "hits": 1}
    path.write_text("".join(json.dumps(given | one) + "\n" for one in CONTACTS))
    return path


@pytest.fixture
def target(tmp_path):
    folder = tmp_path / "targets" / "app"
    folder.mkdir(parents=True)
    (folder / "target.yaml").write_text(TARGET)
    return folder


def result(folder) -> dict:
    return json.loads((folder / "result.json").read_text())


def messages(found: dict) -> list[str]:
    return [one["message"] for verdict in found["verdicts"] for one in verdict["findings"]]


def test_a_telemetry_host_in_a_list_of_the_device_is_a_violation_of_the_app_alone(
    tmp_path, report, target
):
    made = run_audit("import", report, "-o", tmp_path / "made", "--target", target)
    assert made.code == 0, made.err
    assert f"judge it: audit run {tmp_path / 'made'} --target {target}" in made.out
    ran = run_audit("run", tmp_path / "made", "--target", target, "--out", tmp_path / "out")
    assert ran.code == 1, ran.err
    found = result(tmp_path / "out")
    assert any("o1.ingest.sentry.io" in message for message in messages(found))
    assert not any("app-measurement.com" in message for message in messages(found))
    assert "pass" not in {verdict["outcome"] for verdict in found["verdicts"]}
    owners = {one["recipient"]: one["owner"] for one in found["coverage"]["recipients"]}
    assert owners == {
        "app-measurement.com": "Google", "o1.ingest.sentry.io": "Functional Software",
    }  # fmt: skip


def test_without_a_target_a_list_of_several_programs_accuses_nobody(tmp_path, report):
    ran = run_audit("run", report, "--out", tmp_path / "out")
    assert ran.code == 4, ran.err
    found = result(tmp_path / "out")
    assert messages(found) == []
    assert found["coverage"]["unattributed"]["conversations"] == 2
    assert any("the target names none" in limit for limit in found["captures"][0]["limits"])


def test_an_empty_import_is_judged_and_proves_nothing(tmp_path):
    (tmp_path / "a.mitm").write_bytes(b"")
    assert run_audit("import", tmp_path / "a.mitm", "-o", tmp_path / "made").code == 0
    ran = run_audit("run", tmp_path / "made", "--out", tmp_path / "out")
    assert ran.code == 4, ran.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["import", ".", "-o", "made"], 3, "this is a folder, not a capture file"),
        (["import", "*.pcap", "-o", "made"], 3, "no file matches this pattern"),
        (["import", "a.txt", "-o", "made"], 3, "tried: packet capture"),
        (["run", "a.txt"], 3, "tried: packet capture"),
        (["run", "*.har"], 3, "no file matches this pattern"),
        (["run", ".", "--mixed"], 3, "this folder is no capture"),
        (["run", "a.mitm", "--vouched-by", "A. Person"], 2, "needs the --journal"),
        (["run", "a.mitm", "b.mitm", "--together"], 2, "two files of one tap: a.mitm and b.mitm"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path, arguments, code, said):
    (tmp_path / "a.txt").write_text("hello")
    for name in ("a.mitm", "b.mitm"):
        (tmp_path / name).write_bytes(b"")
    ran = run_audit(*arguments, cwd=tmp_path)
    assert ran.code == code, ran.err
    assert said in ran.err
    assert len(ran.err.strip().splitlines()) == 1
