from __future__ import annotations

import re

import pytest

from audit.checks.load import load_policy
from audit.errors import PolicyError
from audit.gate.rules import load_rules
from audit.yamlfile.problem import PolicyFileError
from tests.conftest import ROOT

from .making import ATTESTATION, WAIVER


def write(folder, name, text):
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return path


def test_without_a_gate_the_policys_own_holds(policy):
    assert load_rules(policy).gate.require.verdicts["critical"] == ["pass"]


def test_a_gate_that_is_not_there_is_an_error(policy, tmp_path):
    with pytest.raises(PolicyError, match="no such file"):
        load_rules(policy, gate=tmp_path / "none.yaml")


def test_files_that_a_gate_names_lie_beside_it(policy, tmp_path):
    write(tmp_path, "w", WAIVER)
    write(tmp_path, "a", ATTESTATION)
    text = "schema: audit/gate@1\nwaivers: {file: w.yaml}\nattestations: {file: a.yaml}\n"
    rules = load_rules(policy, gate=write(tmp_path, "gate", text))
    assert [item.file.id for item in rules.waivers] == ["W-1"]
    assert [item.file.by for item in rules.attestations] == ["Ann"]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("check: example.tracker", "check: example.trakcer", "E130"),
        ("check: example.tracker", "check: example.critical", "E131"),
        ("where: {recipient|domain: example, user_agent: curl}", "where: {}", "E132"),
        ("expires: 2026-04-01", "expires: 2026-09-01", "E133"),
        ("approved_by: privacy-lead", "approved_by: Net-Team", "E134"),
        ("approved_by: privacy-lead", "approved_by: Net Team", "E134"),
        ("{recipient|domain: example, user_agent: curl}", "{recipient|exists: true}", "E132"),
        ("{recipient|domain: example, user_agent: curl}", "{recipient|re: '[a-z]'}", "E132"),
        ("{recipient|domain: example, user_agent: curl}", "{not: {user_agent: curl}}", "E132"),
        ("{recipient|domain: example, user_agent: curl}", "{user_agent|not: curl}", "E132"),
        ("{recipient|domain: example, user_agent: curl}", "{all: [{}, {}]}", "E132"),
        (
            "{recipient|domain: example, user_agent: curl}",
            "{any: [{user_agent: curl}, {user_agent|exists: true}]}",
            "E132",
        ),
        ("recipient|domain", "recipeint|domain", "E102"),
        ("recipient|domain", "user_agent|domain", "E107"),
        ("expires: 2026-04-01", "expires: 2026-01-01", "E016"),
        ("reason: link preview", "raeson: link preview", "E012"),
        ("id: W-1", "id: W 1", "E016"),
    ],
)
def test_a_waiver_that_the_rules_do_not_allow_is_refused(policy, tmp_path, old, new, code):
    assert old in WAIVER
    with pytest.raises(PolicyFileError) as caught:
        load_rules(policy, waivers=write(tmp_path, "w", WAIVER.replace(old, new)))
    assert [problem.code for problem in caught.value.problems] == [code]
    assert caught.value.exit_code == 2


def test_two_waivers_of_one_id_are_refused(policy, tmp_path):
    entry = WAIVER.split("waivers:\n")[1]
    with pytest.raises(PolicyFileError, match="stands twice"):
        load_rules(policy, waivers=write(tmp_path, "w", WAIVER + entry))


def test_an_attestation_of_an_unknown_check_is_refused(policy, tmp_path):
    text = ATTESTATION.replace("example.tracker", "example.trackre")
    with pytest.raises(PolicyFileError, match="did you mean"):
        load_rules(policy, attestations=write(tmp_path, "a", text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fail_on: {severity: hihg}", "did you mean 'high'"),
        ("require: {verdicts: {high: [passed]}}", "did you mean 'pass'"),
        ("require: {min_exercised: 2}", "at most 1"),
        ("compare: {new_onyl: true}", "did you mean 'new_only'"),
        ("compare: {coverage_loss: ignore}", "allowed: block warn"),
        ("limits: {rows_a_check: 0}", "at least 1"),
        ("waivers: {allow_for: [critical]}", "allowed: info low medium high"),
        ("waivers: {max_days: 4000}", "at most 366"),
    ],
)
def test_a_gate_with_a_mistake_is_refused_at_its_place(policy, tmp_path, text, words):
    with pytest.raises(PolicyFileError) as caught:
        load_rules(policy, gate=write(tmp_path, "gate", f"schema: audit/gate@1\n{text}\n"))
    assert words in str(caught.value)
    assert caught.value.problems[0].line == 2


def test_an_attestation_of_what_can_be_recorded_is_refused(policy, tmp_path):
    text = ATTESTATION.replace("example.tracker", "example.plain")
    with pytest.raises(PolicyFileError) as caught:
        load_rules(policy, attestations=write(tmp_path, "a", text))
    assert [problem.code for problem in caught.value.problems] == ["E135"]


def test_a_baseline_lies_beside_its_gate_and_a_call_goes_before_it(policy, tmp_path):
    gate = write(tmp_path, "gate", "schema: audit/gate@1\ncompare: {baseline: old/result.json}\n")
    assert load_rules(policy, gate=gate).baseline == tmp_path / "old/result.json"
    named = tmp_path / "other.json"
    assert load_rules(policy, gate=gate, baseline=named).baseline == named


def test_a_waiver_for_what_is_absent_is_narrow(policy, tmp_path):
    text = WAIVER.replace(
        "{recipient|domain: example, user_agent: curl}", "{user_agent|exists: false}"
    )
    assert len(load_rules(policy, waivers=write(tmp_path, "w", text)).waivers) == 1


def test_the_files_in_the_documentation_are_what_it_says(tmp_path):
    text = (ROOT / "docs/gate.md").read_text()
    blocks = [
        block
        for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
        if block.startswith("schema:")
    ]
    named = {block.split("@")[0].removeprefix("schema: audit/"): block for block in blocks}
    assert named.keys() == {"gate", "waivers", "attestations"}
    for name, block in named.items():
        write(tmp_path, name, block)
    rules = load_rules(load_policy(ROOT / "policies/session"), gate=tmp_path / "gate.yaml")
    assert rules.gate.limits.rows_a_check == 50_000_000
    assert [item.file.id for item in rules.waivers] == ["W-2026-07"]
    assert [item.is_entitled for item in rules.attestations] == [True]
