from __future__ import annotations

import json

import pytest

from audit.errors import PolicyError
from audit.gate.rules import GateRules
from audit.gate.settle import Baseline, read_baseline, settle
from audit.model.outcome import Outcome
from audit.model.result import CaptureRef
from audit.yamlfile.gate import GateFile

from .making import AS_OF, make_finding, make_result, make_verdict

OLD = make_verdict("tracker", Outcome.FAIL, make_finding(agent="a"), make_finding(agent="b"))
NEW = make_verdict("tracker", Outcome.FAIL, make_finding(agent="b"), make_finding(agent="c"))


def settled(old, *verdicts, rules=None, **changes):
    baseline = None if old is None else Baseline(result=make_result(*old), name="old.json")
    draft = make_result(*verdicts, **changes)
    return settle(
        draft, rules or GateRules(), AS_OF, None, baseline, lambda text: text.replace("a", "_")
    )


def test_every_finding_is_told_new_or_unchanged():
    (verdict,) = settled([OLD], NEW).verdicts
    assert [one.baseline for one in verdict.findings] == ["unchanged", "new"]
    assert verdict.outcome is Outcome.FAIL


def test_without_a_baseline_nothing_is_told():
    result = settled(None, NEW)
    assert result.baseline is None
    assert {one.baseline for one in result.verdicts[0].findings} == {None}


def test_what_is_absent_is_listed_redacted():
    baseline = settled([OLD], NEW).baseline
    assert (baseline["new"], baseline["unchanged"], baseline["fixed"]) == (1, 1, 1)
    (absent,) = baseline["absent"]
    assert absent["fixed"]
    assert absent["message"] == "t.ex_mple"
    assert baseline["outcomes"] == {OLD.check: "f_il"}


def test_new_only_without_a_baseline_is_said():
    gate = {"schema": "audit/gate@1", "compare": {"new_only": True}}
    result = settled(None, NEW, rules=GateRules(gate=GateFile.model_validate(gate)))
    assert result.gate.exit_code == 1
    assert result.gate.reasons[-1] == "no baseline was given: every finding counts as new"


def test_a_recording_compared_with_itself_is_said():
    capture = CaptureRef.model_validate(
        {
            "id": "one", "digest": "1" * 64, "client": {}, "vantage": "netns", "pass": "passive", "device": "d",
            "install": "i", "started_at": None, "ended_at": "2026-03-01T10:00:00Z", "digests": {},
        }
    )  # fmt: skip
    old = Baseline(result=make_result(OLD, captures=[capture]), name="old.json")
    draft = make_result(OLD, captures=[capture])
    result = settle(draft, GateRules(), AS_OF, None, old, str)
    assert result.gate.reasons[-1].startswith("the baseline is of the same recordings")


def test_exit_zero_is_written_and_changes_no_decision():
    draft = make_result(OLD)
    result = settle(draft, GateRules(), AS_OF, None, None, str, exit_zero=True)
    assert (result.gate.exit_code, result.gate.exit_zero) == (1, True)


@pytest.mark.parametrize(("policy", "target"), [("other", "client"), ("example", "other")])
def test_a_baseline_of_something_else_is_refused(tmp_path, policy, target):
    path = tmp_path / "result.json"
    path.write_text(json.dumps(make_result(OLD).model_dump(mode="json", by_alias=True)))
    assert read_baseline(path, "example", "client").result == make_result(OLD)
    with pytest.raises(PolicyError, match="is of another") as caught:
        read_baseline(path, policy, target)
    assert caught.value.exit_code == 2


def test_a_huge_baseline_does_not_make_a_huge_result():
    many = [make_finding(agent=str(number)) for number in range(3000)]
    long = [one.model_copy(update={"message": "x" * 10_000}) for one in many]
    old = [make_verdict("tracker", Outcome.FAIL, *long)] + [
        make_verdict("high", check=f"example.c{number}") for number in range(3000)
    ]
    baseline = settled(old, make_verdict("tracker")).baseline
    assert baseline["fixed"] == 3000
    assert len(json.dumps(baseline)) < 2_000_000
    assert baseline["outcomes"].keys() == {"example.tracker"}
