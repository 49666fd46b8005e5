"""``audit diff`` as a user calls it: its exit codes, its forms, and what is no result."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audit.model.outcome import Outcome
from tests.conftest import ROOT, run_audit
from tests.gate.making import make_finding, make_result, make_verdict

PASS = make_verdict("tracker")
FAIL = make_verdict("tracker", Outcome.FAIL, make_finding())
UNPROVEN = make_verdict("tracker", Outcome.INCONCLUSIVE)


@pytest.fixture
def write(tmp_path: Path):
    def make(name: str, *verdicts) -> Path:
        data = make_result(*verdicts).model_dump(mode="json", by_alias=True)
        path = tmp_path / name
        path.write_text(json.dumps(data))
        return path

    return make


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ([FAIL], [PASS], 0),
        ([FAIL], [FAIL], 0),
        ([PASS], [FAIL], 1),
        ([PASS, make_verdict("low")], [FAIL], 1),
        ([PASS], [UNPROVEN], 4),
        ([PASS], [], 4),
        ([UNPROVEN], [PASS], 0),
    ],
)
def test_the_exit_code_says_what_became_worse(write, old, new, code) -> None:
    ran = run_audit("diff", write("old.json", *old), write("new.json", *new))
    assert ran.code == code, ran.out + ran.err
    assert not ran.err


def test_json_and_markdown_say_the_same(write) -> None:
    old, new = write("old.json", PASS), write("new.json", FAIL)
    data = json.loads(run_audit("diff", old, new, "--json").out)
    assert data == json.loads(run_audit("diff", old, new, "--format", "json").out)
    assert [one["check"] for one in data["findings"]["new"]] == ["example.tracker"]
    assert "**new (1)**" in run_audit("diff", old, new, "--format", "markdown").out


def test_a_report_is_compared_with_itself_by_its_folder() -> None:
    ran = run_audit("diff", ROOT / "reports/sample", ROOT / "reports/sample/result.json")
    assert ran.code == 0
    assert "new (0)" in ran.out


def test_what_is_no_result_is_one_sentence_with_its_line(write, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{\n"schema": "audit/result@1",\n"as_of": 7}')
    for pair in ((wrong, write("ok.json")), (write("ok.json"), wrong)):
        ran = run_audit("diff", *pair)
        assert ran.code == 2
        assert len(ran.err.splitlines()) == 1
        assert "wrong.json:3:10" in ran.err
    assert run_audit("diff", tmp_path / "none.json", wrong).code == 2


def test_a_hostile_result_steers_no_terminal(write) -> None:
    hostile = make_finding().model_copy(update={"message": "\x1b]0;x\x07\u202e::error::\r\n$(id)"})
    new = write("new.json", make_verdict("tracker", Outcome.FAIL, hostile))
    ran = run_audit("diff", write("old.json", PASS), new)
    assert ran.code == 1
    assert not {"\x1b", "\x07", "\u202e", "\r"} & set(ran.out)


def test_a_waiver_without_a_name_is_compared_all_the_same(write) -> None:
    new = write("new.json", PASS)
    data = json.loads(new.read_text())
    data["gate"]["waivers"] = [{}, {"state": "expired"}]
    new.write_text(json.dumps(data))
    for form in ("text", "json", "markdown"):
        ran = run_audit("diff", write("old.json", PASS), new, "--format", form)
        assert ran.code == 0, ran.err
