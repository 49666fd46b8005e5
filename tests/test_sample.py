"""The committed sample: its verdicts are a snapshot. A change needs a changelog line of kind *evidence*."""

import json
from pathlib import Path

from tests.conftest import ROOT, run_audit

CAPTURE = ROOT / "captures" / "sample"
REPORT = ROOT / "reports" / "sample" / "result.json"


def facts(result: dict) -> dict:
    return {
        verdict["check"]: (
            verdict["outcome"],
            sorted(f["fingerprint"] for f in verdict["findings"]),
        )
        for verdict in result["verdicts"]
    }


def test_the_sample_is_as_recorded() -> None:
    ran = run_audit("verify", CAPTURE)
    assert ran.code == 0, ran.err


def test_verdicts_and_fingerprints_of_the_sample_stay(tmp_path: Path) -> None:
    ran = run_audit("run", CAPTURE, "--as-of", "2026-11-24T12:00:00Z", "--out", tmp_path)
    assert ran.code == 1, ran.err
    now = json.loads((tmp_path / "result.json").read_text())
    assert facts(now) == facts(json.loads(REPORT.read_text()))
    assert "pass" in {verdict["outcome"] for verdict in now["verdicts"]}


def test_another_policy_judges_the_sample_by_its_target_for_any_client(tmp_path: Path) -> None:
    ran = run_audit("run", CAPTURE, "--policy", "generic", "--out", tmp_path, "--exit-zero")
    assert ran.code == 0, ran.err
    assert ran.err == (
        "note: policy 'generic' has no target 'sessionpy-messenger', of which the recording is: "
        "judged as 'any-client'\n"
    )
    result = json.loads((tmp_path / "result.json").read_text())
    assert (result["policy"]["id"], result["target"]["name"]) == ("generic", "any-client")


def test_the_committed_report_belongs_to_the_sample() -> None:
    ran = run_audit("verify", ROOT / "reports" / "sample", "--capture", CAPTURE)
    assert ran.code == 0, ran.err
