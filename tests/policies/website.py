"""The lab's website, recorded with Debian's Chromium and judged by the session pack."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from audit.lab.edge import find_nginx
from tests.conftest import run_audit
from tests.policies.conftest import namespaces_refused

CLEAN = "https://getsession.org/"
VIOLATING = "https://next.getsession.org/"


@dataclass(frozen=True)
class Judged:
    """What ``audit run`` said of a recording."""

    bundle: Path
    code: int
    result: dict[str, Any]

    @property
    def outcomes(self) -> dict[str, str]:
        """Return the outcome of each check of the website."""
        return {
            verdict["check"].removeprefix("session.web."): verdict["outcome"]
            for verdict in self.result["verdicts"]
            if verdict["check"].startswith("session.web.")
        }

    @property
    def messages(self) -> dict[str, set[str]]:
        """Return what was found, clause by clause."""
        found: dict[str, set[str]] = {}
        for verdict in self.result["verdicts"]:
            messages = {finding["message"] for finding in verdict["findings"]}
            found.setdefault(verdict["clause"], set()).update(messages)
        return found

    @property
    def limits(self) -> str:
        """Return the limits printed with the recording, in one text."""
        return " ".join(self.result["captures"][0]["limits"])

    def facts(self, kind: str) -> list[dict[str, Any]]:
        """Return the browser's facts of a kind."""
        lines = (self.bundle / "storage" / "browser.jsonl").read_text().splitlines()
        return [fact for fact in map(json.loads, lines) if fact["kind"] == kind]


def require_parts() -> None:
    """Skip where this machine lacks what a website is recorded with."""
    if namespaces_refused():
        pytest.skip("this machine refuses network namespaces")
    if shutil.which("chromium") is None:
        pytest.skip("Debian's chromium is not installed: apt-get install chromium")
    if find_nginx() is None:
        pytest.skip("nginx is not installed: apt-get install nginx-light")


def record_and_judge(folder: Path, url: str, *options: object) -> Judged:
    """Record a website of the lab and judge it."""
    require_parts()
    recorded = run_audit(
        "record", "--browser", url, "--target", "website", "--lab", "--name", "it",
        "--out", folder / "captures", *options, timeout_s=180,
    )  # fmt: skip
    assert recorded.code == 0, recorded.err
    (bundle,) = [path for path in (folder / "captures").iterdir() if path.is_dir()]
    ran = run_audit("run", bundle, "--out", folder / "report", "--format", "json")
    result = json.loads((folder / "report" / "result.json").read_text())
    return Judged(bundle=bundle, code=ran.code, result=result)
