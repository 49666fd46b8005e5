"""The journal of probes: private, whole, one writer, and nobody in it who was never there."""

from __future__ import annotations

import os

import pytest

from audit.bundle.journal import PERSON, SUBSCRIBE, UNSUBSCRIBE, JournalLine, read_journal
from audit.errors import SetupError, UsageError
from audit.record.probe_journal import open_probes

PERSON_A, PERSON_B = "a" * 64, "b" * 64


def line(action: str, person: str, ok: bool = True) -> JournalLine:
    return JournalLine(
        ts="2026-01-02T00:00:00Z", driver="recorder", action=action, ok=ok, facts={PERSON: person}
    )


def test_it_is_private_and_kept_between_runs(tmp_path):
    path = tmp_path / "deep" / "probes.jsonl"
    with open_probes(path) as probes:
        probes.write(line(SUBSCRIBE, PERSON_A))
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with open_probes(path) as probes:
        assert [one.action for one in probes.lines] == [SUBSCRIBE]
        probes.write(line(UNSUBSCRIBE, PERSON_A))
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.action for one in read_journal(path)[0]] == [SUBSCRIBE, UNSUBSCRIBE]


def test_who_was_never_there_cannot_leave_and_who_was_does_not_return(tmp_path):
    with open_probes(tmp_path / "p") as probes:
        probes.write(line(SUBSCRIBE, PERSON_A, ok=False))
        probes.require_fresh(PERSON_A)
        with pytest.raises(UsageError, match="no subscription"):
            probes.require_subscribed(PERSON_A)
        probes.write(line(SUBSCRIBE, PERSON_A))
        probes.require_subscribed(PERSON_A)
        probes.require_fresh(PERSON_B)
        with pytest.raises(UsageError, match="subscribed on 2026-01-02 already"):
            probes.require_fresh(PERSON_A)
        probes.write(line(UNSUBSCRIBE, PERSON_A, ok=False))
        probes.require_subscribed(PERSON_A)
        probes.write(line(UNSUBSCRIBE, PERSON_A))
        with pytest.raises(UsageError, match="left on 2026-01-02 already"):
            probes.require_subscribed(PERSON_A)


def test_it_has_one_writer(tmp_path):
    with (
        open_probes(tmp_path / "p"),
        pytest.raises(UsageError, match="another probe"),
        open_probes(tmp_path / "p"),
    ):
        pass
    with open_probes(tmp_path / "p"):
        pass


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"ts": "2026-01-01T00:00:00Z", "driv', "last line is cut"),
        ('{"ts": "2026-01-01T00:00:00Z", "driver": "recorder"}', "last line is cut"),
        ("nothing\n", "not a journal line"),
        ("\xff\n", "not a journal line"),
    ],
)
def test_what_is_no_whole_journal_is_refused_and_stays_as_it_is(tmp_path, text, why):
    path = tmp_path / "p"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match=why), open_probes(path):
        pass
    assert path.read_bytes() == text.encode("latin-1")


def test_a_folder_a_pipe_and_a_place_that_is_none_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in (".", "pipe"):
        with pytest.raises(UsageError, match="is a file"), open_probes(tmp_path / name):
            pass
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="cannot be written"), open_probes(tmp_path / "file/p"):
        pass
