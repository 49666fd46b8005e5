"""A database's tables as rows with ages and identifiers; what is not known is said."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.bundle.server import read_server, write_server
from audit.errors import UsageError
from audit.readers.database import database_of
from audit.readers.database_controls import missing_controls
from audit.yamlfile.sources import SourceEntry, TableRule
from tests.readers.databases import SUBJECT, doubts, make_sqlite, read, records

LIST = """CREATE TABLE subscribers(id INTEGER PRIMARY KEY, email TEXT, status TEXT,
  created_at TEXT, unsubscribed_at TEXT);"""


def of(address: str) -> str:
    return hashlib.sha256(address.encode()).hexdigest()


def source(path: Path, **more: object) -> SourceEntry:
    return SourceEntry.model_validate({"role": "newsletter", "database": path.name} | more)


def test_the_controls_of_the_readers_are_found() -> None:
    assert missing_controls() == ()


def test_a_person_who_left_is_a_row_with_state_and_since_when(tmp_path: Path) -> None:
    path = make_sqlite(tmp_path / "a.sqlite", LIST, [
        ("INSERT INTO subscribers VALUES (?,?,?,?,?)", [
            (7, "Ann@a.example", "active", "2026-05-01 10:00:00", None),
            (9, "bob@a.example", "Opted out", "2024-05-01 10:00:00", "2026-02-01T10:00:00Z"),
        ]),
    ])  # fmt: skip
    part = read(source(path), tmp_path)
    ann, bob = records(part)
    assert (ann["status"], ann["email"], ann["email_hash"]) == (
        "subscribed", "readable", of("ann@a.example"),
    )  # fmt: skip
    assert (bob["status"], bob["status_since"]) == ("unsubscribed", "2026-02-01T10:00:00.000000Z")
    assert bob["ts"] == "2024-05-01T10:00:00.000000Z"
    assert bob["ref"] == "server/newsletter/subscribers#2"
    assert doubts(part) == []
    assert any("times without a zone are taken as UTC" in said for said in part.limits)


def test_no_value_of_a_row_reaches_the_bundle(tmp_path: Path) -> None:
    path = make_sqlite(tmp_path / "a.sqlite", LIST + "CREATE TABLE n(id INTEGER, note TEXT, created_at TEXT)", [
        ("INSERT INTO subscribers VALUES (?,?,?,?,?)", [
            (1, "stranger@b.example", "active", "2026-05-01 10:00:00", None),
            (2, "quirin.zobel@mail.example", "active", "2026-05-01 10:00:00", None),
        ]),
        ("INSERT INTO n VALUES (?,?,?)", [
            (1, "Hanna Geheim, 203.0.113.9, quirin.zobel@mail.example", "2026-05-01 10:00:00"),
        ]),
    ])  # fmt: skip
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    write_server(bundle, read(source(path), tmp_path))
    written = b"".join(one.read_bytes() for one in bundle.rglob("*") if one.is_file()).lower()
    assert b"subscribers" in written
    for value in (
        b"stranger",
        b"b.example",
        b"quirin",
        b"geheim",
        b"203.0.113.9",
        str(tmp_path).encode(),
    ):
        assert value not in written
    again = read_server(bundle)
    assert again is not None
    assert len(again.rows["identifier_hits"]) == 2


def test_the_subject_is_found_in_every_column_and_container(tmp_path: Path) -> None:
    value = "quirin.zobel@mail.example"
    cells = {
        "plain": value,
        "json": json.dumps({"a": [{"b": value}]}),
        "coded": base64.b64encode(f"x {value} y".encode()).decode(),
        "packed": gzip.compress(json.dumps({"mail": value}).encode()),
        "hashed": hashlib.md5(value.encode()).hexdigest(),
    }
    columns = ", ".join(f"{name} BLOB" for name in cells)
    script = f"CREATE TABLE t(id INTEGER PRIMARY KEY, created_at TEXT, {columns})"
    marks = ",".join("?" * (len(cells) + 2))
    filler = [(n, "2026-05-01 10:00:00", *(["nothing here"] * len(cells))) for n in range(1, 41)]
    row = (41, "2026-05-01 10:00:00", *cells.values())
    path = make_sqlite(
        tmp_path / "a.sqlite", script, [("INSERT INTO t VALUES (" + marks + ")", [*filler, row])]
    )
    part = read(source(path), tmp_path)
    hits = part.rows["identifier_hits"]
    assert {hit["location"] for hit in hits} >= {
        f"column t.{name}" for name in cells if name != "packed"
    }
    assert any(str(hit["location"]).startswith("column t.packed") for hit in hits)
    assert all(str(hit["ref"]).startswith("server/newsletter/t#41:") for hit in hits)
    assert all(hit["source"] == "newsletter" for hit in hits)
    assert {hit["kind"] for hit in hits} == {"email"}
    item = next(item for item in part.items if item.kind == "table")
    assert item.tied == ("the subject's email",)


def test_visits_are_grouped_by_hour_with_what_they_hold(tmp_path: Path) -> None:
    script = "CREATE TABLE visits(id INTEGER PRIMARY KEY, ip TEXT, agent TEXT, at TIMESTAMP)"
    rows = [
        (
            n,
            f"203.0.113.{n % 9}" if n % 2 else None,
            "Mozilla/5.0 Chrome/145.0.0.0",
            1_778_000_400 + n,
        )
        for n in range(1000)
    ]
    path = make_sqlite(
        tmp_path / "a.sqlite", script, [("INSERT INTO visits VALUES (?,?,?,?)", rows)]
    )
    part = read(source(path), tmp_path)
    found = records(part, "visits")
    assert sum(int(str(row["records"])) for row in found) == 1000
    assert len(found) == 2
    held = [json.loads(str(row["holds"])) for row in found]
    assert {"agent": "user_agent", "user_agent": "user_agent"} in held
    assert {
        "ip": "address", "address": "address", "agent": "user_agent", "user_agent": "user_agent",
    } in held  # fmt: skip
    assert all(row["email"] is None for row in found)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("CREATE TABLE t(id INTEGER PRIMARY KEY, created_at TEXT);", "no row was read"),
        (
            "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'x');",
            "no column says when its 1 rows were collected",
        ),
        (
            "CREATE TABLE t(v TEXT, created_at TEXT); INSERT INTO t VALUES ('x', 'yesterday');",
            "1 of its rows have no time in 'created_at' that can be read",
        ),
        (
            "CREATE TABLE t(v TEXT, created_at TEXT); INSERT INTO t VALUES ('x', '2031-01-01');",
            "1 of its rows are dated in the future: a wrong clock",
        ),
        (
            "CREATE TABLE t(v TEXT, updated_at TEXT); INSERT INTO t VALUES ('x', '2026-05-01');",
            "'updated_at' says when rows were changed last: they may be older",
        ),
        (
            "CREATE TABLE other(v TEXT, at TEXT); INSERT INTO other VALUES ('x', '2026-05-01');",
            "the source names this table, and it is not there",
        ),
    ],
)  # fmt: skip
def test_what_is_not_known_is_said_and_never_silence(
    tmp_path: Path, script: str, said: str
) -> None:
    path = make_sqlite(tmp_path / "a.sqlite", script)
    part = read(source(path, tables={"t": {}}), tmp_path)
    assert any(said in doubt for doubt in doubts(part))


def test_a_rule_that_names_a_column_that_is_not_there_is_said(tmp_path: Path) -> None:
    script = "CREATE TABLE t(v TEXT, at TEXT); INSERT INTO t VALUES ('x', '2026-05-01');"
    path = make_sqlite(tmp_path / "a.sqlite", script)
    part = read(source(path, tables={"t": TableRule(time="made")}), tmp_path)
    assert doubts(part) == ["the source names its column 'made', and it is not there"]


def test_two_databases_of_one_role_have_places_of_their_own(tmp_path: Path) -> None:
    script = "CREATE TABLE t(a TEXT, at TEXT); INSERT INTO t VALUES ('x', '2026-05-01');"
    part = None
    for name in ("a.sqlite", "b.sqlite", "c.sqlite"):
        part = read(source(make_sqlite(tmp_path / name, script)), tmp_path, part=part)
    assert part is not None
    assert [row["ref"] for row in records(part)] == [
        "server/newsletter/t#1", "server/newsletter-2/t#1", "server/newsletter-3/t#1",
    ]  # fmt: skip


def test_a_value_that_is_no_address_where_the_source_names_addresses_is_said(
    tmp_path: Path,
) -> None:
    script = "CREATE TABLE t(who TEXT, at TEXT)"
    values = ["a@a.example", None, "", "-", "gAAAAABk3vQy1Zr0m4hQ", "vault:8f2c"]
    rows = [(value, "2026-05-01") for value in values]
    path = make_sqlite(tmp_path / "a.sqlite", script, [("INSERT INTO t VALUES (?,?)", rows)])
    part = read(source(path, tables={"t": {"email": "who"}}), tmp_path)
    (doubt,) = doubts(part)
    assert doubt == (
        "2 values of 'who', which the source names for e-mail addresses, are neither one that can "
        "be read nor a digest"
    )
    assert doubts(read(source(path), tmp_path)) == []
    hashed = [(of(f"p{n}@a.example"), "2026-05-01") for n in range(9)]
    path = make_sqlite(tmp_path / "b.sqlite", script, [("INSERT INTO t VALUES (?,?)", hashed)])
    assert doubts(read(source(path, tables={"t": {"email": "who"}}), tmp_path)) == []


def test_a_table_of_nobody_is_left_out_unless_the_subject_stands_in_it(tmp_path: Path) -> None:
    script = "CREATE TABLE v(version TEXT); INSERT INTO v VALUES ('1'); CREATE TABLE t(a TEXT, at TEXT); INSERT INTO t VALUES ('x','2026-05-01')"
    path = make_sqlite(tmp_path / "a.sqlite", script)
    part = read(source(path, tables={"v": {"ignore": True}}), tmp_path)
    assert doubts(part) == []
    assert not records(part, "v")
    path = make_sqlite(tmp_path / "b.sqlite", script.replace("'1'", "'198.51.100.77'"))
    part = read(source(path, tables={"v": {"ignore": True}}), tmp_path)
    assert any("a value of the subject stands in it" in doubt for doubt in doubts(part))


def test_a_table_of_nobody_that_breaks_off_is_said_to(tmp_path: Path) -> None:
    script = "CREATE TABLE t(a TEXT, at TEXT); INSERT INTO t VALUES ('x','2026-05-01'); CREATE TABLE v(a TEXT)"
    path = make_sqlite(
        tmp_path / "a.sqlite", script, [("INSERT INTO v VALUES (?)", [("v" * 900,)] * 900)]
    )
    with path.open("r+b") as file:
        file.seek(-4096, 2)
        file.write(b"\xff" * 100)
    part = read(source(path, tables={"v": {"ignore": True}}), tmp_path)
    (doubt,) = doubts(part)
    assert re.match(r"after [1-9]\d+ rows it could not be read on: SQLite cannot read it", doubt)


def test_texts_of_one_length_that_name_different_zones_are_each_dated_by_their_own(
    tmp_path: Path,
) -> None:
    script = """CREATE TABLE t(id INTEGER PRIMARY KEY, at TEXT);
        INSERT INTO t VALUES (1, '2026-05-01 10:00:00.00'), (2, '2026-05-01 10:00:00+05');"""
    path = make_sqlite(tmp_path / "a.sqlite", script)
    part = read(source(path, time_zone="Asia/Tokyo"), tmp_path)
    assert [row["ts"] for row in records(part)] == [
        "2026-05-01T01:00:00.000000Z", "2026-05-01T05:00:00.000000Z",
    ]  # fmt: skip


def test_a_soft_deleted_row_is_deleted_whatever_its_state_says(tmp_path: Path) -> None:
    script = "CREATE TABLE t(email TEXT, status TEXT, created_at TEXT, deleted_at TEXT);"
    path = make_sqlite(tmp_path / "a.sqlite", script, [
        ("INSERT INTO t VALUES (?,?,?,?)", [
            ("a@a.example", "active", "2025-01-01 00:00:00", "2026-01-05 00:00:00"),
            ("b@a.example", "active", "2025-01-01 00:00:00", None),
        ]),
    ])  # fmt: skip
    gone, there = records(read(source(path), tmp_path))
    assert (gone["status"], gone["deleted"]) == ("deleted", True)
    assert gone["status_since"] == "2026-01-05T00:00:00.000000Z"
    assert (there["status"], there["deleted"]) == ("subscribed", False)


def test_a_person_who_left_is_found_in_backups_and_other_tables(tmp_path: Path) -> None:
    script = (
        LIST
        + """
      CREATE TABLE subscribers_backup_20260101(id INTEGER, email TEXT, status TEXT, created_at TEXT);
      CREATE TABLE form_posts(id INTEGER, body TEXT, created_at TEXT);
      CREATE TABLE suppression_list(email TEXT, created_at TEXT);"""
    )
    path = make_sqlite(tmp_path / "a.sqlite", script, [
        ("INSERT INTO subscribers VALUES (?,?,?,?,?)", [
            (1, "bob@a.example", "unsubscribed", "2025-01-01 00:00:00", "2026-01-05 00:00:00"),
        ]),
        ("INSERT INTO subscribers_backup_20260101 VALUES (?,?,?,?)", [
            (1, "bob@a.example", "active", "2025-01-01 00:00:00"),
        ]),
        ("INSERT INTO form_posts VALUES (?,?,?)", [
            (1, '{"mail": "BOB%40a.example"}', "2025-01-01 00:00:00"),
        ]),
        ("INSERT INTO suppression_list VALUES (?,?)", [("eve@a.example", "2026-01-01 00:00:00")]),
    ])  # fmt: skip
    part = read(source(path), tmp_path)
    for table in ("subscribers", "subscribers_backup_20260101", "form_posts"):
        (row,) = records(part, table)
        assert (row["status"], row["status_since"]) == (
            "unsubscribed", "2026-01-05T00:00:00.000000Z",
        ), table  # fmt: skip
    assert records(part, "suppression_list")[0]["status"] == "suppressed"
    assert any("it holds a copy of subscribers" in said for said in part.limits)


def test_hashed_addresses_are_reported_apart_from_readable_ones(tmp_path: Path) -> None:
    script = "CREATE TABLE t(email_sha256 TEXT, status TEXT, created_at TEXT, unsubscribed_at TEXT)"
    rows = [
        (of(f"p{n}@a.example"), "unsubscribed", "2026-05-01 00:00:00", "2026-05-02 00:00:00")
        for n in range(9)
    ]
    path = make_sqlite(tmp_path / "a.sqlite", script, [("INSERT INTO t VALUES (?,?,?,?)", rows)])
    (row,) = records(read(source(path), tmp_path))
    assert (row["email"], row["records"]) == (None, 9)
    assert json.loads(str(row["holds"]))["email_sha256"] == "email_digest"


def test_a_person_without_a_date_of_leaving_has_no_age(tmp_path: Path) -> None:
    script = "CREATE TABLE t(email TEXT, status TEXT, created_at TEXT)"
    rows = [("a@a.example", "unsubscribed", "2020-01-01 00:00:00")]
    path = make_sqlite(tmp_path / "a.sqlite", script, [("INSERT INTO t VALUES (?,?,?)", rows)])
    part = read(source(path), tmp_path)
    assert records(part)[0]["status_since"] is None
    assert doubts(part) == ["nothing says since when people who left are in that state"]


def test_own_addresses_are_nobodys(tmp_path: Path) -> None:
    script = "CREATE TABLE t(ip TEXT, at TEXT); INSERT INTO t VALUES ('203.0.113.1', '2026-05-01')"
    path = make_sqlite(tmp_path / "a.sqlite", script)
    for own, held in ((["203.0.113.1"], {}), ([], {"ip": "address", "address": "address"})):
        (row,) = records(read(source(path, own_addresses=own), tmp_path))
        assert json.loads(str(row["holds"])) == held


def test_a_database_that_is_not_there_or_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b.sqlite").write_bytes(b"no database at all, but long enough")
    for name, said in (("a.sqlite", "no such database"), ("b.sqlite", "no SQLite file")):
        with pytest.raises(UsageError, match=said):
            read(source(tmp_path / name), tmp_path)


def test_a_url_comes_from_the_environment_when_the_source_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entry = SourceEntry(role="website", database_env="SITE_DATABASE")
    monkeypatch.delenv("SITE_DATABASE", raising=False)
    with pytest.raises(UsageError, match="is not set"):
        database_of(entry)
    monkeypatch.setenv("SITE_DATABASE", "postgresql://u:p@h/d")
    assert database_of(entry) == "postgresql://u:p@h/d"


VALUES = st.one_of(
    st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.binary(max_size=60),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
)  # fmt: skip


@settings(max_examples=30)
@given(st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=12))
def test_whatever_stands_in_a_table_every_row_is_counted(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[object, ...]]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    path = make_sqlite(
        folder / "a.sqlite",
        "CREATE TABLE t(email, status, created_at)",
        [("INSERT INTO t VALUES (?,?,?)", rows)],
    )
    part = read(source(path), folder)
    assert sum(int(str(row["records"])) for row in records(part)) >= len(rows)
    write_server(folder, part)
    assert read_server(folder) is not None


def test_one_more_violating_row_is_never_lost_in_a_group(tmp_path: Path) -> None:
    script = "CREATE TABLE t(id INTEGER PRIMARY KEY, at TEXT)"
    rows = [(n, "2026-05-01 10:00:00") for n in range(20_000)] + [(20_001, "2020-01-01 00:00:00")]
    path = make_sqlite(tmp_path / "a.sqlite", script, [("INSERT INTO t VALUES (?,?)", rows)])
    old, young = records(read(source(path), tmp_path, SUBJECT))
    assert (old["ts"], old["records"], old["ref"]) == (
        "2020-01-01T00:00:00.000000Z", 1, "server/newsletter/t#20001",
    )  # fmt: skip
    assert young["records"] == 20_000
