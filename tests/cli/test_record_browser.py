"""Options of a website's recording, before anything is recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.checks.targets import locate_target
from audit.cli.record_browser import each_consent, plan_browser, stem_of
from audit.cli.recordings import Request
from audit.errors import UsageError
from audit.record.browser import BrowserPlan
from tests.conftest import run_audit


def plan(url: str | None, **more: object) -> BrowserPlan | None:
    given = {"steps": None, "test": None, "program": None, "in_lab": False, "command": ()} | more
    return plan_browser(url, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "more"),
    [
        (None, {"steps": Path("steps.yaml")}),
        (None, {"test": Path("test_x.py")}),
        (None, {"program": "chromium"}),
        ("site.example", {"command": ("curl",)}),
        ("site.example", {"steps": Path("a"), "test": Path("b")}),
        ("site.example", {"test": Path("no-such-file.py")}),
        ("ftp://site.example", {}),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    url: str | None, more: dict[str, object]
) -> None:
    with pytest.raises(UsageError):
        plan(url, **more)


def test_without_an_address_no_website_is_recorded() -> None:
    assert plan(None) is None


def request(browser: BrowserPlan | None) -> Request:
    policy, target = locate_target("website", None)
    return Request(policy=policy, target=target, browser=browser)


def test_one_recording_for_each_answer() -> None:
    made = BrowserPlan(program="/bin/true", start="https://site.example/")
    runs = each_consent(request(made), None)
    assert [(one.browser.consent, name) for one, name in runs if one.browser] == [
        ("refuse", "-refuse"),
        ("accept", "-accept"),
    ]
    ((one, name),) = each_consent(request(made), "accept")
    assert (one.browser and one.browser.consent, name) == ("accept", "")
    with pytest.raises(UsageError):
        each_consent(request(None), "accept")
    assert len(each_consent(request(None), None)) == 1


def test_a_test_answers_consent_itself() -> None:
    made = BrowserPlan(
        program="/bin/true", start="https://site.example/", test=Path("test_site.py")
    )
    ((_, name),) = each_consent(request(made), None)
    assert name == ""
    with pytest.raises(UsageError):
        each_consent(request(made), "accept")


def test_a_capture_is_named_for_the_host() -> None:
    assert (
        stem_of("https://www.site.example/a") == stem_of("www.site.example") == "www.site.example"
    )


def test_a_mistake_in_the_steps_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "steps.yaml").write_text("schema: audit/steps@1\nsteps:\n  - {vist: /}\n")
    ran = run_audit(
        "record", "--browser", "https://site.example", "--target", "website",
        "--steps", tmp_path / "steps.yaml", "--out", tmp_path / "c",
    )  # fmt: skip
    assert ran.code == 2
    assert "steps.yaml:3:" in ran.err
    assert not (tmp_path / "c").exists()
