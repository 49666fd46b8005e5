"""``audit report --reveal``: values for those who may know them, and nobody else."""

from pathlib import Path

import pytest

from audit.cli.judging import write_whole
from audit.errors import SetupError
from tests.cli.test_redacting import imported
from tests.conftest import ROOT, run_audit
from tests.report.test_handover import make_pcap

SAMPLE = ROOT / "captures" / "sample"


def test_a_revealed_report_shows_values_to_its_owner_alone(tmp_path: Path) -> None:
    bundle = imported(tmp_path, make_pcap(tmp_path / "leak.pcap"))
    report = tmp_path / "report"
    assert run_audit("run", bundle, "--out", report, "--exit-zero").code == 0
    redacted = (report / "result.json").read_bytes()
    assert b"marie.curie" not in redacted
    ran = run_audit("report", report, "--format", "html,sarif", "--reveal", "--capture", bundle)
    assert ran.code == 0, ran.err
    assert "shows the test subject's values in the clear" in ran.err
    shown = tmp_path / "report-revealed"
    for name in ("index.html", "result.sarif"):
        assert "marie.curie.1867@example.org" in (shown / name).read_text()
        assert (shown / name).stat().st_mode & 0o777 == 0o600
    assert not (shown / "result.json").exists()
    assert (report / "result.json").read_bytes() == redacted
    (tmp_path / ".git").mkdir()
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "policy.yaml").touch()
    placed = ("--format", "sarif-github", "--policy", tmp_path / "own")
    assert run_audit("report", report, *placed, "--reveal", "--capture", bundle).code == 0
    assert '"uri": "own/checks/' in (shown / "result.github.sarif").read_text()
    for wrong in (
        ("--reveal",),
        ("--capture", bundle),
        ("--reveal", "--capture", bundle, "--out", report),
        ("--reveal", "--capture", bundle, "--out", "-"),
        ("--reveal", "--capture", bundle, "--format", "html,json"),
    ):
        assert run_audit("report", report, *wrong).code == 2
    assert run_audit("report", report, "--reveal", "--capture", SAMPLE).code == 3


def test_nothing_private_stays_behind_where_the_report_cannot_be_written(tmp_path: Path) -> None:
    taken = tmp_path / "index.html"
    taken.mkdir()
    with pytest.raises(SetupError):
        write_whole(taken, b"marie.curie", is_private=True)
    assert [*tmp_path.iterdir()] == [taken]
    left = tmp_path / "other.part"
    left.write_bytes(b"")
    left.chmod(0o644)
    assert write_whole(tmp_path / "other", b"x", is_private=True).stat().st_mode & 0o777 == 0o600
