"""``audit verify`` of a report: its files, its captures, and the same result again."""

import json
import shutil
from pathlib import Path

import pytest

from audit.cli.verifying import first_difference
from tests.conftest import ROOT, run_audit
from tests.report.test_handover import make_pcap

SAMPLE = ROOT / "captures" / "sample"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report") / "made"
    ran = run_audit("run", SAMPLE, "--out", folder, "--exit-zero")
    assert ran.code == 0, ran.err
    return folder


def verify(report: Path, *arguments: object):
    return run_audit("verify", report, "--capture", SAMPLE, *arguments)


def test_judged_again_it_is_the_same_byte_for_byte(report: Path) -> None:
    ran = verify(report, "--again", "--exit-zero")
    assert ran.code == 0, ran.err
    assert "3 files of the report are as they were written" in ran.out
    assert "the same result, byte for byte" in ran.out


def test_what_differs_is_said_in_one_sentence(report: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(report, tmp_path / "copy"))
    result = json.loads((copy / "result.json").read_text())
    verdict = next(v for v in result["verdicts"] if v["outcome"] == "fail")
    verdict["outcome"] = "pass"
    (copy / "result.json").write_text(json.dumps(result))
    ran = verify(copy)
    assert ran.code == 3
    assert "result.json is not the file that was written" in ran.err
    (copy / "SHA256SUMS").unlink()
    assert verify(copy).code == 0
    ran = verify(copy, "--again", "--exit-zero")
    assert ran.code == 3
    assert "outcome is 'pass' in the result and 'fail' now" in ran.err


def test_digests_of_another_recording_are_refused(report: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(SAMPLE, tmp_path / "sample"))
    manifest = json.loads((copy / "capture.json").read_text())
    manifest["client"]["version"] = "9.9"
    (copy / "capture.json").write_text(json.dumps(manifest))
    ran = run_audit("verify", report, "--capture", copy)
    assert ran.code == 3
    assert "capture.json is not the one that was judged" in ran.err


def test_the_report_of_a_bare_file_is_verified(tmp_path: Path) -> None:
    pcap = make_pcap(tmp_path / "bare.pcap")
    assert run_audit("run", pcap, "--out", tmp_path / "report", "--exit-zero").code == 0
    ran = run_audit("verify", tmp_path / "report", "--capture", pcap, "--again", "--exit-zero")
    assert ran.code == 0, ran.err
    assert "bare.pcap: the file that was judged" in ran.out
    pcap.write_bytes(pcap.read_bytes() + b"\0")
    assert run_audit("verify", tmp_path / "report", "--capture", pcap).code == 3


def test_the_first_difference_is_named_by_its_place() -> None:
    assert first_difference({"a": [1, 2]}, {"a": [1, 2]}) is None
    assert first_difference({"a": [1, {"b": "x"}]}, {"a": [1, {"b": "y"}]}) == (
        "a[1].b is 'x' in the result and 'y' now"
    )
    assert first_difference({"a": [1]}, {"a": [1, 2]}) == "a[1] is nothing in the result and 2 now"
