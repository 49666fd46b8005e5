"""The page as PDF, printed by a Chromium that is there: the same page, laid out for paper.

Nothing is fetched: the page holds everything. The date that Chromium writes into the file is
replaced by the moment of judging, so that one result printed twice by one Chromium is equal.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from audit.errors import SetupError
from audit.model.result import Result
from audit.report.visible import for_terminal
from audit.report.wording import parse_moment

PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""Names under which systems install it, tried in this order."""
PATIENCE_S: Final = 180
"""How long printing may take; a page of 2,000 findings took 20 s on two busy cores."""
_FLAGS: Final = (
    "--headless",
    "--disable-gpu",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-pdf-header-footer",
    "--run-all-compositor-stages-before-draw",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
_DATES: Final = re.compile(rb"/(CreationDate|ModDate) \(D:[0-9+'Z-]{1,32}\)")


def render_pdf(result: Result) -> bytes:
    """Return the report as a PDF file; raises :class:`SetupError` where nothing can print it."""
    from audit.report.html import render_html

    program = find_browser()
    if program is None:
        raise SetupError(
            "a PDF is printed by Chromium, and none is installed",
            hint="apt-get install chromium, or open index.html in any browser and print it",
        )
    with tempfile.TemporaryDirectory(prefix="audit-pdf-", ignore_cleanup_errors=True) as folder:
        page, printed = Path(folder) / "index.html", Path(folder) / "report.pdf"
        page.write_text(render_html(result), encoding="utf-8")
        said = _run(_command(program, page, printed), Path(folder))
        if not printed.is_file() or not printed.stat().st_size:
            raise SetupError(
                f"{Path(program).name} did not print the page",
                hint=f"it said: {said[-300:]}" if said else "open index.html and print it",
            )
        return dated(printed.read_bytes(), result.as_of)


def find_browser(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the path of a Chromium: the system's, else the one of playwright; ``None``: none."""
    path = environment.get("PATH")
    for name in PROGRAMS:
        found = shutil.which(name, path=path)
        if found:
            return found
    return _of_playwright()


def _of_playwright() -> str | None:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    with sync_playwright() as playwright:
        found = playwright.chromium.executable_path
    return found if Path(found).is_file() else None


def _command(program: str, page: Path, printed: Path) -> list[str]:
    # Chromium's own sandbox refuses to run as root; the page runs no script of anybody else.
    confined = [] if os.geteuid() else ["--no-sandbox"]
    own = [f"--user-data-dir={page.parent / 'profile'}", f"--print-to-pdf={printed}"]
    return [program, *_FLAGS, *confined, *own, page.as_uri()]


def _run(command: Sequence[str], folder: Path) -> str:
    """Run a program to its end or the bound, then end all that it started; return what it said."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "TZ": "UTC"}
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
            process_group=0,
        )  # fmt: skip
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            said.write(f"it took longer than {PATIENCE_S} s".encode())
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    text = (folder / "said").read_text(encoding="utf-8", errors="replace")
    return for_terminal(text)


def dated(pdf: bytes, as_of: str) -> bytes:
    """Return a PDF with its dates set to a moment; no other byte moves."""
    value = parse_moment(as_of)
    if value is None:
        return pdf
    stamp = value.strftime("%Y%m%d%H%M%S+00'00'").encode()

    def changed(match: re.Match[bytes]) -> bytes:
        text = b"/" + match[1] + b" (D:" + stamp
        return text.ljust(len(match[0]) - 1)[: len(match[0]) - 1] + b")"

    return _DATES.sub(changed, pdf)
