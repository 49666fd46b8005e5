"""The ready pipelines, step by step in a shell: GitHub's action, GitLab's template, pre-commit's hooks.

Only what their services do themselves is played here: inputs become variables, outputs files. Where this
machine has no sudo (root in a container), a one-line one stands in its place.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT, Demo

pytestmark = [pytest.mark.system]

CLIENT = "sessionpy-messenger"
BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")
"""As GitHub and GitLab start it."""


def load(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text())


def shell(script: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("sudo") is None:
        sudo = cwd / "bin" / "sudo"
        sudo.parent.mkdir(exist_ok=True)
        sudo.write_text('#!/bin/sh\nexec "$@"\n')
        sudo.chmod(0o755)
        variables = {"PATH": f"{sudo.parent}:{os.environ['PATH']}"} | variables
    return subprocess.run(
        [*BASH, script], cwd=cwd, env={**os.environ, **variables}, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip


class Action:
    """Runs the steps of ``action.yml`` as a runner does."""

    def __init__(self, folder: Path, **given: str) -> None:
        self.file = load("action.yml")
        self.folder = folder
        known = self.file["inputs"]
        assert not given.keys() - {name.replace("-", "_") for name in known}
        self.inputs = {
            name: given.get(name.replace("-", "_"), str(item.get("default", "")))
            for name, item in known.items()
        }
        self.outputs: dict[str, dict[str, str]] = {}
        self.uploads: list[dict] = []
        self.output = ""
        self.code = 0

    def value(self, expression: str) -> str:
        kind, _, rest = expression.strip().partition(".")
        if kind == "inputs":
            return self.inputs[rest]
        if kind == "steps":
            step, _, name = rest.partition(".outputs.")
            return self.outputs.get(step, {}).get(name, "")
        assert expression.strip() == "github.action_path", expression
        return str(ROOT)

    def filled(self, text: str) -> str:
        return re.sub(r"\$\{\{(.*?)\}\}", lambda match: self.value(match[1]), text)

    def holds(self, condition: str) -> bool:
        parts = condition.split("&&")
        always = any(part.strip() == "always()" for part in parts)
        return (always or self.code == 0) and all(
            self.compares(part) for part in parts if part.strip() != "always()"
        )

    def compares(self, part: str) -> bool:
        match = re.fullmatch(r"\s*(\S+) (==|!=) '([^']*)'\s*", part)
        assert match, part
        return (self.value(match[1]) == match[3]) == (match[2] == "==")

    def run(self) -> Action:
        summary = self.folder / "summary.md"
        for step in self.file["runs"]["steps"]:
            if not self.holds(step["if"]) if "if" in step else self.code:
                continue
            if "uses" in step:
                self.uploads.append({key: self.filled(text) for key, text in step["with"].items()})
                continue
            assert "${{" not in step["run"], "an input would be run as code"
            told = self.folder / "output.txt"
            told.write_text("")
            env = {key: self.filled(text) for key, text in step["env"].items()}
            done = shell(
                step["run"], self.folder,
                GITHUB_OUTPUT=str(told), GITHUB_STEP_SUMMARY=str(summary), **env,
            )  # fmt: skip
            self.output += done.stdout + done.stderr
            self.code = self.code or done.returncode
            lines = told.read_text().splitlines()
            self.outputs[step.get("id", "")] = dict(line.split("=", 1) for line in lines)
        self.summary = summary.read_text() if summary.exists() else ""
        return self


def captures(demo: Demo) -> str:
    return " ".join(str(demo.captures / f"{CLIENT}-{one}") for one in ("passive", "intercepted"))


def test_the_action_records_by_sudo_judges_and_blocks(demo: Demo, tmp_path: Path) -> None:
    action = Action(
        tmp_path, target=CLIENT, record_options="--lab --pass passive",
        baseline=str(demo.reports / CLIENT / "result.json"), sarif="true",
    ).run()  # fmt: skip
    assert action.code == 1, action.output
    assert "by sudo" in action.output
    assert action.outputs["judge"] == {
        "exit-code": "1", "result": "privacy-report/result.json",
    }  # fmt: skip
    result = json.loads((tmp_path / "privacy-report/result.json").read_text())
    assert result["captures"][0]["vantage"] in {"netns", "proxy"}
    assert "### Privacy audit" in action.summary
    assert "what changed" in action.summary
    assert len(action.uploads) == 2
    for upload in action.uploads:
        for name in (upload.get("path") or upload["sarif_file"]).split():
            assert (tmp_path / name).is_file(), name


def test_the_action_passes_where_the_gate_holds(demo: Demo, tmp_path: Path) -> None:
    gate = tmp_path / "gate.yaml"
    gate.write_text("schema: audit/gate@1\nfail_on: {severity: critical}\n")
    action = Action(tmp_path, target=CLIENT, captures=captures(demo), gate=str(gate)).run()
    assert action.code == 0, action.output
    assert [upload.get("name") for upload in action.uploads] == ["privacy-report"]


def test_the_action_fails_where_nothing_was_judged(demo: Demo, tmp_path: Path) -> None:
    hostile = "nowhere $(touch ran) `touch ran` ; touch ran"
    action = Action(tmp_path, target=hostile, captures=captures(demo)).run()
    assert action.code == 2, action.output
    assert "there is no target" in action.output
    assert not action.uploads
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(("severity", "code"), [("medium", 1), ("critical", 0)])
def test_the_gitlab_job_ends_as_the_gate_says(
    demo: Demo, tmp_path: Path, severity: str, code: int
) -> None:
    job = load("ci/gitlab.yml")[".privacy-audit"]
    gate = tmp_path / "gate.yaml"
    gate.write_text(f"schema: audit/gate@1\nfail_on: {{severity: {severity}}}\n")
    given = {
        "AUDIT_HOME": str(ROOT), "AUDIT_TARGET": CLIENT, "AUDIT_CAPTURES": captures(demo),
        "AUDIT_GATE": str(gate), "AUDIT_BASELINE": str(demo.reports / CLIENT / "result.json"),
    }  # fmt: skip
    assert given.keys() <= job["variables"].keys()
    variables = {key: str(value) for key, value in job["variables"].items()} | given
    done = shell("\n".join([*job["before_script"], *job["script"]]), tmp_path, **variables)
    assert done.returncode == code, done.stdout + done.stderr
    out = variables["AUDIT_OUT"]
    kept = [*job["artifacts"]["paths"], job["artifacts"]["reports"]["junit"]]
    for name in kept:
        assert (tmp_path / name.replace("$AUDIT_OUT", out)).is_file(), name


def hooks() -> dict[str, dict]:
    return {hook["id"]: hook for hook in load(".pre-commit-hooks.yaml")}


def test_pre_commit_hooks_pass_a_sound_policy_and_refuse_a_broken_one(tmp_path: Path) -> None:
    policy = Path(shutil.copytree(ROOT / "policies/generic", tmp_path / "mine"))
    path = f"{ROOT / '.venv/bin'}:{os.environ['PATH']}"
    for hook in hooks().values():
        done = shell(f"{hook['entry']} mine", tmp_path, PATH=path)
        assert done.returncode == 0, done.stdout + done.stderr
    check = next((policy / "checks").glob("*.yaml"))
    check.write_text(check.read_text().replace("    match:", "    matc:"))
    for hook in hooks().values():
        done = shell(f"{hook['entry']} mine", tmp_path, PATH=path)
        assert done.returncode == 2, done.stdout + done.stderr
        assert check.name in done.stderr + done.stdout


def test_pre_commit_hooks_watch_every_file_of_a_policy_and_no_other() -> None:
    (pattern,) = {hook["files"] for hook in hooks().values()}
    for path in (ROOT / "policies").rglob("*.yaml"):
        assert re.search(pattern, path.relative_to(ROOT).as_posix()), path
    for name in ("policies/mine/source.txt", "policies/mine/source-2.txt", "messages.txt"):
        assert re.search(pattern, name), name
    for name in ("README.md", "docs/gate.md", "audit/cli/run.py", "policies/x/driver.py"):
        assert not re.search(pattern, name)
