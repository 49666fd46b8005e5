"""An inspection by the website-evidence-collector: into the tables of a recorded browser."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import CaptureError
from audit.readers.inputkind import ReadOptions
from audit.readers.inputs import recognise
from audit.readers.inspection import INSPECTION, read_inspection
from tests.conftest import run_audit

UID = "1b4e28ba-2fa1-41d2-883f-b9a761bde3fb"


def inspection(**more: Any) -> dict[str, Any]:
    """Return an inspection with the keys that the tool writes."""
    cookie = {
        "name": "_ga", "value": "GA1.2.1", "domain": ".getsession.org", "path": "/",
        "expires": 1.8e9, "size": 9, "httpOnly": False, "secure": True, "session": False,
        "expiresUTC": "2027-03-01T00:00:00Z", "expiresDays": 400, "firstPartyStorage": True,
        "log": {"stack": [], "type": "Cookie.JS", "timestamp": "2026-01-01T00:00:01Z"},
    }  # fmt: skip
    made = {
        "title": "Website Evidence Collection", "task_description": None,
        "uri_ins": "https://getsession.org", "uri_refs": [], "uri_dest": "https://getsession.org/",
        "cookies": [cookie, {**cookie, "name": "tab", "session": True, "expiresDays": None}],
        "localStorage": {
            "https://getsession.org": {"uid": {"value": UID, "firstPartyStorage": True, "log": {}}}
        },
        "beacons": [{"url": "https://t.example/p.gif?x=1", "listName": "easyprivacy.txt"}],
        "hosts": {"requests": {"firstParty": ["getsession.org"], "thirdParty": ["t.example"]}},
        "start_time": "2026-01-01T00:00:00.000Z", "end_time": "2026-01-01T00:01:00.000Z",
    }  # fmt: skip
    return made | more


def write(folder: Path, data: object) -> Path:
    path = folder / "inspection.json"
    path.write_text(json.dumps(data, indent=2), encoding="utf-8")
    return path


def read(path: Path):
    return read_inspection(path, ReadOptions(capture="c", file="inspection.json"))


def test_cookies_stored_values_and_requests_are_rows(tmp_path: Path) -> None:
    extract = read(write(tmp_path, inspection()))
    first, tab = extract.rows["cookies"]
    assert (first["domain"], first["lifetime"], first["set_by"]) == (
        "getsession.org", 400 * 86_400.0, "script",
    )  # fmt: skip
    assert (first["ref"], first["ts"]) == (
        "inspection.json#1:cookies",
        "2026-01-01T00:00:00.000000Z",
    )
    assert (tab["session_only"], tab["lifetime"]) == (True, None)
    (stored,) = extract.rows["web_storage"]
    assert (stored["key"], stored["site"]) == ("uid", "getsession.org")
    assert int(str(stored["value_entropy_bits"])) >= 64
    assert {(r["host"], r["resource"]) for r in extract.rows["page_requests"]} == {
        ("t.example", "beacon"), ("getsession.org", "host"), ("t.example", "host"),
    }  # fmt: skip
    assert not extract.truncated


def test_it_is_told_by_its_content(tmp_path: Path) -> None:
    path = write(tmp_path, inspection())
    assert recognise(path) is INSPECTION
    assert recognise(path.rename(tmp_path / "x.json")) is INSPECTION


def test_a_packed_inspection_is_read(tmp_path: Path) -> None:
    packed = tmp_path / "x.json.gz"
    packed.write_bytes(gzip.compress(json.dumps(inspection()).encode()))
    assert recognise(packed) is INSPECTION
    assert len(read(packed).rows["cookies"]) == 2


def test_what_is_not_as_written_by_the_tool_is_left_out_and_told(tmp_path: Path) -> None:
    extract = read(write(tmp_path, inspection(cookies=[{"name": 1}, "x"])))
    assert not extract.rows.get("cookies")
    assert len(extract.truncated) == 2


@pytest.mark.parametrize("data", [[], {}, {"uri_ins": 1}, "x"])
def test_what_is_no_inspection_is_refused(tmp_path: Path, data: object) -> None:
    with pytest.raises(CaptureError):
        read(write(tmp_path, data))


def test_an_imported_inspection_shows_violations_and_proves_no_pass(tmp_path: Path) -> None:
    path = write(tmp_path, inspection())
    made = run_audit("import", path, "-o", tmp_path / "c", "--target", "website")
    assert made.code == 0, made.err
    run_audit("run", tmp_path / "c", "--out", tmp_path / "r", "--format", "json")
    result = json.loads((tmp_path / "r" / "result.json").read_text())
    outcomes = {v["check"].removeprefix("session.web."): v["outcome"] for v in result["verdicts"]}
    assert outcomes["cookies-max-6-months"] == "fail"
    assert outcomes["listed-storage-only"] == "fail"
    assert "pass" not in outcomes.values()
    assert any("website-evidence-collector" in text for text in result["captures"][0]["limits"])


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(inspection())), _JSON))
def test_any_values_give_rows_or_an_error(tmp_path_factory: Any, more: dict[str, Any]) -> None:
    try:
        read(write(tmp_path_factory.mktemp("any"), inspection(**more)))
    except CaptureError as error:
        assert error.message  # noqa: PT017 - either is right
