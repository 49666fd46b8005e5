"""The record of a browser as it is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audit.readers.browser import read_browser
from audit.record import browser_log
from audit.record.browser_log import BrowserLog, first_line


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "browser.jsonl").read_text().splitlines()]


def test_facts_are_on_disk_as_they_come_and_the_reader_takes_them(tmp_path: Path) -> None:
    log = BrowserLog(tmp_path, {"start": "https://site.example/"})
    log.gap("x was not seen")
    assert [line["kind"] for line in lines(tmp_path)] == ["begin", "gap"]
    assert read_browser(tmp_path / "browser.jsonl", "c").extract.truncated
    log.close()
    assert not read_browser(tmp_path / "browser.jsonl", "c").extract.truncated


def test_beyond_the_bound_the_gap_is_told_once_for_each_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser_log, "MOST_LINES", 3)
    log = BrowserLog(tmp_path, {})
    for number in range(9):
        log.write("visit", visit=1, url=f"https://site.example/{number}")
    log.close()
    kinds = [line["kind"] for line in lines(tmp_path)]
    assert kinds == ["begin", "visit", "visit", "gap", "gap", "end"]
    assert {line.get("blocks") for line in lines(tmp_path)} == {None, "storage", "scripts"}


def test_a_long_value_is_cut_and_says_so(tmp_path: Path) -> None:
    log = BrowserLog(tmp_path, {})
    log.write("cookie", value="x")
    log.write("cookie", value="x" * (browser_log.VALUE_CHARACTERS + 5))
    log.close()
    _, short, found, _ = lines(tmp_path)
    assert (short["value"], short.get("cut")) == ("x", None)
    assert len(str(found["value"])) == browser_log.VALUE_CHARACTERS
    assert found["cut"] == browser_log.VALUE_CHARACTERS + 5


def test_whatever_a_page_stores_or_asks_for_the_record_is_read(tmp_path: Path) -> None:
    log = BrowserLog(tmp_path, {})
    log.write(
        "stored", value="\N{SLEUTH OR SPY}" * 2_000_000, key="\N{SLEUTH OR SPY}" * 2_000_000,
        area="local", origin="https://site.example/", visit=1, site="site.example",
    )  # fmt: skip
    url = "https://site.example/" + "a" * 2_000_000
    log.write(
        "request", method="GET", url=url, type="Image", frame=url, document=url,
        initiator="script", by=url,
    )  # fmt: skip
    log.close()
    extract = read_browser(tmp_path / "browser.jsonl", "c").extract
    assert extract.rows["page_requests"][0]["host"] == "site.example"
    assert extract.rows["web_storage"]
    assert extract.unread  # no pass on what was cut


def test_an_error_without_a_word_is_told_by_its_name() -> None:
    assert first_line(ValueError("a\nb")) == "a"
    assert first_line(ValueError()) == "ValueError"
