"""A check started from a finding is sound and finds it again."""

from __future__ import annotations

import json
import shutil

import pytest

from audit.authoring.examples import run_examples
from audit.authoring.from_finding import start_check
from audit.authoring.lint import lint_folder
from audit.checks.load import load_policy
from audit.errors import PolicyError
from tests.conftest import ROOT

RESULT = ROOT / "reports" / "sample" / "result.json"
FINDINGS = [
    finding
    for verdict in json.loads(RESULT.read_text())["verdicts"]
    for finding in verdict["findings"]
]


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(ROOT / "policies" / "session", tmp_path / "session")


def test_every_finding_of_the_sample_starts_a_sound_check(folder):
    made = [start_check(RESULT, finding["fingerprint"], folder) for finding in FINDINGS]
    assert made
    assert not [p.render() for p in lint_folder(folder) if p.level == "error"]
    policy = load_policy(folder)
    ids = {check.file.id for check in policy.checks if folder / check.path in made}
    results = [result for result in run_examples(policy) if result.check in ids]
    assert len(results) == 4 * len(made)
    assert not [problem.render() for result in results for problem in result.problems]


@pytest.mark.parametrize("fingerprint", ["", "ffff0000", "zz"])
def test_a_finding_that_is_not_there_is_told_with_those_that_are(folder, fingerprint):
    with pytest.raises(PolicyError) as caught:
        start_check(RESULT, fingerprint, folder)
    assert FINDINGS[0]["fingerprint"][:12] in caught.value.hint


def test_a_check_is_never_overwritten(folder):
    start_check(RESULT, FINDINGS[0]["fingerprint"], folder)
    with pytest.raises(PolicyError, match="there already"):
        start_check(RESULT, FINDINGS[0]["fingerprint"][:10], folder)


def test_what_is_no_result_is_told(folder, tmp_path):
    (tmp_path / "x.json").write_text("[]")
    with pytest.raises(PolicyError, match=r"no result\.json"):
        start_check(tmp_path / "x.json", "00", folder)
    with pytest.raises(PolicyError, match="cannot be read"):
        start_check(tmp_path / "y.json", "00", folder)
