from __future__ import annotations

import shutil
import subprocess

import pytest

from audit.errors import SetupError
from audit.report import pdf
from audit.report.pdf import dated, find_browser, render_pdf

from . import results


def test_dates_become_the_moment_of_judging_and_nothing_moves():
    before = (
        b"<</CreationDate (D:20261124193145+00'00')\n/ModDate (D:20261124193145Z)\n/Title (x)>>"
    )
    after = dated(before, "2026-04-14T09:00:00Z")
    assert len(after) == len(before)
    assert b"/CreationDate (D:20260414090000+00'00')" in after
    assert b"/ModDate (D:20260414090000)" not in after
    assert after.count(b"20260414090000") == 2
    assert dated(before, "soon") == before


def test_no_browser_is_one_sentence_with_a_way_out(monkeypatch):
    monkeypatch.setattr(pdf, "_of_playwright", lambda: None)
    monkeypatch.setenv("PATH", "/nowhere")
    assert find_browser({"PATH": "/nowhere"}) is None
    monkeypatch.setattr(pdf, "find_browser", lambda: None)
    with pytest.raises(SetupError, match="none is installed") as caught:
        render_pdf(results.session_python())
    assert "print it" in (caught.value.hint or "")


def test_a_program_that_prints_nothing_is_told_with_what_it_said(monkeypatch):
    monkeypatch.setattr(pdf, "find_browser", lambda: shutil.which("false"))
    with pytest.raises(SetupError, match="did not print"):
        render_pdf(results.session_python())


@pytest.mark.system
@pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed")
def test_the_page_is_printed_equal_each_time_with_its_text(tmp_path):
    first = render_pdf(results.session_python())
    assert first.startswith(b"%PDF-")
    assert b"20260414090000" in first
    assert first == render_pdf(results.session_python())
    if shutil.which("pdftotext"):
        (tmp_path / "a.pdf").write_bytes(first)
        text = subprocess.run(
            ["pdftotext", tmp_path / "a.pdf", "-"], capture_output=True, timeout=60, check=True
        ).stdout.decode()
        words = " ".join(text.split())
        assert "broke 2 of the 8 promises" in words
        assert "tshark -r packets.pcapng" in words
        assert "Find in this report" not in words
        assert "Search sentences" not in words
