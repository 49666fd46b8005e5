"""A website that keeps its promises and one that breaks each of them, told apart item by item."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from audit.bundle.folder import open_bundle
from audit.evidence.capture import read_capture
from tests.policies.website import CLEAN, VIOLATING, Judged, record_and_judge

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.system]

SHOWN = (
    "cookies-max-6-months", "listed-storage-only", "newsletter-only-after-submission",
    "newsletter-recipients", "no-email-beside-browsing", "no-tracker", "no-undisclosed-processor",
    "no-visitor-id", "served-by-cloudflare",
)  # fmt: skip
"""Checks that a recorded browser decides."""
ASKED = ("cloudflare-logs-max-7-days", "newsletter-deleted-on-unsubscribe", "newsletter-provider",
         "no-profile-records", "records-max-6-months")  # fmt: skip
"""Checks that only the operator's records decide."""


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    return record_and_judge(tmp_path_factory.mktemp("clean"), CLEAN, "--consent", "refuse")


@pytest.fixture(scope="module")
def violating(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    return record_and_judge(tmp_path_factory.mktemp("viol"), VIOLATING, "--consent", "refuse")


def test_the_clean_site_passes_what_a_browser_can_show_and_says_the_rest(clean: Judged) -> None:
    assert clean.outcomes == dict.fromkeys(SHOWN, "pass") | dict.fromkeys(ASKED, "not_observable")
    assert clean.code == 4
    assert "calls inside workers" in clean.limits
    assert "nothing was accepted" in clean.limits


def test_each_planted_violation_is_a_finding_in_its_clause(violating: Judged) -> None:
    assert violating.code == 1
    assert {name for name, outcome in violating.outcomes.items() if outcome == "fail"} == set(SHOWN)
    found = violating.messages
    assert "cookie visitor of next.getsession.org lives 395d" in found["web.six-months"]
    assert (
        "storage key uid holds an identifier-like value and never expires"
        in found["web.six-months"]
    )
    assert {
        "stats.getsession.org stands for collect.google-analytics.com",
        "a script of next.getsession.org called canvas.toDataURL",
        "storage key uid holds an identifier-like value",
        "cookie visitor of next.getsession.org outlives the visit",
        "email sent to next.getsession.org in query email as percent",
    } <= found["web.no-linking"]
    assert {
        "cookie visitor of next.getsession.org has no stated purpose",
        "storage key uid has no stated purpose",
    } <= found["web.limited-data"]
    assert found["web.newsletter-stored"] == {
        "email sent to metrics.example before the form was submitted, in query v as base64"
    }
    assert "a page contacted metrics.example" in found["web.cloudflare"]


def test_every_action_was_proven_by_rows(clean: Judged, violating: Judged) -> None:
    for judged in (clean, violating):
        actions = [a for a in judged.result["coverage"]["actions"] if a["driver"] == "script"]
        assert {a["name"] for a in actions} == {
            "web.visit", "web.consent.refuse", "web.newsletter.subscribe", "web.download",
            "web.revisit",
        }  # fmt: skip
        assert {a["corroborated_by"] for a in actions} == {"rows"}


def test_the_question_of_consent_was_refused_where_there_is_one(
    clean: Judged, violating: Judged
) -> None:
    assert [fact["asked"] for fact in clean.facts("consent")] == [False]
    (answer,) = violating.facts("consent")
    assert (answer["asked"], answer["button"], answer["ok"]) == (True, "Reject all", True)


def test_nothing_but_the_site_was_asked(clean: Judged) -> None:
    tables = read_capture(open_bundle(clean.bundle)).tables
    names = set(tables["dns_queries"]["name"])
    assert names == {"getsession.org"}
    hosts = set(tables["http_requests"].query("process == 'app'")["host"])
    assert hosts == {"getsession.org"}


def test_pictures_lie_in_the_bundle_at_both_sizes(clean: Judged) -> None:
    shots = clean.facts("screenshot")
    assert {shot["size"] for shot in shots} == {"desktop", "phone"}
    for shot in shots:
        assert (clean.bundle / "storage" / shot["file"]).read_bytes().startswith(b"\x89PNG")


def test_requests_carry_frame_and_initiator_and_forms_their_destination(violating: Judged) -> None:
    tables = read_capture(open_bundle(violating.bundle)).tables
    script = tables["page_requests"].query("path == '/collect'").iloc[0]
    assert (script["host"], script["frame"], script["initiator_host"]) == (
        "stats.getsession.org", "next.getsession.org", "next.getsession.org",
    )  # fmt: skip
    assert set(tables["page_forms"]["method"]) == {"GET"}


def test_the_subject_stands_in_no_result(violating: Judged) -> None:
    identity = json.loads((violating.bundle / "identity.json").read_text())
    email = next(i["value"] for i in identity["identifiers"] if i["kind"] == "email")
    assert email not in json.dumps(violating.result)


def test_the_test_of_the_documentation_records_a_bundle(tmp_path: Path) -> None:
    """A Playwright test of the auditor's own: its actions are proven as those of steps are."""
    text = (ROOT / "docs" / "website.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    file = tmp_path / "test_site.py"
    code = code.replace("https://site.example/shop", f"{VIOLATING}faq.html")
    file.write_text(code.replace("https://site.example/", VIOLATING))
    judged = record_and_judge(tmp_path, VIOLATING, "--test", file)
    actions = [a for a in judged.result["coverage"]["actions"] if a["driver"] == "script"]
    assert [(a["name"], a["corroborated_by"]) for a in actions] == [
        ("web.visit", "rows"), ("web.visit", "rows"), ("web.revisit", "rows"),
    ]  # fmt: skip
    assert judged.outcomes["cookies-max-6-months"] == "fail"
    assert judged.outcomes["newsletter-recipients"] == "inconclusive"


def test_steps_of_ones_own_are_followed_and_consent_is_accepted(tmp_path: Path) -> None:
    steps = tmp_path / "steps.yaml"
    steps.write_text(
        "schema: audit/steps@1\n"
        "consent: {accept: '#yes'}\n"
        "steps:\n"
        "  - {visit: /faq.html}\n"
        "  - {click: 'nav a'}\n"
        "  - {download: {at: /download.html, link: 'a[download]'}}\n"
    )
    judged = record_and_judge(tmp_path, VIOLATING, "--steps", steps, "--consent", "accept")
    names = [a["name"] for a in judged.result["coverage"]["actions"] if a["driver"] == "script"]
    assert names == ["web.visit", "web.consent.accept", "web.visit", "web.download"]
    (answer,) = judged.facts("consent")
    assert (answer["answer"], answer["button"]) == ("accept", "#yes")
    assert judged.outcomes["no-visitor-id"] == "fail"
    assert judged.outcomes["newsletter-only-after-submission"] == "inconclusive"
