"""Names that stand for others, and a browser's rows among those of the taps."""

from pathlib import Path

from audit.evidence.browsing import add_browser, browser_unread, mark_aliases
from audit.evidence.journey import Phases
from audit.tables.extract import Extract
from tests.readers import browser_lines as made


def test_the_last_name_among_the_answers_is_what_a_name_stands_for() -> None:
    rows: list[dict[str, object]] = [
        {"name": "stats.site.example", "qtype": "A",
         "answers": ("a.cdn.example", "Collect.Tracker.example.", "192.0.2.1")},
        {"name": "site.example", "qtype": "A", "answers": ("192.0.2.1", "2001:db8::1")},
        {"name": "site.example", "qtype": "TXT", "answers": ("v=spf1 include:x.example",)},
    ]  # fmt: skip
    mark_aliases({"dns_queries": rows})
    assert [row.get("alias") for row in rows] == ["collect.tracker.example", None, None]


def test_a_browsers_rows_are_the_apps_and_its_values_are_searched(tmp_path: Path) -> None:
    extract = Extract()
    path = made.write(tmp_path, made.visit(), made.stored("mail", "x@example.org", cut=70_000))
    found = add_browser(extract, path, "c", ("app", "netns"), Phases([]))
    (row,) = extract.rows["web_storage"]
    assert (row["process"], row["process_basis"], row["phase"]) == ("app", "netns", None)
    assert [payload.detail for payload in extract.payloads] == ["local mail"]
    assert len(browser_unread(found)) == 1


def test_without_a_record_nothing_is_added() -> None:
    extract = Extract()
    assert not add_browser(extract, None, "c", ("app", None), Phases([])).capabilities
    assert not extract.rows
