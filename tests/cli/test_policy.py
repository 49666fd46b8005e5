"""``audit policy``: the shipped policies are sound, and a broken one is told from them."""

import json
import re
import shutil
from pathlib import Path

from audit.authoring import schema
from tests.conftest import ROOT, run_audit


def test_the_shipped_policies_have_no_error() -> None:
    ran = run_audit("policy", "lint")
    assert ran.code == 0, ran.err
    assert "session: 0 errors" in ran.out


def test_every_example_of_the_shipped_policies_holds() -> None:
    ran = run_audit("policy", "test")
    assert ran.code == 0, ran.err
    assert " 0 failed" in ran.out


def test_coverage_lists_every_clause() -> None:
    clauses = json.loads(run_audit("policy", "coverage", "--json").out)["clauses"]
    assert len(clauses) == 26
    assert {"id", "quote", "checks", "attest"} == set(clauses[0])


def test_a_wrong_example_is_told(tmp_path: Path) -> None:
    policy = tmp_path / "session"
    shutil.copytree(ROOT / "policies" / "session", policy)
    check = policy / "checks" / "app-contacts.yaml"
    check.write_text(check.read_text().replace("verdict: fail", "verdict: pass", 1))
    ran = run_audit("policy", "test", policy)
    assert ran.code == 2
    assert "app-contacts.yaml" in ran.err


def test_a_quote_that_is_not_in_the_policy_is_told(tmp_path: Path) -> None:
    policy = tmp_path / "session"
    shutil.copytree(ROOT / "policies" / "session", policy)
    check = policy / "checks" / "app-contacts.yaml"
    check.write_text(
        check.read_text().replace("quote: who you're talking to", "quote: whom you are talking to")
    )
    ran = run_audit("policy", "lint", policy)
    assert ran.code == 2
    assert "E201" in ran.err


def test_mutants_that_no_example_notices_are_told_with_a_row(tmp_path: Path) -> None:
    policy = tmp_path / "session"
    shutil.copytree(ROOT / "policies" / "session", policy)
    for path in (policy / "checks").glob("*.yaml"):
        if path.name != "app-contacts.yaml":
            path.unlink()
    check = policy / "checks" / "app-contacts.yaml"
    check.write_text(
        check.read_text().replace("direction: sent,", "direction: sent, layer|lt: 40,")
    )
    ran = run_audit("policy", "test", "--mutate", "--propose", policy)
    assert ran.code == 2
    assert "W302 no example needs the condition 'layer|lt'" in ran.err
    assert "- {name: " in ran.out


def test_a_code_is_explained() -> None:
    ran = run_audit("policy", "lint", "--explain", "E204")
    assert ran.code == 0
    assert ran.out.startswith("E204 (error): ")
    assert "did you mean 'E204'?" in run_audit("policy", "lint", "--explain", "E2044").err


def test_lint_prints_json(tmp_path: Path) -> None:
    policy = tmp_path / "session"
    shutil.copytree(ROOT / "policies" / "session", policy)
    check = policy / "checks" / "app-contacts.yaml"
    check.write_text(check.read_text().replace("severity: critical", "severity: dire"))
    ran = run_audit("policy", "lint", "--json", policy)
    assert ran.code == 2
    (one,) = json.loads(ran.out)["policies"]
    assert one["errors"] == 1
    problem = one["problems"][0]
    assert (problem["code"], problem["level"], problem["line"]) == ("E014", "error", 5)
    assert problem["allowed"] == ["info", "low", "medium", "high", "critical"]


def test_a_check_and_a_clause_are_explained() -> None:
    ran = run_audit("policy", "explain", "session.app.contacts-beside-address")
    assert ran.code == 0, ran.err
    assert "What violates it" in ran.out
    assert "clause app.contacts" in run_audit("policy", "explain", "app.contacts").out
    assert "did you mean" in run_audit("policy", "explain", "app.contact").err


def test_a_check_is_tried_on_a_bundle() -> None:
    ran = run_audit("policy", "try", "session.app.user-agent-generic", ROOT / "captures" / "sample")
    assert ran.code == 0, ran.err
    assert ran.out.startswith("session.app.user-agent-generic: ")
    assert "where process: app" in ran.out
    assert run_audit("policy", "try", "nothing", ROOT / "captures" / "sample").code == 2


def test_a_policy_is_started_from_a_text(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("We never share your data.")
    ran = run_audit("policy", "new", "mine.txt", cwd=tmp_path)
    assert ran.code == 0, ran.err
    assert ran.out.startswith("1 sentences, 1 of them clauses: mine")
    assert run_audit("policy", "lint", "mine", cwd=tmp_path).code == 0
    assert run_audit("policy", "test", "--mutate", "mine", cwd=tmp_path).code == 0
    assert run_audit("policy", "new", "mine.txt", cwd=tmp_path).code == 2
    assert run_audit("policy", "new", cwd=tmp_path).code == 2


def test_schemas_are_printed_and_written(tmp_path: Path) -> None:
    printed = json.loads(run_audit("policy", "schema", "gate").out)
    assert printed["title"] == "audit/gate@1"
    assert run_audit("policy", "schema", "goat").code == 2
    kinds = run_audit("policy", "schema", "--help").out.partition("Kinds:")[2].partition(".")[0]
    assert re.findall(r"\w+", kinds) == [*schema.MODELS, "and", *schema.OUTPUTS]
    assert run_audit("policy", "schema", "--write-vscode", cwd=tmp_path).code == 0
    assert (tmp_path / ".vscode" / "settings.json").is_file()
    assert run_audit("policy", "schema", "-o", tmp_path / "out").code == 0
    assert (tmp_path / "out" / "check.schema.json").is_file()
