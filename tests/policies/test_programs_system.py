"""Programs of another kind, recorded on the lab's web site and judged by the generic pack."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conftest import run_audit
from tests.policies.conftest import namespaces_refused

pytestmark = [pytest.mark.system]

BROWSER = [
    "chromium", "--headless", "--no-sandbox", "--disable-gpu",
    "--virtual-time-budget=3000", "--dump-dom",
]  # fmt: skip
ARCHIVE = """
set -e
d=$HOME/apt
mkdir -p $d/lists/partial $d/cache/archives/partial
echo "deb [trusted=yes] http://site.example/debian ./" > $d/sources.list
exec apt-get update -o Dir::Etc::sourcelist=$d/sources.list -o Dir::Etc::sourceparts=/dev/null \
  -o Dir::State::lists=$d/lists -o Dir::Cache=$d/cache -o APT::Sandbox::User= \
  -o Debug::NoLocking=1 -o Acquire::Languages=none
"""


@dataclass(frozen=True)
class Judged:
    """What ``audit run`` said of a recording."""

    code: int
    clauses: dict[str, str]
    messages: list[str] = field(default_factory=list)


def audited(folder: Path, target: str, *command: str, passes: str = "passive") -> Judged:
    """Record a program in the lab and judge it by the generic pack."""
    if namespaces_refused():
        pytest.skip("this machine refuses network namespaces")
    if shutil.which(command[0]) is None:
        pytest.skip(f"this machine has no {command[0]}")
    recorded = run_audit(
        "record", "--target", target, "--lab", "--pass", passes, "--name", "it",
        "--out", folder, "--", *command, timeout_s=120,
    )  # fmt: skip
    assert recorded.code == 0, recorded.err
    bundles = sorted(path for path in folder.iterdir() if path.is_dir())
    ran = run_audit("run", *bundles, "--out", folder.with_name("report"), "--format", "json")
    result = json.loads((folder.with_name("report") / "result.json").read_text())
    return Judged(
        code=ran.code,
        clauses={clause["id"]: clause["outcome"] for clause in result["clauses"]},
        messages=[f["message"] for v in result["verdicts"] for f in v["findings"]],
    )


KEPT = {
    "no-tracker": "pass",
    "no-plaintext-credential": "pass",
    "no-device-detail": "pass",
    "no-shadow-identifier": "not_applicable",
    "bounded-cookies": "pass",
}
"""What can be proven of a program that is no web site."""


def test_a_plain_download_and_one_with_a_password_inside_tls_pass(tmp_path: Path) -> None:
    judged = audited(
        tmp_path / "c", "curl", "curl", "-ksS", "-u", "ada:sesame", "https://site.example/account",
        "--next", "-sS", "http://site.example/", passes="both",
    )  # fmt: skip
    assert (judged.code, judged.clauses) == (0, KEPT), judged.messages


def test_a_password_a_tracker_and_a_device_in_a_download_are_found(tmp_path: Path) -> None:
    judged = audited(
        tmp_path / "c", "curl", "curl", "-sS", "-u", "ada:sesame", "-H", "X-Device-Model: Pixel 8",
        "http://site.example/account", "http://google-analytics.com/collect",
    )  # fmt: skip
    assert judged.code == 1
    assert judged.clauses == KEPT | {
        "no-tracker": "fail",
        "no-plaintext-credential": "fail",
        "no-device-detail": "fail",
    }
    assert "contacted google-analytics.com (198.51.100.33)" in judged.messages


def test_a_package_manager_passes(tmp_path: Path) -> None:
    if shutil.which("apt-get") is None:
        pytest.skip("this machine has no apt-get")
    judged = audited(tmp_path / "c", "apt", "sh", "-c", ARCHIVE)
    assert (judged.code, judged.clauses) == (0, KEPT), judged.messages


def test_a_browser_on_a_quiet_page_passes(tmp_path: Path) -> None:
    judged = audited(tmp_path / "c", "chromium", *BROWSER, "http://site.example/")
    assert (judged.code, judged.clauses) == (0, KEPT), judged.messages


def test_a_browser_on_a_page_that_tracks_is_found_out(tmp_path: Path) -> None:
    judged = audited(tmp_path / "c", "chromium", *BROWSER, "http://site.example/tracked")
    assert judged.code == 1
    assert judged.clauses["no-tracker"] == "fail"
    assert judged.clauses["bounded-cookies"] == "fail"
    assert "looked up google-analytics.com" in judged.messages
