"""A browser that is being recorded, as steps and tests drive it.

Runs in the audited client's place: the machine's network is the sandbox's, and what the browser
stored, called and asked for goes to a folder that the recorder takes into the bundle.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO
from urllib.parse import urlsplit

from audit.bundle.layout import CONTROL_HOST
from audit.errors import SetupError
from audit.record.browser_launch import BrowserFacts, launch_options, read_facts
from audit.record.browser_log import BrowserLog, first_line
from audit.record.browser_storage import Export, age_cookies
from audit.record.browser_watch import PageWatch

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Playwright

_LOAD_LIMIT_MS: Final = 30_000
_QUIET_LIMIT_MS: Final = 5_000
_PHONE: Final = {"width": 390, "height": 844}
_DESKTOP: Final = {"width": 1280, "height": 720}
_INSTRUMENT: Final = Path(__file__).with_name("browser_instrument.js")
_YEAR_S: Final = 365 * 86_400

lines_out: TextIO = sys.stdout
"""Where driver lines go; a test run puts its own output elsewhere."""


def address_digest(url: str) -> str:
    """Return how a journal names an address: SHA-256 of host and path, without query."""
    parts = urlsplit(url)
    return hashlib.sha256(f"{parts.hostname or ''}{parts.path or '/'}".encode()).hexdigest()


@dataclass(kw_only=True)
class Recording:
    """The browser, its evidence, and the lines of the journal."""

    facts: BrowserFacts
    playwright: Playwright
    log: BrowserLog
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    visit_number: int = 1
    phase: str = "first-launch"
    site: str = ""
    """Host of the first page visited."""
    context: BrowserContext = field(init=False)
    page: Page = field(init=False)
    watch: PageWatch = field(init=False)
    pages: list[str] = field(default_factory=list)
    """Addresses visited, in order."""
    _watches: dict[Page, PageWatch] = field(default_factory=dict)
    _workers: set[str] = field(default_factory=set)
    """Service workers that were told of."""
    _shots: int = 0

    # -- life ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the browser, plant the controls, take the first export."""
        self._launch()
        self._plant()
        self.line(None, note="the browser is up, no page was asked for yet")
        self.page.wait_for_timeout(1_000)

    def finish(self) -> None:
        """Take the last export, find the controls again, end the browser."""
        self.export()
        self._find_controls()
        self.context.close()
        self.log.close()

    def _launch(self) -> None:
        self.context = self.playwright.chromium.launch_persistent_context(
            **launch_options(self.facts)
        )
        script = _INSTRUMENT.read_text(encoding="ascii").replace("@TOKEN@", self.token)
        self.context.add_init_script(script)
        self.page = self.context.new_page()
        self.watch = self._watch(self.page)
        for other in self.context.pages:
            if other is not self.page:
                other.close()

    def _watch(self, page: Page) -> PageWatch:
        """Return the watch of a window: a page's own are watched from its first export on."""
        if page not in self._watches:
            wire = self.context.new_cdp_session(page)
            self._watches[page] = PageWatch(wire, self.log, self.token)
            page.on("worker", lambda worker: self._tell_worker(worker.url))
        return self._watches[page]

    def _tell_worker(self, url: str) -> None:
        self.log.gap(f"the worker {url[:200]} ran where the instrument does not reach", "scripts")

    # -- controls --------------------------------------------------------------------------------

    def _control_page(self) -> Page:
        page = self.context.new_page()
        self._watch(page)
        page.route("**/*", lambda route: route.fulfill(
            body="<!doctype html><title>control</title>", content_type="text/html"
        ))  # fmt: skip
        page.goto(f"https://{CONTROL_HOST}/")
        return page

    def _plant(self) -> None:
        page = self._control_page()
        self.log.write("control", token=self.token[::-1], areas=list(_AREAS))
        page.evaluate(_PLANT, [self.token[::-1], _YEAR_S])
        page.close()

    def _find_controls(self) -> None:
        page = self._control_page()
        page.evaluate("() => { document.createElement('canvas').toDataURL(); }")
        page.wait_for_timeout(200)
        Export(self._watch(page), self.log, self.visit_number, CONTROL_HOST).take()
        page.close()

    # -- journal ---------------------------------------------------------------------------------

    def line(
        self, action: str | None, *, ok: bool = True, note: str = "",
        url: str | None = None, text: str | None = None,
    ) -> None:  # fmt: skip
        """Tell the recorder and wait until it wrote the line down.

        ``url``: address that must have been asked for; ``text``: value that must have been sent.
        """
        facts = {"url_sha256": address_digest(url)} if url else {}
        if text is not None:
            facts["text_sha256"] = hashlib.sha256(text.encode()).hexdigest()
        said = {"action": action, "ok": ok, "phase": self.phase, "note": note, "facts": facts}
        lines_out.write(json.dumps(said) + "\n")
        lines_out.flush()
        sys.stdin.readline()  # the recorder's word that it is in the journal

    # -- what a visitor does ---------------------------------------------------------------------

    def visit(self, url: str, action: str = "web.visit") -> bool:
        """Open a page, let it load, take it down; whether it answered."""
        self.log.write("visit", visit=self.visit_number, url=url)
        note = f"page {len(self.pages) + 1}"
        try:
            answer = self.page.goto(url, timeout=_LOAD_LIMIT_MS, wait_until="load")
        except Exception as error:  # noqa: BLE001 - Playwright's errors are imported lazily
            self.log.gap(f"the page {url} did not load: {first_line(error)}")
            self.line(action, ok=False, note=f"{note} did not load", url=url)
            return False
        self.settle()
        self.site = self.site or urlsplit(self.page.url).hostname or ""
        self.pages.append(self.page.url)
        ok = answer is not None and answer.status < 400
        self.line(action, ok=ok, note=note, url=self.page.url)
        self.export()
        return ok

    def settle(self) -> None:
        """Wait until the network is quiet, but no longer than a limit."""
        with contextlib.suppress(Exception):  # a page that never rests is recorded all the same
            self.page.wait_for_load_state("networkidle", timeout=_QUIET_LIMIT_MS)

    def export(self) -> None:
        """Take down cookies and storage of every open window."""
        for worker in self.context.service_workers:
            if worker.url not in self._workers:
                self._workers.add(worker.url)
                self._tell_worker(worker.url)
        for page in self.context.pages:
            try:
                Export(self._watch(page), self.log, self.visit_number, self.site).take()
            except Exception as error:  # noqa: BLE001 - a window may close while it is looked at
                what = f"a window closed before it was taken down: {first_line(error)}"
                self.log.gap(what, "storage")

    def screenshots(self, name: str) -> None:
        """Take pictures of the page at the sizes of a desk and of a phone."""
        self._shots += 1
        for size, view in (("phone", _PHONE), ("desktop", _DESKTOP)):
            file = f"screens/{self._shots:03}-{size}.png"
            self.page.set_viewport_size(view)  # type: ignore[arg-type]
            try:
                self.page.screenshot(path=str(self.log.folder / file), timeout=_LOAD_LIMIT_MS)
            except Exception as error:  # noqa: BLE001 - as above
                self.log.gap(f"no picture of {name}: {first_line(error)}")
                continue
            self.log.write("screenshot", file=file, url=self.page.url, size=size)

    def come_back(self, after_s: float) -> None:
        """End the browser, let time pass for its cookies, and start it with the same profile."""
        self.export()
        age_cookies(self.watch.wire, after_s, CONTROL_HOST)
        self.context.close()
        self._watches.clear()
        self.visit_number += 1
        self.log.write("aged", visit=self.visit_number, seconds=after_s)
        self._launch()


@contextlib.contextmanager
def recording() -> Iterator[Recording]:
    """Give a browser that is being recorded; for tests of one's own and for the recorder's steps.

    Raises :class:`SetupError` outside a recording.
    """
    if "AUDIT_BROWSER" not in os.environ:
        raise SetupError(
            "this is no recording",
            hint="run the test by: audit record --browser URL --test FILE",
        )
    from playwright.sync_api import sync_playwright

    facts = read_facts(Path(os.environ["AUDIT_BROWSER"]))
    with sync_playwright() as playwright:
        log = BrowserLog(Path(facts.folder), facts.told())
        made = Recording(facts=facts, playwright=playwright, log=log)
        made.start()
        try:
            yield made
        finally:
            made.finish()


_AREAS: Final = ("cookie", "local", "indexed", "cache", "call")
_PLANT: Final = """async ([token, year]) => {
  document.cookie = `audit_control=${token}; max-age=${year}; secure`;
  localStorage.setItem("audit_control", token);
  await new Promise((done, failed) => {
    const asked = indexedDB.open("audit_control", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("s").put(token, "k");
    asked.onsuccess = () => { asked.result.close(); done(); };
    asked.onerror = failed;
  });
  const cache = await caches.open("audit_control");
  await cache.put("/" + token, new Response(token));
}"""


def subject_of(environment: dict[str, str]) -> dict[str, Any]:
    """Return the subject's values that the recorder tells the client."""
    path = environment.get("AUDIT_PERSONA")
    found = json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
    return dict(found)
