"""The log of what stand-ins learned."""

import base64
import hashlib
import json
from pathlib import Path

import pytest

from audit.lab import learned
from audit.lab.learned import KEPT_BODY_BYTES, Learned, LearnedLog


def rows(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "learned.jsonl").read_text().splitlines()]


def test_lines_are_there_at_once(tmp_path: Path) -> None:
    log = LearnedLog(tmp_path / "made")
    log.write(Learned(standin="seed1", event="request", body=b"\xff\n", path="/é\udc80"))
    (row,) = rows(tmp_path / "made")
    assert base64.b64decode(row["body_base64"]) == b"\xff\n"
    assert row["body_sha256"] == hashlib.sha256(b"\xff\n").hexdigest()
    assert row["ts"].endswith("Z")
    log.close()


def test_long_bodies_are_cut_but_counted_whole(tmp_path: Path) -> None:
    log = LearnedLog(tmp_path)
    log.write(Learned(standin="file", event="request", body=b"x" * (KEPT_BODY_BYTES + 5)))
    (row,) = rows(tmp_path)
    assert row["body_len"] == KEPT_BODY_BYTES + 5
    assert len(base64.b64decode(row["body_base64"])) == KEPT_BODY_BYTES
    log.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device to write to")
def test_a_full_disk_is_said_once_and_stops_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "learned.jsonl").symlink_to("/dev/full")
    log = LearnedLog(tmp_path)
    for _ in range(3):
        log.write(Learned(standin="dns", event="query"))
    log.close()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("lab: learned.jsonl is incomplete: ")


def test_a_flood_is_cut_and_the_cut_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learned, "MAX_LINES", 3)
    log = LearnedLog(tmp_path)
    for _ in range(5):
        log.write(Learned(standin="dns", event="query"))
    assert [row["event"] for row in rows(tmp_path)] == ["query", "query", "garbage"]
    assert rows(tmp_path)[-1]["inner"] == {"cut": 3}
    log.close()
