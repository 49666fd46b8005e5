"""The GitHub flavour: fails alone, at a line that is in the repository, within GitHub's limits."""

from __future__ import annotations

import json

import pytest

from audit.checks.load import load_policy
from audit.checks.shipped import shipped_policies
from audit.model.outcome import Outcome
from audit.report import sarif_github
from audit.report.formats import FORMATS, PolicyPlace
from audit.report.sarif_github import render_sarif_github
from tests.conftest import ROOT, run_audit

from . import results
from .test_sarif import problems
from .variants import VARIANTS, waived

PLACE = PolicyPlace(folder="policies/session")


def run_of(result, place=PLACE) -> dict:
    (run,) = json.loads(render_sarif_github(result, place))["runs"]
    return run


@pytest.mark.parametrize("name", VARIANTS)
def test_the_log_is_valid_and_holds_fails_alone(name):
    log = json.loads(render_sarif_github(VARIANTS[name](), PLACE))
    assert problems(log) == []
    run = log["runs"][0]
    assert {one["kind"] for one in run["results"]} <= {"fail"}
    spoken = {one["ruleId"] for one in run["results"]}
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} == spoken
    for one in run["results"]:
        assert run["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] == one["ruleId"]
        (location,) = one["locations"]
        place = location["physicalLocation"]
        assert place["artifactLocation"]["uriBaseId"] == "%SRCROOT%"
        assert place["region"]["startLine"] >= 1
        assert not place["artifactLocation"]["uri"].startswith("/")
        assert ".." not in place["artifactLocation"]["uri"].split("/")


@pytest.mark.parametrize("folder", shipped_policies(), ids=lambda folder: folder.name)
def test_every_shipped_check_stands_on_the_line_it_is_said_to(folder):
    policy = load_policy(folder)
    place = PolicyPlace(folder=f"policies/{policy.id}")
    verdicts = [
        results.make_verdict(
            check.file.id, "x", Outcome.FAIL, file=check.path, line=check.located.line(("id",))
        )
        for check in policy.checks
    ]
    found = run_of(results.make_result(verdicts), place)["results"]
    assert len(found) == len(policy.checks)
    for one in found:
        where = one["locations"][0]["physicalLocation"]
        lines = (ROOT / where["artifactLocation"]["uri"]).read_text(encoding="utf-8").splitlines()
        assert lines[where["region"]["startLine"] - 1] == f"id: {one['ruleId']}"


def test_a_real_run_names_file_and_line_of_the_sample(tmp_path):
    """From the recording to the repository: the shipped policy is found without being told."""
    ran = run_audit(
        "run", ROOT / "captures" / "sample", "--out", tmp_path, "--format", "sarif-github",
        "--as-of", "2026-11-24T12:00:00Z",
    )  # fmt: skip
    assert ran.code == 1, ran.err
    (run,) = json.loads((tmp_path / "result.github.sarif").read_text())["runs"]
    assert run["results"]
    for one in run["results"]:
        where = one["locations"][0]["physicalLocation"]
        lines = (ROOT / where["artifactLocation"]["uri"]).read_text(encoding="utf-8").splitlines()
        assert lines[where["region"]["startLine"] - 1] == f"id: {one['ruleId']}"


def test_a_policy_of_ones_own_is_where_its_repository_has_it():
    verdict = results.make_verdict("own.check", "x", Outcome.FAIL, file="checks/a b.yaml", line=7)
    run = run_of(results.make_result([verdict]), PolicyPlace(folder="privacy/policy"))
    where = run["results"][0]["locations"][0]["physicalLocation"]
    assert where["artifactLocation"]["uri"] == "privacy/policy/checks/a%20b.yaml"
    assert where["region"] == {"startLine": 7}


def test_without_a_line_the_policy_itself_is_named():
    verdict = results.make_verdict("own.check", "x", Outcome.FAIL)
    where = run_of(results.make_result([verdict]))["results"][0]["locations"][0]["physicalLocation"]
    assert where["artifactLocation"]["uri"] == "policies/session/policy.yaml"
    assert where["region"] == {"startLine": 1}


def test_the_message_carries_the_recipient(broken):
    for one in run_of(broken)["results"]:
        assert one["properties"]["columns"]["recipient"] in one["message"]["text"]


def test_alerts_are_told_apart_by_the_findings_fingerprints(broken):
    hashes = [
        one["partialFingerprints"]["primaryLocationLineHash"] for one in run_of(broken)["results"]
    ]
    assert len(set(hashes)) == len(hashes) == 3


def test_what_is_waived_is_left_out_and_counted():
    run = run_of(waived())
    assert len(run["results"]) == 2
    notes = [one["message"]["text"] for one in run["invocations"][0]["toolExecutionNotifications"]]
    assert "1 finding is covered by a waiver in force and left out here." in notes


def test_more_than_github_shows_is_cut_worst_kept_and_said(monkeypatch):
    monkeypatch.setattr(sarif_github, "MAX_RESULTS", 2)
    low = results.make_verdict(
        "a.low", "x", Outcome.FAIL, severity="low",
        findings=[results.make_finding(severity="low", fingerprint=results.sha(str(n))) for n in range(3)],
    )  # fmt: skip
    high = results.make_verdict("b.high", "x", Outcome.FAIL, findings=[results.make_finding()])
    run = run_of(results.make_result([low, high]))
    assert [one["ruleId"] for one in run["results"]] == ["b.high", "a.low"]
    notes = [one["message"]["text"] for one in run["invocations"][0]["toolExecutionNotifications"]]
    assert notes[0].startswith("2 findings more")


def test_limits_of_github_hold_for_a_large_result():
    findings = [
        results.make_finding(fingerprint=results.sha(str(n)), message="x" * 9_000)
        for n in range(40)
    ]
    verdict = results.make_verdict(
        "a.b",
        "x",
        Outcome.FAIL,
        findings=findings,
        references=[f"GDPR Art. {n}" for n in range(40)],
    )
    run = run_of(results.make_result([verdict]))
    assert all(len(one["message"]["text"]) <= sarif_github.MAX_TEXT for one in run["results"])
    assert all(len(one["locations"]) <= 100 for one in run["results"])
    assert len(run["tool"]["driver"]["rules"][0]["properties"]["tags"]) <= 20


def test_a_check_that_is_not_stable_blocks_no_pull_request():
    verdict = results.make_verdict(
        "a.b", "x", Outcome.FAIL, status="experimental", findings=[results.make_finding()]
    )
    run = run_of(results.make_result([verdict]))
    assert run["results"][0]["level"] == "note"
    assert "security-severity" not in run["tool"]["driver"]["rules"][0]["properties"]


def test_the_registry_knows_the_place(broken):
    default = FORMATS["sarif-github"].render(broken)
    assert default == render_sarif_github(broken, PLACE)
    assert default != FORMATS["sarif-github"].render(broken, PolicyPlace(folder="x"))
