"""``audit report``: the sample's result becomes every output, and wrong calls get one sentence."""

import shutil

import pytest

from audit.cli.place import policy_place
from audit.report.formats import FORMATS
from tests.conftest import ROOT, run_audit

SAMPLE = ROOT / "reports" / "sample"


def test_a_result_is_rendered_beside_it_or_elsewhere(tmp_path):
    report = tmp_path / "report"
    report.mkdir()
    shutil.copy(SAMPLE / "result.json", report)
    outputs = [one for one in FORMATS.values() if one.name != "pdf"]  # it needs a browser
    names = ",".join(one.name for one in outputs)
    ran = run_audit("report", report, "--format", names)
    assert ran.code == 0, ran.err
    assert {path.name for path in report.iterdir()} >= {one.file for one in outputs}
    ran = run_audit("report", report / "result.json", "--format", names, "--out", tmp_path / "x")
    assert ran.code == 0, ran.err
    for one in outputs:
        assert (tmp_path / "x" / one.file).read_bytes() == (report / one.file).read_bytes()


def test_one_format_goes_to_standard_output(tmp_path):
    ran = run_audit("report", SAMPLE, "--format", "html", "--out", "-", cwd=tmp_path)
    assert ran.code == 0, ran.err
    assert ran.out.lstrip().lower().startswith("<!doctype html")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([SAMPLE, "--format", "docx"], "unknown format 'docx'"),
        ([SAMPLE, "--format", "html,json", "--out", "-"], "standard output takes one format"),
        ([SAMPLE, "--policy", "nowhere"], "there is no policy here"),
        (["nowhere"], "there is no such result"),
        ([ROOT / "README.md"], "this is no result"),
    ],
)
def test_a_wrong_call_gets_one_sentence(arguments, words):
    ran = run_audit("report", *arguments)
    assert ran.code == 2
    assert words in ran.err
    assert len(ran.err.splitlines()) == 1


def test_a_policy_of_ones_own_is_placed_by_its_repository(tmp_path, monkeypatch):
    folder = tmp_path / "repo" / "privacy" / "own"
    (folder / "targets" / "app").mkdir(parents=True)
    (folder / "policy.yaml").write_text("")
    (tmp_path / "repo" / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    place = policy_place(str(folder))
    assert place is not None
    assert place.path("checks/a.yaml") == "privacy/own/checks/a.yaml"
    assert policy_place("repo/privacy/own/policy.yaml") == place
    assert policy_place(None, str(folder / "targets" / "app")) == place
    assert policy_place(None, "session-python") is None
    assert policy_place("session") is None
    assert policy_place(None) is None


def test_without_a_repository_the_working_folder_is_the_root(tmp_path, monkeypatch):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "policy.yaml").write_text("")
    monkeypatch.chdir(tmp_path)
    place = policy_place("own")
    assert place is not None
    assert place.folder == "own"
    monkeypatch.chdir(tmp_path / "own")
    inside = policy_place(".")
    assert inside is not None
    assert inside.path("policy.yaml") == "policy.yaml"
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    assert policy_place("../own") is None
