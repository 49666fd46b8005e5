"""A database from ``sources.yaml`` to the verdict of a check of retention."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import call_audit
from tests.readers.databases import make_sqlite

NOW = dt.datetime.now(dt.UTC)
DELETED = "session.web.newsletter-deleted-on-unsubscribe"
CANARY = "canary.person@mail.example"
SCRIPT = """CREATE TABLE subscribers(id INTEGER PRIMARY KEY, email TEXT, status TEXT,
  created_at TEXT, unsubscribed_at TEXT);"""


def ago(days: float) -> str:
    return (NOW - dt.timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S")


Person = tuple[str, str, float, float | None]
STAYS: Person = ("ann@a.example", "active", 300, None)


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("id.json", json.dumps({
            "schema": "audit/identity@1",
            "identifiers": [{"kind": "email", "value": CANARY, "canary": True}],
        }))  # fmt: skip
        digest = hashlib.sha256(CANARY.encode()).hexdigest()
        lines = [
            {"ts": (NOW - dt.timedelta(days=days)).isoformat(), "driver": "recorder",
             "action": action, "facts": {"subject_sha256": digest}}
            for action, days in (("web.newsletter.subscribe", 60), ("web.newsletter.unsubscribe", 40))
        ]  # fmt: skip
        self.write("journal.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
        self.target = "website"
        self.source = "  - {role: newsletter, database: list.sqlite}\n"

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def people(self, *people: Person, script: str = SCRIPT) -> Bench:
        make_sqlite(self.folder / "list.sqlite", script, [
            ("INSERT INTO subscribers(email, status, created_at, unsubscribed_at) VALUES (?,?,?,?)", [
                (email, state, ago(made), None if left is None else ago(left))
                for email, state, made, left in people
            ]),
        ])  # fmt: skip
        return self

    def imported(self) -> Any:
        self.write("sources.yaml", "schema: audit/sources@1\nsources:\n" + self.source)
        return call_audit(
            "import", "--sources", self.folder / "sources.yaml", "--identity",
            self.folder / "id.json", "--journal", self.folder / "journal.jsonl",
            "--vouched-by", "the auditor", "--target", self.target, "-o", self.folder / "made",
        )  # fmt: skip

    def verdict(self, check: str = DELETED) -> dict[str, Any]:
        made = self.imported()
        assert made.code == 0, made.err
        ran = call_audit("run", self.folder / "made", "--out", self.folder / "out", "--exit-zero")
        assert ran.code == 0, ran.err
        result = json.loads((self.folder / "out" / "result.json").read_text())
        found: dict[str, Any] = next(one for one in result["verdicts"] if one["check"] == check)
        return found


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def texts(verdict: dict[str, Any]) -> str:
    return " | ".join(reason["text"] for reason in verdict["reasons"])


def test_an_address_kept_under_a_state_of_leaving_is_a_violation(bench: Bench) -> None:
    found = bench.people(STAYS, ("bob@a.example", "unsubscribed", 300, 45)).verdict()
    assert found["outcome"] == "fail"
    assert (
        "subscribers still holds an address unsubscribed since" in found["findings"][0]["message"]
    )
    place = found["findings"][0]["evidence"][0]
    assert (place["file"], place["record"]) == ("server/newsletter/subscribers", "2")
    written = "".join(
        path.read_text(errors="replace")
        for folder in ("made", "out")
        for path in (bench.folder / folder).rglob("*")
        if path.is_file() and path.name != "identity.json"
    )
    assert "bob@a.example" not in written


def test_a_grace_that_is_not_over_is_none(bench: Bench) -> None:
    found = bench.people(STAYS, ("bob@a.example", "unsubscribed", 300, 5)).verdict()
    assert found["findings"] == []


def test_a_person_who_left_in_a_forgotten_backup_is_a_violation(bench: Bench) -> None:
    script = (
        SCRIPT
        + f"""CREATE TABLE subscribers_bak(id INTEGER PRIMARY KEY, email TEXT,
      status TEXT, created_at TEXT);
      INSERT INTO subscribers_bak VALUES (1, 'BOB@a.example', 'active', '{ago(60)}');"""
    )
    found = bench.people(("bob@a.example", "unsubscribed", 300, 45), script=script).verdict()
    assert found["outcome"] == "fail"
    assert any("subscribers_bak" in one["message"] for one in found["findings"])


KEPT = """CREATE TABLE messages(hash TEXT, owner TEXT, at TEXT, body BLOB);
  INSERT INTO messages VALUES ('a1', 'b2', '{at}', x'00ff'), {more};"""


@pytest.mark.parametrize(
    ("more", "outcome", "said"),
    [
        ("('a2', 'b3', '{at}', NULL)", "pass", ""),
        ("('a2', 'from 198.51.100.77', '{at}', NULL)", "fail", "column messages.owner"),
        ("('a2', 'c@a.example', '{at}', NULL)", "fail", "messages holds an e-mail address"),
        ("('a2', 'b3', 'soon', NULL)", "inconclusive", "no time in 'at'"),
    ],
)
def test_tables_of_an_apps_service_are_judged(
    tmp_path: Path, more: str, outcome: str, said: str
) -> None:
    bench = Bench(tmp_path)
    kinds = [("address", "198.51.100.77"), ("serial", "C02XK1ZZJG5H"), ("phone", "+4915112345678")]
    bench.write("id.json", json.dumps({
        "schema": "audit/identity@1",
        "identifiers": [{"kind": kind, "value": value, "canary": True} for kind, value in kinds],
    }))  # fmt: skip
    bench.write("journal.jsonl", "".join(
        json.dumps({"ts": (NOW - dt.timedelta(days=1)).isoformat(), "driver": "recorder",
                    "action": action, "facts": {}}) + "\n"
        for action in ("account.create", "app.message.send")
    ))  # fmt: skip
    bench.source = "  - {role: app, database: list.sqlite}\n"
    bench.target = "service"
    make_sqlite(tmp_path / "list.sqlite", KEPT.replace("{more}", more).replace("{at}", ago(2)))
    found = bench.verdict("session.app.no-tracking-records")
    assert found["outcome"] == outcome, texts(found)
    assert said in texts(found) + "".join(one["message"] for one in found["findings"])


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (SCRIPT + "CREATE TABLE extra(v TEXT); INSERT INTO extra VALUES ('x');", "no column says when"),
        (SCRIPT + "CREATE TABLE extra(v TEXT, at TEXT); INSERT INTO extra VALUES ('x', 'soon');",
         "no time in 'at'"),
        (SCRIPT + "CREATE TABLE extra(v TEXT, at TEXT); INSERT INTO extra VALUES ('x', '2199-01-01');",
         "future"),
    ],
)  # fmt: skip
def test_rows_of_which_nothing_is_known_block_a_pass(bench: Bench, script: str, why: str) -> None:
    found = bench.people(STAYS, script=script).verdict()
    assert found["outcome"] == "inconclusive"
    assert why in texts(found)


def test_an_empty_database_is_never_a_pass(bench: Bench) -> None:
    assert bench.people().verdict()["outcome"] in {"inconclusive", "not_observable"}


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("  - {role: newsletter, database: nowhere.sqlite}\n", "there is no such database"),
        ("  - {role: newsletter, database_env: AUDIT_TEST_UNSET}\n", "is not set"),
        (
            "  - {role: newsletter, database: 'postgresql://someone:hunter2@127.0.0.1:1/d'}\n",
            "refused",
        ),
        (
            "  - {role: newsletter, database: list.sqlite, patterns: {account_id: '05.*'}}\n",
            "'patterns' has no effect on a database",
        ),
        (
            "  - {role: newsletter, database: list.sqlite, copy: true}\n",
            "'copy' has no effect on a database",
        ),
        ("  - {role: newsletter, database: 'sqlite://'}\n", "in memory has nothing to read"),
    ],
)
def test_a_database_that_cannot_be_read_is_refused_and_leaves_nothing(
    bench: Bench, source: str, why: str
) -> None:
    bench.source = source
    made = bench.imported()
    assert made.code == 2
    assert why in made.err
    assert "hunter2" not in made.err + made.out
    assert not (bench.folder / "made").exists()
