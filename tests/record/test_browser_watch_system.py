"""The instrument and the export in Debian's Chromium, against pages that try to defeat them."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from audit.record import browser_recording, browser_storage
from audit.record.browser_launch import BrowserFacts
from audit.record.browser_log import BrowserLog
from audit.record.browser_recording import Recording
from audit.record.browser_steps import Performer
from audit.yamlfile.steps import StepsFile
from tests.record.sites import Site

pytestmark = [pytest.mark.system]
PAGE = "https://site.invalid/"
BROKEN = b"<a href='https://[x/y.deb'>c</a><form action='https://[x/'></form>"
DRAW = """
const c = document.createElement("canvas");
c.getContext("2d").fillText("x", 1, 9);
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recording]:
    """A browser without any network, which is never told so."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium")
    if program is None:
        pytest.skip("Debian's chromium is not installed: apt-get install chromium")
    folder = tmp_path_factory.mktemp("browser")
    facts = BrowserFacts(
        program=program, start=PAGE, folder=str(folder / "out"),
        profile=str(folder / "profile"), consent="refuse",
    )  # fmt: skip
    with sync_playwright() as playwright:
        made = Recording(
            facts=facts, playwright=playwright, log=BrowserLog(folder / "out", facts.told())
        )
        made._launch()
        made._plant()
        yield made
        made.context.close()
        made.log.close()


@pytest.fixture
def run(browser: Recording) -> Callable[..., list[dict[str, Any]]]:
    """Give a function that runs a script in a page of its own and returns the new facts."""

    def run_script(script: str, header: dict[str, str] | None = None) -> list[dict[str, Any]]:
        file = browser.log.folder / "browser.jsonl"
        before = len(file.read_text().splitlines())
        page = browser.context.new_page()
        browser._watch(page)
        page.route("**/*", lambda route: route.fulfill(
            body=f"<!doctype html><title>t</title><script>{script}</script>",
            headers={"content-type": "text/html", **(header or {})},
        ) if route.request.resource_type == "document" else route.fulfill(body=""))  # fmt: skip
        page.goto(PAGE)
        page.wait_for_timeout(300)
        browser.site = "site.invalid"
        from audit.record.browser_storage import Export

        Export(browser._watch(page), browser.log, 1, "site.invalid").take()
        page.close()
        return [json.loads(line) for line in file.read_text().splitlines()[before:]]

    return run_script


def calls(facts: list[dict[str, Any]]) -> set[str]:
    return {fact["api"] for fact in facts if fact["kind"] == "call"}


def test_calls_that_tell_browsers_apart_are_seen(run: Any) -> None:
    script = (
        DRAW
        + """
    c.toDataURL(); c.getContext("2d").getImageData(0, 0, 1, 1);
    const gl = document.createElement("canvas").getContext("webgl");
    if (gl) { gl.getExtension("WEBGL_debug_renderer_info"); gl.getParameter(0x9246); }
    new OfflineAudioContext(1, 44100, 44100).startRendering();
    navigator.hardwareConcurrency; navigator.plugins;
    navigator.userAgentData && navigator.userAgentData.getHighEntropyValues(["model"]);
    const pen = c.getContext("2d");
    for (let i = 0; i < 25; i += 1) { pen.font = `12px font${i}`; pen.measureText("m"); }
    """
    )
    found = calls(run(script))
    assert {
        "canvas.toDataURL", "canvas.getImageData", "audio.startRendering", "fonts.manyMeasured",
        "device.hardwareConcurrency", "device.plugins", "device.getHighEntropyValues",
    } <= found  # fmt: skip


def test_a_quiet_page_calls_nothing(run: Any) -> None:
    script = 'document.title = "x"; localStorage.getItem("a"); c = [1].map(String);'
    assert not calls(run(script))


@pytest.mark.parametrize(
    "defeat",
    [
        "console.debug = () => {}; console.log = () => {};",
        "JSON.stringify = String.prototype.split = RegExp.prototype.test = () => 0;",
        "Reflect.apply = Function.prototype.apply = Function.prototype.call = () => 0;",
        "WeakMap.prototype.get = WeakMap.prototype.has = () => undefined;",
        "Object.defineProperty = Reflect.defineProperty = () => true;",
        "delete HTMLCanvasElement.prototype.toBlob; window.Proxy = undefined;",
    ],
)
def test_a_page_that_overwrites_its_world_is_seen_all_the_same(run: Any, defeat: str) -> None:
    assert "canvas.toDataURL" in calls(run(defeat + DRAW + "c.toDataURL();"))


def test_a_fresh_frame_gives_no_untouched_copy(run: Any) -> None:
    script = (
        DRAW
        + """
    const f = document.createElement("iframe");
    document.documentElement.append(f);
    f.contentWindow.HTMLCanvasElement.prototype.toDataURL.call(c);
    """
    )
    assert "canvas.toDataURL" in calls(run(script))


def test_a_page_cannot_tell_by_printing_or_counting(run: Any) -> None:
    script = """
    const own = HTMLCanvasElement.prototype.toDataURL;
    const told = [
      own.toString(), Function.prototype.toString.call(own), Function.prototype.toString.toString(),
      own.name, own.length, Object.keys(window).filter((k) => /audit/i.test(k)).length,
      String(navigator.webdriver),
    ];
    document.cookie = "told=" + encodeURIComponent(JSON.stringify(told));
    """
    (cookie,) = [f for f in run(script) if f["kind"] == "cookie" and f["name"] == "told"]
    assert json.loads(unquote(cookie["value"])) == [
        "function toDataURL() { [native code] }", "function toDataURL() { [native code] }",
        "function toString() { [native code] }", "toDataURL", 0, 0, "false",
    ]  # fmt: skip


def test_a_page_cannot_forge_reports(run: Any) -> None:
    script = 'console.debug("guess\\x1fcall\\x1fcanvas.toDataURL\\x1f1\\x1f");'
    assert not calls(run(script))


def test_workers_are_told_as_out_of_reach(run: Any) -> None:
    script = 'new Worker(URL.createObjectURL(new Blob(["1"])));'
    facts = run(script)
    assert "worker.dedicated" in calls(facts)
    (gap,) = [fact for fact in facts if fact["kind"] == "gap"]
    assert gap["blocks"] == "scripts"
    assert "worker" in gap["what"]


def test_storage_of_every_kind_is_taken_down_whatever_a_page_overwrites(run: Any) -> None:
    script = """
    localStorage.setItem("mark", "l1"); sessionStorage.setItem("tab", "s1");
    document.cookie = "byscript=1; max-age=600; path=/";
    caches.open("box").then((box) => box.put("/kept?id=1", new Response("x")));
    const asked = indexedDB.open("db", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("s").put({id: "deadbeef"}, "k");
    Storage.prototype.getItem = () => null;
    indexedDB.databases = () => Promise.resolve([]);
    """
    facts = run(script, {"set-cookie": "byheader=1; Max-Age=900; HttpOnly"})
    stored = {(f["area"], f["key"]): f["value"] for f in facts if f["kind"] == "stored"}
    assert stored["local", "mark"] == "l1"
    assert stored["session", "tab"] == "s1"
    assert json.loads(stored["indexed", "db/s/k"]) == {"id": "deadbeef"}
    assert stored["cache", f"box {PAGE}kept?id=1"] == f"{PAGE}kept?id=1"
    kept = {f["name"]: f for f in facts if f["kind"] == "cookie"}
    assert kept["byheader"]["http_only"] is True
    assert kept["byscript"]["expires"]
    ways = {(f["text"].partition("=")[0], f["by"]) for f in facts if f["kind"] == "set-cookie"}
    assert ("byscript", "script") in ways


def test_a_cache_beyond_the_bound_is_told(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser_storage, "_MOST_VALUES", 2)
    script = """
    for (const name of ["a", "b", "c"])
      caches.open("many").then((box) => box.put("/kept/" + name, new Response("x")));
    """
    facts = run(script)
    assert any(
        f["kind"] == "gap" and "keeps more than 2" in f["what"] and f["blocks"] == "storage"
        for f in facts
    )


def test_time_passes_for_cookies_alone(browser: Recording) -> None:
    wire = browser.watch.wire
    now = browser.page.evaluate("Date.now() / 1000")
    for name, more in (
        ("short", {"expires": now + 3600}), ("long", {"expires": now + 90 * 86400}), ("tab", {}),
    ):  # fmt: skip
        wire.send("Network.setCookie", {"name": name, "value": "v", "url": PAGE, **more})
    from audit.bundle.layout import CONTROL_HOST
    from audit.record.browser_storage import age_cookies

    age_cookies(wire, 31 * 86400, CONTROL_HOST)
    cookies = {c["name"]: c for c in wire.send("Network.getAllCookies")["cookies"]}
    assert {"short", "tab"}.isdisjoint(cookies)
    assert cookies["long"]["expires"] == pytest.approx(now + 59 * 86400, abs=5)
    assert cookies["long"]["domain"] == "site.invalid"
    assert cookies["audit_control"]["expires"] > now + 300 * 86400


def test_the_folder_of_the_evidence_is_the_readers(browser: Recording, run: Any) -> None:
    from audit.readers.browser import read_browser

    run(DRAW + 'c.toDataURL(); localStorage.setItem("a", "b");')
    found = read_browser(Path(browser.log.folder) / "browser.jsonl", "c")
    assert found.extract.rows["script_calls"]
    assert found.extract.rows["web_storage"]


@pytest.mark.parametrize(
    ("step", "ok"),
    [({"at": "/files"}, True), ({"at": "/none"}, False), ({}, True), ({"link": "#by-hand"}, True)],
)
def test_a_file_comes_from_the_page_that_steps_name(
    browser: Recording, monkeypatch: pytest.MonkeyPatch, step: dict[str, str], *, ok: bool
) -> None:
    html = {"content-type": "text/html"}
    said = io.StringIO()
    monkeypatch.setattr(browser_recording, "lines_out", said)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    steps = StepsFile.model_validate(
        {"schema": "audit/steps@1", "steps": [{"visit": "/"}, {"download": step}]}
    )
    with Site() as site:
        site.answers = {
            "/": (200, html, b"<a href=/none>n</a> <a id=by-hand href=/x.deb>b</a>" + BROKEN),
            "/files": (200, html, b"<a href=/none>n</a> <a href=/x.deb download>b</a>"),
            "/none": (200, html, b"<a href=/>h</a>"),
            "/x.deb": (200, {"content-type": "application/octet-stream"}, b"file"),
        }
        Performer(
            recording=browser, steps=steps, subject={}, start=f"{site.url}/", consent="refuse"
        ).run()
    told = [json.loads(line) for line in said.getvalue().splitlines()]
    assert [line["ok"] for line in told if line["action"] == "web.download"] == [ok]
