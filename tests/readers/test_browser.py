"""A browser's record read: rows, values to search, controls, and any bytes."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import CaptureError
from audit.readers.browser import read_browser
from tests.readers import browser_lines as made


def read(folder: Path, *lines: dict[str, Any], ended: bool = True):
    return read_browser(made.write(folder, *lines, ended=ended), "c")


def test_what_the_recorder_planted_is_a_control_and_never_the_sites(tmp_path: Path) -> None:
    found = read(tmp_path, *made.planted())
    controls = found.extract.rows["controls"]
    assert {row["name"]: row["found"] for row in controls} == {
        f"browser {area}": True for area in ("cookie", "local", "indexed", "cache", "call")
    }
    assert found.capabilities == {"browser.storage", "browser.scripts"}
    tables = ("cookies", "web_storage", "script_calls", "page_requests")
    assert not any(found.extract.rows.get(table) for table in tables)
    assert not found.extract.payloads


@pytest.mark.parametrize(
    ("lost", "left"),
    [(1, "browser.scripts"), (2, "browser.scripts"), (3, "browser.scripts"),
     (4, "browser.scripts"), (5, "browser.storage")],
)  # fmt: skip
def test_a_control_that_is_not_found_again_takes_its_capability_away(
    tmp_path: Path, lost: int, left: str
) -> None:
    lines = made.planted()
    del lines[lost]
    found = read(tmp_path, *lines)
    assert found.capabilities == {left}
    assert any("was not found again" in text for text in found.extract.limits)
    assert any(row["found"] is False for row in found.extract.rows["controls"])


def test_a_control_must_outlive_the_time_that_passes(tmp_path: Path) -> None:
    found = read(tmp_path, *made.planted(), made.line("aged", 10, visit=2, seconds=86400))
    assert not found.capabilities


def test_nothing_planted_proves_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, made.visit()).capabilities == frozenset()


def test_a_gap_that_blocks_takes_its_capability_away_and_is_told(tmp_path: Path) -> None:
    gap = made.line("gap", what="the caches of x could not be read", blocks="storage")
    found = read(tmp_path, *made.planted(), gap)
    assert found.capabilities == {"browser.scripts"}
    assert "the browser's record: the caches of x could not be read" in found.extract.limits


def test_a_shared_worker_leaves_calls_unobservable(tmp_path: Path) -> None:
    found = read(tmp_path, *made.planted(), made.visit(), made.call("worker.shared"))
    assert found.capabilities == {"browser.storage"}
    assert any("shared worker" in text for text in found.extract.limits)


def test_a_record_without_its_end_is_truncated(tmp_path: Path) -> None:
    assert read(tmp_path, *made.planted(), ended=False).extract.truncated
    assert not read(tmp_path, *made.planted()).extract.truncated


def test_stored_values_are_rows_with_their_most_random_part(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        made.visit(),
        made.stored("theme", "dark"),
        made.stored("uid", "1b4e28ba-2fa1-41d2-883f-b9a761bde3fb"),
        made.stored("tab", "x", area="session"),
        made.stored("uid", "1b4e28ba-2fa1-41d2-883f-b9a761bde3fb", 9, visit=2),
    )
    rows = {str(row["key"]): row for row in found.extract.rows["web_storage"]}
    assert rows["theme"]["value_entropy_bits"] == 0
    assert int(str(rows["uid"]["value_entropy_bits"])) >= 64
    assert (rows["uid"]["seen_visits"], rows["uid"]["ref"]) == (2, "storage/browser.jsonl#6")
    assert (rows["tab"]["persistent"], rows["uid"]["persistent"]) == (False, True)
    assert rows["uid"]["origin"] == rows["uid"]["site"] == "site.example"


def test_each_value_of_a_place_is_searched_once_with_its_bytes(tmp_path: Path) -> None:
    found = read(
        tmp_path, made.visit(), made.stored("mail", "ada@example.org"),
        made.stored("mail", "ada@example.org", 5), made.cookie("u", 6, None, value="grün"),
    )  # fmt: skip
    payloads = found.extract.payloads
    assert [(p.detail, p.data) for p in payloads] == [
        ("local mail", b"ada@example.org"), ("cookie u", "grün".encode())
    ]  # fmt: skip
    assert {p.location for p in payloads} == {"storage"}
    assert str(payloads[0].ref) == "storage/browser.jsonl#3:value"


def test_calls_requests_and_forms_are_rows(tmp_path: Path) -> None:
    request = made.line(
        "request", method="GET", url="https://cdn.example/a.js?x=1", type="Script",
        frame="https://site.example/", document="https://site.example/", initiator="parser",
        by="https://site.example/",
    )  # fmt: skip
    form = made.line(
        "form", page="https://site.example/", action="https://list.example/add", method="POST",
        fields=[{"name": "email", "type": "email"}],
    )  # fmt: skip
    rows = read(tmp_path, made.visit(), made.call("canvas.toDataURL"), request, form).extract.rows
    assert rows["script_calls"][0] | {"ref": ""} == {
        "capture": "c", "ref": "", "ts": made.moment(1), "site": "site.example",
        "frame": "site.example", "script": "site.example", "script_url": None,
        "api": "canvas.toDataURL", "calls": 1, "detail": "",
    }  # fmt: skip
    asked = rows["page_requests"][0]
    assert (asked["host"], asked["path"], asked["frame"]) == (
        "cdn.example",
        "/a.js",
        "site.example",
    )
    assert rows["page_forms"][0]["action_host"] == "list.example"
    assert rows["page_forms"][0]["fields"] == ("email email",)


def test_a_visit_without_a_question_of_consent_says_so(tmp_path: Path) -> None:
    asked = made.line("consent", asked=False, answer="refuse", pages=3, ok=True)
    found = read(tmp_path, asked)
    assert found.answered == ((made.moment(0), "refuse"),)
    assert any("nothing was accepted" in text for text in found.extract.limits)


def test_a_value_that_was_cut_is_not_read_whole(tmp_path: Path) -> None:
    found = read(tmp_path, made.stored("big", "x" * 10, cut=70_000))
    assert found.extract.unread


@pytest.mark.parametrize(
    "text",
    ["[]\n", "{}\n", "not json\n", '{"ts": "yesterday", "kind": "begin"}\n',
     '{"ts": "2026-01-01T00:00:00Z", "kind": "begin", "schema": "audit/browser@9"}\n'],
)  # fmt: skip
def test_what_is_no_record_is_refused_by_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "browser.jsonl"
    path.write_text(text)
    with pytest.raises(CaptureError) as caught:
        read_browser(path, "c")
    assert "browser.jsonl" in str(caught.value.source)


def test_a_fact_that_lacks_something_is_refused_by_line(tmp_path: Path) -> None:
    with pytest.raises(CaptureError) as caught:
        read(tmp_path, made.visit(), made.line("stored", area="local"))
    assert caught.value.source == "storage/browser.jsonl:3"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
_KINDS = st.sampled_from(
    ["begin", "visit", "cookie", "set-cookie", "stored", "call", "request", "form", "consent",
     "gap", "control", "aged", "end", "download", "other"]
)  # fmt: skip
_NAMES = st.sampled_from(
    ["visit", "url", "name", "value", "domain", "path", "expires", "text", "by", "area", "key",
     "origin", "api", "count", "frame", "script", "fields", "action", "method", "token", "areas",
     "seconds", "site", "http_only", "secure", "detail", "document", "type", "initiator", "ok",
     "asked", "answer", "what", "page"]
)  # fmt: skip


@given(st.lists(st.tuples(_KINDS, st.dictionaries(_NAMES, _JSON, max_size=12)), max_size=6))
def test_any_facts_give_rows_or_an_error(tmp_path_factory: Any, lines: Any) -> None:
    folder = tmp_path_factory.mktemp("any")
    with contextlib.suppress(CaptureError):
        read(folder, *(made.line(kind, **facts) for kind, facts in lines))


@given(st.binary(max_size=400))
def test_any_bytes_give_rows_or_an_error(tmp_path_factory: Any, data: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "browser.jsonl"
    path.write_bytes(json.dumps(made.begin()).encode() + b"\n" + data)
    with contextlib.suppress(CaptureError):
        read_browser(path, "c")
