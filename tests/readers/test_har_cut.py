from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import CaptureError
from audit.readers.har import HarOptions, read_har
from audit.readers.har_cut import read_cut


def entry(number):
    request = {
        "method": "POST",
        "url": f"https://host.example/{number}",
        "httpVersion": "HTTP/1.1",
        "headers": [{"name": "Host", "value": "host.example"}],
        "postData": {"mimeType": "text/plain", "text": "käse ]}"},
    }
    return {
        "startedDateTime": "2026-01-01T00:00:00Z",
        "request": request,
        "response": {"status": 0},
    }


LOG = {
    "version": "1.2",
    "creator": {"name": "x"},
    "entries": [entry(n) for n in range(3)],
    "pages": [],
}
WHOLE = json.dumps({"log": LOG}, ensure_ascii=False).encode()
TEXTS = [json.dumps(one, ensure_ascii=False).encode() for one in LOG["entries"]]
ENDS = [WHOLE.index(text) + len(text) for text in TEXTS]


@given(st.integers(0, len(WHOLE)))
def test_a_cut_shows_the_whole_entries_before_it(at):
    log = read_cut(WHOLE[:at])
    whole = sum(end <= at for end in ENDS)
    assert (log["entries"] if log else []) == LOG["entries"][:whole]


@given(st.binary(max_size=60))
def test_any_bytes_are_read_without_an_error(data):
    assert read_cut(data) is None
    log = read_cut(b'{"log":{"entries":[{},' + data)
    assert log is not None
    assert log["entries"][0] == {}


@pytest.mark.parametrize(("at", "count"), [(ENDS[0], 1), (ENDS[1] + 40, 2), (len(WHOLE) - 1, 3)])
def test_a_cut_archive_is_truncated_and_its_entries_are_rows(tmp_path, at, count):
    path = tmp_path / "cut.har"
    path.write_bytes(WHOLE[:at])
    extract = read_har(path, HarOptions(capture="c", file="cut.har"))
    assert len(extract.rows["http_requests"]) == count
    (said,) = [text for text in extract.truncated if "breaks off" in text]
    assert f"entry {count + 1} and what follows" in said


def test_a_whole_archive_is_not_truncated(tmp_path):
    path = tmp_path / "whole.har"
    path.write_bytes(WHOLE)
    assert not read_har(path, HarOptions(capture="c", file="whole.har")).truncated


def test_a_cut_before_the_first_entry_ends_is_refused(tmp_path):
    path = tmp_path / "cut.har"
    path.write_bytes(WHOLE[: WHOLE.index(b"/0")])
    with pytest.raises(CaptureError, match="this is no HTTP archive"):
        read_har(path, HarOptions(capture="c", file="cut.har"))
