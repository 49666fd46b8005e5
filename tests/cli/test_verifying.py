"""``audit verify`` of a report: its files, its captures, and the same result again."""

import json
import shutil
from pathlib import Path

import pytest

from audit.cli.verifying import first_difference
from audit.model.result import Result
from audit.report.json import render_json
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


def changed(report: Path, folder: Path, **changes: object) -> Path:
    """Return a copy of a report without digests whose result says something else."""
    copy = Path(shutil.copytree(report, folder))
    (copy / "SHA256SUMS").unlink()
    tree = json.loads((copy / "result.json").read_text())
    (copy / "result.json").write_bytes(render_json(Result.model_validate(tree | changes)))
    return copy


def test_a_result_of_no_capture_is_not_verified(report: Path, tmp_path: Path) -> None:
    ran = verify(changed(report, tmp_path / "copy", captures=[]))
    assert ran.code == 3
    assert "names no capture" in ran.err


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"target": {}}, "the result says of no target"),
        ({"as_of": "whenever"}, "the result says of no moment"),
    ],
)
def test_what_cannot_be_judged_again_is_said(
    report: Path, tmp_path: Path, changes: dict[str, object], why: str
) -> None:
    ran = verify(changed(report, tmp_path / "copy", **changes), "--again", "--exit-zero")
    assert ran.code == 3
    assert why in ran.err
    assert "Traceback" not in ran.err


def test_byte_for_byte_is_said_of_the_file(report: Path, tmp_path: Path) -> None:
    copy = changed(report, tmp_path / "copy")
    assert verify(copy, "--again", "--exit-zero").code == 0
    file = copy / "result.json"
    file.write_text(json.dumps(json.loads(file.read_text()), indent=2))
    ran = verify(copy, "--again", "--exit-zero")
    assert ran.code == 3
    assert "in other bytes" in ran.err


def test_a_file_that_is_gone_is_named(report: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(report, tmp_path / "copy"))
    (copy / "index.html").unlink()
    ran = verify(copy)
    assert ran.code == 0, ran.err
    assert "2 files of the report are as they were written; not here: index.html" in ran.out


def test_what_was_said_of_bare_files_is_said_again(tmp_path: Path) -> None:
    pcap = make_pcap(tmp_path / "bare.pcap")
    flows = Path(shutil.copy(SAMPLE / "flows.mitm", tmp_path / "bare.mitm"))
    journal = Path(shutil.copy(SAMPLE / "journal.jsonl", tmp_path / "journal.jsonl"))
    said = ["--together", "--mixed", "--journal", journal, "--vouched-by", "Ada", "--exit-zero"]
    ran = run_audit("run", pcap, flows, "--out", tmp_path / "report", *said)
    assert ran.code == 0, ran.err
    verify = ["verify", tmp_path / "report", "--capture", pcap, "--capture", flows, "--again"]
    ran = run_audit(*verify, *said)
    assert ran.code == 0, ran.err
    assert "bare.pcap, bare.mitm: the files that were judged" in ran.out
    assert "the same result, byte for byte" in ran.out
    ran = run_audit(*verify, "--together", "--exit-zero")
    assert ran.code == 3
    assert "judged again, the result differs" in ran.err
