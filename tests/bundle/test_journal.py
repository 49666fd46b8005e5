import json
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.bundle.journal import JournalWriter, now, read_journal
from audit.bundle.layout import JOURNAL
from audit.errors import CaptureError
from audit.tables.vocabulary import ACTIONS, PHASES
from tests.bundle.bundles import make_line

LINES = st.builds(
    make_line,
    action=st.none() | st.sampled_from(ACTIONS),
    phase=st.sampled_from(PHASES),
    driver=st.sampled_from(["recorder", "script", "peer", "manual"]),
    ok=st.booleans(),
    note=st.text(max_size=20).filter(lambda text: not any(0xD800 <= ord(c) < 0xE000 for c in text)),
    facts=st.dictionaries(st.sampled_from(["account", "text_sha256"]), st.just("ab" * 32)),
    control=st.none()
    | st.just({"token": "00" * 16, "scheme": "http", "echo": "198.18.0.1:80", "taps": "packets"}),
)


def write(folder, lines):
    writer = JournalWriter(folder)
    for line in lines:
        writer.write(line)
    writer.close()


@given(lines=st.lists(LINES, max_size=4))
def test_what_was_written_is_read(tmp_path_factory, lines):
    folder = tmp_path_factory.mktemp("journal")
    write(folder, lines)
    assert read_journal(folder / JOURNAL) == (lines, [])


@given(keep=st.integers(min_value=1))
def test_a_cut_last_line_is_told_and_the_others_are_kept(tmp_path_factory, keep):
    folder = tmp_path_factory.mktemp("journal")
    write(folder, [make_line(note="one"), make_line(note="two")])
    raw = (folder / JOURNAL).read_bytes()
    first = raw.index(b"\n") + 1
    cut = first + keep % (len(raw) - first - 2) + 1
    (folder / JOURNAL).write_bytes(raw[:cut])
    lines, told = read_journal(folder / JOURNAL)
    assert [line.note for line in lines] == ["one"]
    assert told == ["journal.jsonl ends in the middle of line 2"]


def test_a_missing_journal_is_an_empty_one(tmp_path):
    assert read_journal(tmp_path / JOURNAL) == ([], [])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"action": "app.fly"}, "unknown action 'app.fly'"),
        ({"phase": "dawn"}, "unknown phase 'dawn'"),
        ({"driver": "ghost"}, "unknown driver 'ghost'"),
        ({"ok": "yes"}, "ok is true or false"),
        ({"facts": {"account": 5}}, "objects of texts"),
        ({"ts": "yesterday"}, "Invalid isoformat"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_line_is_refused_with_its_number(tmp_path, change, complaint):
    data = json.loads(make_line().to_json()) | change
    (tmp_path / JOURNAL).write_text(
        make_line().to_json() + "\n" + json.dumps(data) + "\n" + make_line().to_json() + "\n"
    )
    with pytest.raises(CaptureError, match=complaint) as caught:
        read_journal(tmp_path / JOURNAL)
    assert caught.value.source == "journal.jsonl:2"


@given(data=st.binary(max_size=200))
def test_any_bytes_give_lines_or_a_capture_error(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("journal") / JOURNAL
    path.write_bytes(data)
    try:
        read_journal(path)
    except CaptureError as error:
        assert error.source  # noqa: PT017 - the only error allowed


def test_times_are_utc_with_microseconds():
    text = now()
    assert text.endswith("Z")
    assert len(text) == len("2026-01-02T03:04:05.000006Z")
    assert datetime.fromisoformat(text).utcoffset() == timedelta(0)
