"""Results to render, golden files, and Debian's Chromium."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from audit.model.result import Result

from . import results

settings.register_profile("unhurried", deadline=None)  # the machine may be busy
settings.load_profile("unhurried")
GOLDEN = Path(__file__).parent / "golden"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture
def broken() -> Result:
    """Two promises broken, six kept."""
    return results.session_python()


@pytest.fixture
def golden():
    """Compares bytes with a committed file; GOLDEN=1 (make golden) rewrites it instead."""

    def compare(name: str, actual: bytes) -> None:
        path = GOLDEN / name
        if os.environ.get("GOLDEN"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(actual)
        same = path.read_bytes() == actual
        assert same, (
            f"{path} differs: run 'make golden', read the difference, commit it if it is meant"
        )

    return compare


@pytest.fixture(scope="module")  # its driver keeps an event loop running in this thread
def chromium() -> Iterator[object]:
    program = shutil.which("chromium")
    if not program:
        pytest.skip("Debian's chromium is not installed: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()
