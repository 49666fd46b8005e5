"""A browser as the client: what it needs, what is kept of it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from audit.errors import SetupError, UsageError
from audit.record import browser
from audit.record.browser_launch import read_facts
from audit.record.persona import draw_persona
from audit.record.workspace import Workspace


@pytest.fixture
def space():
    made = Workspace.create()
    yield made
    made.remove()


def test_an_address_gets_its_scheme_and_its_path() -> None:
    assert browser.check_address("site.example") == "https://site.example/"
    assert browser.check_address("http://site.example/a") == "http://site.example/a"
    assert browser.check_address("site.example?from=a") == "https://site.example/?from=a"
    for text in ("", "ftp://site.example", "https://", "file:///etc/passwd"):
        with pytest.raises(UsageError):
            browser.check_address(text)


def test_a_browser_that_is_not_there_is_told() -> None:
    with pytest.raises(SetupError) as caught:
        browser.find_browser("no-such-browser")
    assert caught.value.source == "no-such-browser"


def test_the_driver_gets_its_facts_and_our_modules(space: Workspace) -> None:
    plan = browser.BrowserPlan(program="/bin/chromium", start="https://site.example/", in_lab=True)
    found = plan.variables(space, draw_persona())
    facts = read_facts(Path(found["AUDIT_BROWSER"]))
    assert (facts.program, facts.trusts_all, facts.consent) == ("/bin/chromium", True, "refuse")
    assert Path(facts.folder) == browser.evidence_folder(space)
    assert str(Path(browser.__file__).parents[2]) in found["PYTHONPATH"].split(os.pathsep)


def test_evidence_is_kept_without_what_is_no_plain_file(space: Workspace, tmp_path: Path) -> None:
    folder = browser.evidence_folder(space)
    (folder / "screens").mkdir(parents=True)
    (folder / "browser.jsonl").write_text("{}\n")
    (folder / "screens" / "1.png").write_bytes(b"x")
    (folder / "passwd").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe")
    left = browser.keep_evidence(space, tmp_path)
    assert sorted(p.name for p in (tmp_path / "storage").rglob("*") if p.is_file()) == [
        "1.png", "browser.jsonl",
    ]  # fmt: skip
    assert left == [
        "storage/passwd is no plain file and was not kept",
        "storage/pipe is no plain file and was not kept",
    ]


def test_a_browser_that_left_nothing_is_told(space: Workspace, tmp_path: Path) -> None:
    assert browser.keep_evidence(space, tmp_path) == ["the browser left no evidence"]


def test_what_exceeds_the_room_is_left_and_told(
    space: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser, "MOST_KEPT_BYTES", 4)
    folder = browser.evidence_folder(space)
    folder.mkdir(parents=True)
    (folder / "a").write_bytes(b"1234")
    (folder / "b").write_bytes(b"5")
    (left,) = browser.keep_evidence(space, tmp_path)
    assert left.startswith("storage/b exceeds")
    assert json.dumps(left)
