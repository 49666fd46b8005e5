"""The page in Debian's Chromium."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from audit.model.result import Result
from audit.report.html import render_html
from audit.report.index import render_index
from tests.conftest import ROOT

from . import results
from .hostile import hostile
from .pages import Page

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("browser")]

SAMPLE = ROOT / "reports" / "sample" / "result.json"
WATCH = "window.violations = []; document.addEventListener('securitypolicyviolation', e => violations.push(e.violatedDirective + ' ' + e.blockedURI))"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Reports as the demo lays them out, one of them hostile, and the page over them."""
    root = tmp_path_factory.mktemp("reports")
    made = {
        "session-python": results.session_python(),
        "sessionpy-messenger": results.messenger(),
        "misbehaving": results.misbehaving(),
        "hostile": hostile(results.session_python()),
        "sample": Result.model_validate_json(SAMPLE.read_bytes()),
        "empty": results.make_result([], captures=[]),
    }
    for name, result in made.items():
        (root / name).mkdir()
        (root / name / "index.html").write_text(render_html(result), encoding="utf-8")
    entries = [(name, result, f"{name}/index.html") for name, result in made.items()]
    (root / "index.html").write_text(render_index(entries), encoding="utf-8")
    return root


@pytest.fixture
def visit(chromium, folder):
    """Opens a page; when the test ends, nothing may have been said on the console, blocked or loaded."""
    contexts, said, asked = [], [], []

    def open_page(name: str, **options):
        options.setdefault("viewport", {"width": 1280, "height": 900})
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(WATCH)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.on("request", lambda request: asked.append(request.url))
        page.goto((folder / name).as_uri())
        return page

    yield open_page
    for context in contexts:
        for page in context.pages:
            if page.evaluate("typeof violations") != "undefined":
                said.extend(page.evaluate("violations"))
        context.close()
    assert said == []
    assert {urlsplit(url).scheme for url in asked} <= {"file"}


PAGES = [
    "index.html",
    "session-python/index.html",
    "misbehaving/index.html",
    "sample/index.html",
    "hostile/index.html",
    "empty/index.html",
]


def overflow(page) -> int:
    return page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [320, 768, 1280])
def test_no_page_scrolls_sideways(visit, name, width):
    page = visit(name, viewport={"width": width, "height": 700})
    assert overflow(page) == 0
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert overflow(page) == 0


@pytest.mark.parametrize("name", PAGES)
def test_links_resolve(folder, name):
    page = Page((folder / name).read_text(encoding="utf-8"))
    assert page.links
    for link in page.links:
        parts = urlsplit(link)
        path = (folder / name).parent / unquote(parts.path) if parts.path else folder / name
        ids = page.ids if not parts.path else Page(path.read_text(encoding="utf-8")).ids
        assert not parts.fragment or parts.fragment in ids, link


def test_a_sentence_leads_to_its_check_and_back(visit):
    page = visit("session-python/index.html")
    page.click("#clause-app\\.contacts .checks a")
    assert page.url.endswith("#check-session.app.contacts-beside-address")
    assert page.locator("#check-session\\.app\\.contacts-beside-address").bounding_box()["y"] < 900
    page.click("#check-session\\.app\\.contacts-beside-address .colophon a")
    assert page.url.endswith("#clause-app.contacts")


def test_a_link_into_folded_findings_unfolds_them(visit):
    page = visit("misbehaving/index.html")
    folded = page.locator("details.more .finding").first
    assert not folded.is_visible()
    page.evaluate("id => location.hash = id", folded.get_attribute("id"))
    folded.wait_for(state="visible", timeout=5000)


def test_dark_mode_is_dark_and_light_mode_light(visit):
    def paper(scheme: str) -> int:
        page = visit("session-python/index.html", color_scheme=scheme)
        return sum(
            map(
                int,
                page.evaluate(
                    "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3)"
                ),
            )
        )

    assert paper("dark") < 120
    assert paper("light") > 700


def test_print_shows_folded_evidence_on_white_paper(visit):
    page = visit("misbehaving/index.html", color_scheme="dark")
    page.emulate_media(media="print")
    assert not page.locator(".filter").is_visible()
    last = page.locator("details.more .finding .excerpt").last
    assert last.bounding_box()["height"] > 10
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    pdf = page.pdf(prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF-")
    assert len(pdf) > 20_000


def test_page_reads_without_javascript(visit):
    page = visit("session-python/index.html", java_script_enabled=False)
    assert not page.locator(".filter").is_visible()
    assert page.locator("h1").inner_text().startswith("session-python 1.0.5 against")
    second = page.locator(".finding .evidence").nth(1)
    assert not second.locator(".excerpt").is_visible()
    second.locator("summary").click()
    assert second.locator(".excerpt").is_visible()


def test_keyboard_reaches_the_verdict_first_and_unfolds_evidence(visit):
    page = visit("session-python/index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    summary = page.locator(".finding .evidence summary").nth(1)
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator(".finding .evidence .excerpt").nth(1).is_visible()


def test_hostile_values_do_nothing(visit):
    page = visit("hostile/index.html")
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert (
        page.evaluate(
            "document.querySelectorAll('script:not(:last-of-type), img, iframe, [onload], [onerror], [onmouseover]').length"
        )
        == 0
    )


def test_filter_by_words_outcome_and_severity_and_back(visit):
    page = visit("session-python/index.html")
    verdicts = page.locator(".verdict:visible")
    everything = verdicts.count()
    page.get_by_label("Search sentences, checks and findings").fill("CONTACT pubkey")
    page.locator(".shown:not(:empty)").wait_for()
    assert verdicts.evaluate_all("all => all.map(one => one.id)") == [
        "check-session.app.contacts-beside-address"
    ]
    page.get_by_role("button", name="Show all").click()
    assert verdicts.count() == everything
    page.locator(".pick", has_text="Kept").click()
    assert page.locator(".verdict.kept:visible, .clause.o-pass:visible").count() == 0
    page.get_by_label("Severity, at least").select_option("Critical")
    assert set(verdicts.evaluate_all("all => all.map(one => one.dataset.severity)")) == {"0"}
    assert page.get_by_role("status").inner_text().endswith("shown")


def test_filter_shows_only_the_findings_that_hold_the_words(visit):
    page = visit("misbehaving/index.html")
    page.get_by_label("Search sentences, checks and findings").fill("$.device[13]")
    page.locator(".shown:not(:empty)").wait_for()
    shown = page.locator(".finding:visible")
    assert shown.count() == 1
    assert "$.device[13]" in shown.inner_text()


def test_a_link_to_what_the_filter_hides_shows_all_again(visit):
    page = visit("session-python/index.html")
    page.get_by_label("Search sentences, checks and findings").fill("nothing holds this")
    page.locator(".shown:not(:empty)").wait_for()
    assert page.locator(".verdict:visible").count() == 0
    page.locator(".document a.quote").first.press("Enter")
    assert page.locator("#clause-app\\.identity").is_visible()


def test_on_a_phone_no_plain_table_scrolls_sideways(visit):
    page = visit("session-python/index.html", viewport={"width": 360, "height": 780})
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    wide = "all => all.filter(t => t.scrollWidth > t.parentElement.clientWidth).length"
    assert page.locator(".scroll > table.stacks").count() > 0
    assert page.locator(".scroll > table.stacks").evaluate_all(wide) == 0
    cell = page.locator("table.stacks td").first
    assert cell.evaluate("c => getComputedStyle(c, '::before').content").strip('"')


def test_each_width_has_its_own_drawing_of_the_flow(visit):
    for width, shown in ((1280, "wide"), (360, "narrow")):
        page = visit("session-python/index.html", viewport={"width": width, "height": 700})
        drawings = page.locator("svg.flow:visible")
        assert drawings.count() == 1
        assert shown in drawings.get_attribute("class")
        assert drawings.get_attribute("aria-label").startswith("Flow of data from")


def test_two_thousand_findings_paint_at_once_and_stay_searchable(visit, folder):
    path = folder / "many" / "index.html"
    path.parent.mkdir()
    path.write_text(render_html(results.misbehaving(2000)), encoding="utf-8")
    assert path.stat().st_size < 10_000_000
    page = visit("many/index.html")
    painted = page.evaluate(
        "new Promise(done => new PerformanceObserver(list => done(list.getEntries()[0].startTime))"
        ".observe({type: 'paint', buffered: true}))"
    )
    assert painted < 2_000
    page.get_by_label("Search sentences, checks and findings").fill("$.device[1999]")
    page.locator(".finding:visible", has_text="$.device[1999]").wait_for(timeout=10_000)
    assert page.locator(".finding:visible").count() == 1


def axe() -> str:
    """axe-core as a locked development dependency brings it; nothing is fetched."""
    return resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_barrier(visit, name, scheme):
    source = axe()
    page = visit(name, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.evaluate(source)
    found = page.evaluate(
        "axe.run().then(r => r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html).slice(0, 3).join(' | ')))"
    )
    assert found == []
