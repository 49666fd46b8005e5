"""Performs steps in a recorded browser."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from audit.errors import SetupError
from audit.record import browser_pages as pages
from audit.record.browser_log import first_line
from audit.record.browser_recording import Recording
from audit.yamlfile.steps import Download, Follow, Step, StepsFile, Subscribe
from audit.yamlfile.units import parse_duration

_CLICK_LIMIT_MS: Final = 5_000
_FILE_LIMIT_MS: Final = 30_000
_MOST_PICTURES: Final = 10


@dataclass(slots=True, kw_only=True)
class Performer:
    """Carries steps out, one after the other."""

    recording: Recording
    steps: StepsFile
    subject: dict[str, Any]
    start: str
    consent: str
    """``accept`` or ``refuse``."""
    _links: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Page -> its links, as found when it was visited."""
    _forms: dict[str, bool] = field(default_factory=dict)
    """Page -> whether it has a field for an address."""
    _is_answered: bool = False

    def run(self) -> None:
        """Do everything, then say how consent went."""
        for step in self.steps.steps:
            self._perform(step)
        if not self._is_answered:
            self._nothing_asked()

    def _perform(self, step: Step) -> None:
        if step.visit is not None:
            self._visit(pages.absolute(step.visit, self.start))
        elif step.follow is not None:
            self._follow(step.follow)
        elif step.subscribe is not None:
            self._subscribe(step.subscribe)
        elif step.download is not None:
            self._download(step.download)
        elif step.click is not None:
            try:
                self.recording.page.click(step.click, timeout=_CLICK_LIMIT_MS)
            except Exception as error:  # noqa: BLE001 - Playwright's errors are imported lazily
                reason = f"the step click {step.click!r} failed: {first_line(error)}"
                raise SetupError(reason) from None
            self.recording.settle()
            self.recording.export()
        elif step.wait is not None:
            self.recording.page.wait_for_timeout(parse_duration(step.wait) * 1000)
            self.recording.export()
        elif step.revisit is not None:
            self._revisit(parse_duration(step.revisit.after))

    # -- pages -----------------------------------------------------------------------------------

    def _visit(self, url: str, action: str = "web.visit") -> None:
        recording = self.recording
        if not recording.visit(url, action):
            return
        if len(recording.pages) <= _MOST_PICTURES:
            recording.screenshots(url)
        self._answer_consent()
        place = pages.plain_url(recording.page.url)
        self._links[place] = self._ask(pages.FIND_LINKS) or []
        self._forms[place] = recording.page.locator(pages.EMAIL_FIELD).count() > 0
        for form in self._ask(pages.FIND_FORMS) or []:
            self._tell_form(form, place)

    def _tell_form(self, form: dict[str, Any], place: str) -> None:
        log = self.recording.log
        try:
            target = pages.absolute(form["action"] or place, place)
        except SetupError as error:
            log.gap(f"a form of {place} leads nowhere: {error.message}")
            return
        log.write("form", page=place, action=target, method=form["method"], fields=form["fields"])

    def _ask(self, script: str, argument: Any = None) -> Any:
        """Ask the page something; ``None`` where it gives no answer."""
        try:
            return self.recording.page.evaluate(script, argument)
        except Exception as error:  # noqa: BLE001 - a page may break anything in its own world
            self.recording.log.gap(f"the page did not let itself be read: {first_line(error)}")
            return None

    def _follow(self, follow: Follow) -> None:
        site = self.recording.site
        first = pages.plain_url(self.recording.page.url)
        seen, front = set(self._links), [first]
        left = follow.pages
        for _ in range(follow.depth):
            found = [
                url for page in front for url in pages.pages_among(self._links.get(page, []), site)
            ]
            front = []
            for url in dict.fromkeys(found):
                if url in seen:
                    continue
                if not left:
                    self.recording.log.gap(
                        f"more than {follow.pages} pages: the rest was not visited"
                    )
                    return
                seen.add(url)
                left -= 1
                self._visit(url)
                front.append(pages.plain_url(self.recording.page.url))

    # -- consent ---------------------------------------------------------------------------------

    def _answer_consent(self) -> None:
        if self._is_answered:
            return
        own = self.steps.consent.accept if self.consent == "accept" else self.steps.consent.refuse
        if own is not None:
            if self.recording.page.locator(own).count():
                self._click_answer(self.recording.page.locator(own).first, own)
            return
        for frame in self.recording.page.frames:
            try:
                texts = frame.evaluate(pages.FIND_BUTTONS, [pages.ABOUT, pages.BUTTON])
            except Exception:  # noqa: BLE001, S112 - a frame that is gone asks nothing
                continue
            if not pages.asks_for_consent(texts):
                continue
            text = pages.answer_among(texts, self.consent)
            if text is None:
                self._no_answer()
                return
            self._click_answer(frame.locator(pages.BUTTON).filter(has_text=text).first, text)
            return

    def _click_answer(self, button: Any, text: str) -> None:
        recording = self.recording
        try:
            button.click(timeout=_CLICK_LIMIT_MS)
            button.wait_for(state="hidden", timeout=_CLICK_LIMIT_MS)
            ok = True
        except Exception as error:  # noqa: BLE001 - told as it is
            recording.log.gap(f"consent could not be answered: {first_line(error)}")
            ok = False
        self._is_answered = True
        recording.log.write(
            "consent", asked=True, answer=self.consent, button=text[:100], ok=ok,
            url=recording.page.url,
        )  # fmt: skip
        recording.settle()
        recording.line(f"web.consent.{self.consent}", ok=ok, note=f"clicked '{text[:60]}'")
        recording.export()

    def _no_answer(self) -> None:
        self._is_answered = True
        self.recording.log.gap(f"a question of consent has no button to {self.consent}")
        note = "the page asks for consent and has no such button on its first layer"
        self.recording.line(f"web.consent.{self.consent}", ok=False, note=note)

    def _nothing_asked(self) -> None:
        recording = self.recording
        count = len(dict.fromkeys(recording.pages))
        recording.log.write("consent", asked=False, answer=self.consent, pages=count, ok=count > 0)
        if self.consent == "refuse":
            note = f"none of {count} pages asked for consent: nothing was accepted"
            recording.line("web.consent.refuse", ok=count > 0, note=note)

    # -- newsletter ------------------------------------------------------------------------------

    def _subscribe(self, step: Subscribe) -> None:
        recording = self.recording
        place = pages.absolute(step.at, self.start) if step.at else self._first_form()
        if place is None:
            recording.line(None, note="no visited page has a field for an address")
            return
        if pages.plain_url(recording.page.url) != place:
            self._visit(place)
        form = (
            recording.page.locator(step.form).first
            if step.form
            else recording.page.locator("form", has=recording.page.locator(pages.EMAIL_FIELD)).first
        )
        field_ = form.locator(pages.EMAIL_FIELD).first
        email = str(self.subject["email"])
        try:
            self._fill(step, form, field_, email)
            recording.page.wait_for_timeout(parse_duration(step.settle) * 1000)
            recording.settle()
            recording.phase = "steady"
            recording.line(None, note="the form is about to be submitted")
            recording.watch.requests.clear()
            self._submit(form, field_)
        except Exception as error:  # noqa: BLE001 - told as it is
            recording.line("web.newsletter.subscribe", ok=False, note=first_line(error))
            return
        recording.page.wait_for_timeout(500)
        recording.settle()
        recording.screenshots("the submitted form")
        posted = self._posted(recording.watch.requests)
        recording.line(
            "web.newsletter.subscribe", ok=posted is not None, note="the form was submitted",
            url=posted, text=email,
        )  # fmt: skip
        recording.export()

    def _first_form(self) -> str | None:
        return next((page for page, has_field in self._forms.items() if has_field), None)

    def _fill(self, step: Subscribe, form: Any, email_field: Any, email: str) -> None:
        email_field.click(timeout=_CLICK_LIMIT_MS)
        email_field.press_sequentially(email, delay=15)
        for selector, kind in step.fields.items():
            form.locator(selector).first.fill(str(self.subject[kind]), timeout=_CLICK_LIMIT_MS)
        if not step.fields:
            name = form.locator("input[type=text][name*=name i], input[autocomplete=name]")
            if name.count():
                name.first.fill(str(self.subject["display_name"]), timeout=_CLICK_LIMIT_MS)
        for box in form.locator("input[type=checkbox][required]").all():
            box.check(timeout=_CLICK_LIMIT_MS)

    def _submit(self, form: Any, email_field: Any) -> None:
        button = form.locator("button[type=submit], input[type=submit], button:not([type])")
        if button.count():
            button.first.click(timeout=_CLICK_LIMIT_MS)
        else:
            email_field.press("Enter")

    @staticmethod
    def _posted(requests: list[tuple[str, str]]) -> str | None:
        """Return the request that the submission made: the first that sends, else the first."""
        sent = [url for method, url in requests if method in {"POST", "PUT", "PATCH"}]
        return next(iter(sent or [url for _, url in requests]), None)

    # -- files -----------------------------------------------------------------------------------

    def _download(self, step: Download) -> None:
        recording = self.recording
        place = self._file_page(step)
        if place is None:
            recording.line(None, note="no visited page has a link to a file")
            return
        if pages.plain_url(recording.page.url) != place:
            self._visit(place)
        link = self._file_link(step)
        if link is None:
            recording.line("web.download", ok=False, note="the page has no link to a file")
            return
        try:
            with recording.page.expect_download(timeout=_FILE_LIMIT_MS) as waited:
                link.click(timeout=_CLICK_LIMIT_MS, no_wait_after=True)
            got = waited.value
            path = Path(got.path())
        except Exception as error:  # noqa: BLE001 - told as it is
            recording.line("web.download", ok=False, note=first_line(error))
            return
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        size = path.stat().st_size
        recording.log.write(
            "download", url=got.url, page=place, sha256=digest, bytes=size,
            name=got.suggested_filename[:200],
        )  # fmt: skip
        recording.line("web.download", ok=size > 0, note=f"{size} bytes", url=got.url)
        recording.export()

    def _file_page(self, step: Download) -> str | None:
        """Return the page to fetch a file from; ``None``: no visited page links to one."""
        if step.at is not None:
            return pages.absolute(step.at, self.start)
        if step.link is not None:
            return pages.plain_url(self.recording.page.url)
        return next((page for page, links in self._links.items() if pages.file_among(links)), None)

    def _file_link(self, step: Download) -> Any:
        """Return the link on the open page; ``None``: none leads to a file."""
        page = self.recording.page
        if step.link is not None:
            return page.locator(step.link).first
        links = self._links.get(pages.plain_url(page.url), [])
        url = pages.file_among(links)
        if url is None:
            return None
        return page.locator("a[href]").nth([link["url"] for link in links].index(url))

    # -- time ------------------------------------------------------------------------------------

    def _revisit(self, after_s: float) -> None:
        recording = self.recording
        again = list(dict.fromkeys(recording.pages))
        recording.come_back(after_s)
        for number, url in enumerate(again):
            self._visit(url, "web.revisit" if number == 0 else "web.visit")
