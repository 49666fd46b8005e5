from __future__ import annotations

import json
import sqlite3

import pytest

from audit.errors import PolicyError
from audit.model.outcome import Outcome
from audit.report.history import APPLICATION, History, moment_of
from tests.conftest import run_audit
from tests.gate.making import make_finding, make_result, make_verdict


def write(path, result):
    path.write_text(json.dumps(result.model_dump(mode="json", by_alias=True)))
    return path


def release(number: int, **changes):
    verdict = make_verdict("tracker", Outcome.FAIL, make_finding(agent=str(number)))
    return make_result(verdict, as_of=f"2026-03-0{number}T12:00:00Z", **changes)


def test_results_come_back_in_the_order_of_their_moments(tmp_path):
    history = History(tmp_path / "h.sqlite")
    for number in (3, 1, 2):
        assert history.add(write(tmp_path / "r.json", release(number)))
    assert history.clients() == [("example", "client")]
    assert [one.result for one in history.of("example", "client")] == [
        release(n) for n in (1, 2, 3)
    ]


def test_a_result_is_kept_once(tmp_path):
    history = History(tmp_path / "h.sqlite")
    path = write(tmp_path / "r.json", release(1))
    assert history.add(path)
    assert not history.add(path)
    assert len(list(history.of("example", "client"))) == 1


def test_a_result_without_a_moment_is_refused():
    with pytest.raises(PolicyError, match="no moment"):
        moment_of(make_result(as_of="whenever"))


@pytest.mark.parametrize("content", [b"no database at all, by far", b""])
def test_another_file_is_no_history(tmp_path, content):
    path = tmp_path / "h.sqlite"
    path.write_bytes(content)
    with pytest.raises(PolicyError, match="no history"):
        History(path).clients()
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_left_alone(tmp_path):
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE results (x)")
    database.close()
    with pytest.raises(PolicyError, match="of this version"):
        History(path).add(write(tmp_path / "r.json", release(1)))


@pytest.mark.parametrize("blob", [b"", b"damaged", "text", None])
def test_a_damaged_result_in_it_is_told(tmp_path, blob):
    path = tmp_path / "h.sqlite"
    History(path).add(write(tmp_path / "r.json", release(1)))
    database = sqlite3.connect(path)
    with database:
        if blob is None:
            database.execute("DROP TABLE results")
        else:
            database.execute("UPDATE results SET result = ?", (blob,))
    database.close()
    with pytest.raises(PolicyError):
        list(History(path).of("example", "client"))
    assert int.from_bytes(b"AUDH", "big") == APPLICATION


def test_a_name_of_two_lines_commands_no_pipeline(tmp_path):
    result = release(1, target={"name": "x\n::error::y\x1b[31m"})
    file = write(tmp_path / "r.json", result)
    ran = run_audit("history", file, "--db", tmp_path / "h.sqlite")
    assert ran.code == 0, ran.err
    assert "::error::y" in ran.out
    assert not any(line.startswith("::") for line in ran.out.splitlines())
    assert "\x1b" not in ran.out
