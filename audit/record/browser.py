"""A website as the audited client: a browser that the recorder drives, and what it leaves."""

from __future__ import annotations

import importlib.util
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from audit.bundle.layout import STORAGE
from audit.errors import SetupError, UsageError
from audit.record.browser_launch import BrowserFacts
from audit.record.persona import Persona
from audit.record.workspace import Workspace
from audit.sandbox.sandbox import own_environment, own_program

PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
"""Names of browsers that are looked for, Debian's first."""
TOLD_KINDS: Final = frozenset({"email", "display_name", "phone", "user_name"})
"""Kinds of the subject's values that steps can type into a page."""
MOST_KEPT_BYTES: Final = 1 << 30
"""Bytes of evidence that are taken into the bundle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserPlan:
    """What a browser is to do."""

    program: str
    """Path of the browser."""
    start: str
    """Address of the first page."""
    consent: str = "refuse"
    """``accept`` or ``refuse``: the answer where a page asks."""
    steps: dict[str, Any] = field(default_factory=dict)
    """Steps as plain data; empty: the default ones."""
    test: Path | None = None
    """Test file that drives in the steps' place."""
    in_lab: bool = False
    """Whether the servers are stand-ins, whose certificates nobody signed."""

    def command(self) -> list[str]:
        """Return the command line of the program that drives the browser."""
        return own_program("audit.record.browser_driver")

    def variables(self, space: Workspace, persona: Persona) -> dict[str, str]:
        """Make the browser's folders and return the variables that its driver needs."""
        profile = space.home / "profile"
        facts = BrowserFacts(
            program=self.program,
            start=self.start,
            folder=str(evidence_folder(space)),
            profile=str(profile),
            consent=self.consent,
            steps=self.steps,
            trusts_all=self.in_lab,
            locale=persona["locale"],
            time_zone=persona["time_zone"],
            test=str(self.test.absolute()) if self.test else None,
        )
        path = space.write_json("client/browser.json", asdict(facts))
        own = own_environment()
        names = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
        return {"AUDIT_BROWSER": str(path)} | {name: own[name] for name in names}


def evidence_folder(space: Workspace) -> Path:
    """Return where the driver writes, until it is taken into the bundle."""
    return space.root / "client" / "evidence"


def keep_evidence(space: Workspace, bundle: Path) -> list[str]:
    """Take what the driver wrote into a bundle's ``storage/``; return what was left out.

    Links and anything that is no plain file stay behind: the folder lies where the browser ran.
    """
    source, left, kept = evidence_folder(space), [], 0
    if not source.is_dir() or source.is_symlink():
        return ["the browser left no evidence"]
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source)
        if path.is_dir() and not path.is_symlink():
            continue
        if path.is_symlink() or not path.is_file():
            left.append(f"{STORAGE}/{name} is no plain file and was not kept")
            continue
        kept += path.stat().st_size
        if kept > MOST_KEPT_BYTES:
            left.append(f"{STORAGE}/{name} exceeds the room for evidence and was not kept")
            continue
        target = bundle / STORAGE / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return left


def find_browser(given: str | None = None) -> str:
    """Return the path of a browser; raises :class:`SetupError` where there is none to drive."""
    if importlib.util.find_spec("playwright") is None:
        raise SetupError(
            "a browser is driven by Playwright, which is not installed",
            hint="pip install 'privacy-audit[browser]'",
        )
    for name in [given] if given else PROGRAMS:
        found = shutil.which(name)
        if found:
            return found
    raise SetupError(
        "there is no browser to record with" if given is None else "there is no such browser",
        source=given,
        hint="apt-get install chromium, or name one with --browser-program",
    )


def check_address(text: str) -> str:
    """Return an address of a website with its scheme; raises :class:`UsageError`."""
    url = text if "://" in text else f"https://{text}"
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError(
            f"{text[:80]!r} is no address of a website", hint="such as https://site.example/"
        )
    return url if parts.path else urlunsplit(parts._replace(path="/"))
