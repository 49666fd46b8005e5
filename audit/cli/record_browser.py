"""``audit record --browser URL``: what a browser does, and one recording for each answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from audit.cli.recordings import Request
from audit.errors import UsageError

if TYPE_CHECKING:
    from audit.record.browser import BrowserPlan

CONSENTS: Final = ("refuse", "accept")


def plan_browser(
    url: str | None,
    *,
    steps: Path | None,
    test: Path | None,
    program: str | None,
    in_lab: bool,
    command: tuple[str, ...],
) -> BrowserPlan | None:
    """Return what a browser is to do; ``None``: no website is recorded.

    Raises :class:`UsageError` for options that do not go together, and the errors of a steps file.
    """
    if url is None:
        if steps or test or program:
            raise UsageError(
                "--steps, --test and --browser-program are about a website",
                hint="name it: audit record --browser URL",
            )
        return None
    if command:
        raise UsageError("a browser is the client: no command is given beside --browser")
    if steps and test:
        raise UsageError("a test drives the browser in the steps' place: give one of the two")
    if test and not test.is_file():
        raise UsageError("there is no such test file", source=str(test))
    from audit.record.browser import BrowserPlan, check_address, find_browser
    from audit.yamlfile.steps import load_steps

    start = check_address(url)
    written = load_steps(steps).model_dump(by_alias=True, exclude_unset=True) if steps else {}
    return BrowserPlan(
        program=find_browser(program), start=start, steps=written, test=test, in_lab=in_lab
    )


def each_consent(request: Request, consent: str | None) -> list[tuple[Request, str]]:
    """Return the recordings to make, each with what is added to its name."""
    browser = request.browser
    if browser is None:
        if consent:
            raise UsageError("--consent is about a website", hint="audit record --browser URL")
        return [(request, "")]
    if browser.test is not None:
        if consent:
            raise UsageError("a test answers the question of consent itself: leave --consent out")
        return [(request, "")]
    answers = CONSENTS if consent in {None, "both"} else (str(consent),)
    return [
        (
            replace(request, browser=replace(browser, consent=answer)),
            f"-{answer}" if len(answers) > 1 else "",
        )
        for answer in answers
    ]


def stem_of(url: str) -> str:
    """Return a name for captures of a website where none was given.

    Raises :class:`UsageError` for what is no address of one.
    """
    from audit.record.browser import check_address

    return str(urlsplit(check_address(url)).hostname)
