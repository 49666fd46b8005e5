"""Real PostgreSQL, MariaDB and DuckDB: what is read, what is refused, what is never told."""

from __future__ import annotations

import contextlib
import importlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from audit.bundle.server import write_server
from audit.errors import AuditError, CaptureError, SetupError, UsageError
from audit.readers.database_access import Pace
from audit.readers.database_server import ServerAccess
from audit.yamlfile.sources import SourceEntry
from tests.readers.database_servers import PASSWORD, READER, DatabaseServer, mariadb, postgresql
from tests.readers.databases import doubts, read, records

MANY = 3_000


@pytest.fixture(scope="module")
def pg() -> Iterator[DatabaseServer]:
    with postgresql() as server:
        server.admin(f"""
            CREATE TABLE people(id serial PRIMARY KEY, email text, status text,
              created_at timestamptz, unsubscribed_at timestamptz, info jsonb, ip inet, raw bytea);
            INSERT INTO people(email, status, created_at, unsubscribed_at, info, ip, raw) VALUES
              ('ann@a.example', 'active', '2026-05-01 10:00:00+00', NULL, '{{"a": [1]}}', NULL, NULL),
              (NULL, 'unsubscribed', '2024-05-01 10:00:00+09', '2026-02-01 10:00:00+00',
               '{{"mail": "quirin.zobel@mail.example"}}', '198.51.100.77', '\\x1f8b');
            CREATE TABLE visits(id bigint PRIMARY KEY, ip text, at timestamp);
            INSERT INTO visits SELECT n, '203.0.113.' || n % 200, '2026-05-01 10:00:00'
              FROM generate_series(1, {MANY}) n;
            CREATE TABLE secret(id int, at timestamptz);
            CREATE TABLE rows_of_others(id int, at timestamptz);
            ALTER TABLE rows_of_others ENABLE ROW LEVEL SECURITY;
            CREATE SCHEMA attic; CREATE TABLE attic.old(v text, at timestamptz);
            INSERT INTO attic.old VALUES ('x', 'infinity'), ('y', '2026-05-01');
            CREATE TABLE parent(v text, at timestamptz) PARTITION BY RANGE (at);
            CREATE TABLE part1 PARTITION OF parent FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
            INSERT INTO parent VALUES ('p', '2026-05-01');
            GRANT USAGE ON SCHEMA attic TO {READER};
            GRANT ALL ON people, visits, rows_of_others, attic.old, part1 TO {READER};
        """)
        yield server


@pytest.fixture(scope="module")
def maria() -> Iterator[DatabaseServer]:
    with mariadb() as server:
        server.admin(f"""
            CREATE TABLE people(id int AUTO_INCREMENT PRIMARY KEY, email varchar(200), status text,
              created_at timestamp NULL, unsubscribed_at datetime, info json, raw blob);
            SET time_zone = '+00:00';
            INSERT INTO people(email, status, created_at, unsubscribed_at, info, raw) VALUES
              ('ann@a.example', 'active', '2026-05-01 10:00:00', NULL, '{{"a": [1]}}', NULL),
              (NULL, 'unsubscribed', '2024-05-01 01:00:00', '2026-02-01 10:00:00',
               '{{"mail": "quirin.zobel@mail.example"}}', 0x1f8b);
            CREATE TABLE visits(id bigint PRIMARY KEY, ip text, at datetime);
            INSERT INTO visits SELECT seq, concat('203.0.113.', seq MOD 200), '2026-05-01 10:00:00'
              FROM seq_1_to_{MANY};
            GRANT ALL ON audited.* TO '{READER}'@'%';
        """)
        yield server


@pytest.fixture
def duck(tmp_path: Path) -> Path:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    path = tmp_path / "site.duckdb"
    with closing(duckdb.connect(str(path))) as connection:
        connection.execute("SET TimeZone='Asia/Tokyo'")
        connection.execute(
            "CREATE TABLE people(id int PRIMARY KEY, email text, status text, created_at timestamptz,"
            " unsubscribed_at timestamp, info json, raw blob, tags varchar[])"
        )
        connection.execute(
            "INSERT INTO people VALUES (1, 'ann@a.example', 'active', '2026-05-01 10:00:00+00', NULL,"
            " '{\"a\": [1]}', NULL, ['a']), (2, NULL, 'unsubscribed', '2024-05-01 10:00:00+09',"
            " '2026-02-01 10:00:00', '{\"mail\": \"quirin.zobel@mail.example\"}', '\\x1f\\x8b', NULL)"
        )
        connection.execute(
            "CREATE TABLE visits AS SELECT n AS id, '203.0.113.' || n % 200 AS ip,"
            f" TIMESTAMP '2026-05-01 10:00:00' AS at FROM range({MANY}) t(n)"
        )
    return path


def of(server: DatabaseServer, monkeypatch: pytest.MonkeyPatch, **more: object) -> SourceEntry:
    monkeypatch.setenv("AUDITED_URL", server.url)
    entry = {"role": "newsletter", "database_env": "AUDITED_URL"} | more
    return SourceEntry.model_validate(entry)


def check_people(part: Any) -> None:
    """Assert what all systems hold alike."""
    ann, other = sorted(records(part, "people"), key=lambda row: str(row["ref"]))
    assert (ann["status"], ann["email"]) == ("subscribed", "readable")
    assert ann["ts"] == "2026-05-01T10:00:00.000000Z"
    assert (other["status"], other["email"]) == ("unsubscribed", "readable")
    assert other["ts"] == "2024-05-01T01:00:00.000000Z"
    assert other["status_since"] == "2026-02-01T10:00:00.000000Z"
    (hit,) = [hit for hit in part.rows["identifier_hits"] if hit["kind"] == "email"]
    assert hit["location"].startswith("column people.info")
    (visits,) = records(part, "visits")
    assert visits["records"] == MANY
    assert json.loads(str(visits["holds"]))["ip"] == "address"
    read_whole = [item for item in part.items if item.name.endswith(("/people", "/visits"))]
    assert all(item.sha256 for item in read_whole)


def test_postgresql_is_read_whole(
    pg: DatabaseServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = read(of(pg, monkeypatch), tmp_path)
    check_people(part)
    assert {row["location"] for row in part.rows["identifier_hits"]} >= {"column people.ip"}
    assert len(records(part, "attic.old")) == 2
    assert records(part, "part1")
    assert not records(part, "parent")
    assert "the database's clock and ours agree" in " ".join(part.limits)


def test_a_table_that_may_not_be_read_is_said_and_the_others_are_read(
    pg: DatabaseServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = read(of(pg, monkeypatch), tmp_path)
    said = {
        str(row["table"]): str(row["unsure"])
        for row in part.rows["db_records"]
        if row.get("unsure")
    }
    assert said["secret"] == "it cannot be read: permission denied"
    assert "row-level security" in said["rows_of_others"]
    assert "no time in 'at'" in said["attic.old"]
    assert records(part, "visits")


def test_mariadb_is_read_whole(
    maria: DatabaseServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = read(of(maria, monkeypatch), tmp_path)
    check_people(part)
    assert doubts(part) == []
    assert any("shows an account only the tables" in said for said in part.limits)


def test_duckdb_is_read_whole_and_not_touched(duck: Path, tmp_path: Path) -> None:
    before = (duck.read_bytes(), sorted(tmp_path.iterdir()))
    part = read(SourceEntry(role="newsletter", database=duck.name), tmp_path)
    check_people(part)
    assert (duck.read_bytes(), sorted(tmp_path.iterdir())) == before


def test_a_duckdb_file_is_read_whatever_its_name_and_its_schemas(
    duck: Path, tmp_path: Path
) -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    with closing(duckdb.connect(str(duck))) as connection:
        connection.execute("CREATE SCHEMA site.site; CREATE TABLE site.site.t AS SELECT 1 AS a")
    assert duck.stem == "site"
    odd = duck.rename(tmp_path / "site ?#%20.duckdb")
    part = read(SourceEntry(role="newsletter", database=odd.name), tmp_path)
    check_people(part)
    assert sum(int(str(row["records"])) for row in records(part, "site.t")) == 1
    assert [item.name for item in part.items if item.kind == "database"] == [
        "server/newsletter/site ?%23%20.duckdb"
    ]


@pytest.mark.parametrize("system", ["pg", "maria", "duck"])
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO visits(id) VALUES (1000000)",
        "UPDATE people SET status = 'x'",
        "DELETE FROM visits",
        "CREATE TABLE made(a int)",
        "DROP TABLE visits",
    ],
)
def test_writing_is_refused_by_the_connection_though_the_account_may(
    system: str, statement: str, request: pytest.FixtureRequest
) -> None:
    from audit.readers.database import open_database

    given = request.getfixturevalue(system)
    where = str(given) if isinstance(given, Path) else given.url
    with closing(open_database(where, Path())) as access:
        assert isinstance(access, ServerAccess)
        before = access._rows("SELECT count(*) FROM visits")
        with pytest.raises(CaptureError, match=r"(?i)read[- ]only"):
            access._rows(statement)
        assert access._rows("SELECT count(*) FROM visits") == before


@pytest.mark.parametrize("system", ["pg", "maria"])
def test_a_slow_statement_is_ended_by_the_server(
    system: str, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue(system).url
    wait = "SELECT pg_sleep(20)" if system == "pg" else "SELECT sleep(20) FROM visits"
    with closing(ServerAccess(url, statement_s=1)) as access:
        if system == "pg":
            with pytest.raises(CaptureError, match="timeout"):
                access._rows(wait)
        else:
            with pytest.raises(CaptureError, match=r"max_statement_time|interrupted"):
                access._rows(wait)


class Cutting:
    """Stands between client and server, and drops the connection after so many bytes."""

    def __init__(self, port: int, after: int) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._there, self._after = port, after
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        client, _ = self._server.accept()
        with client, socket.create_connection(("127.0.0.1", self._there)) as there:
            back = threading.Thread(target=self._forward, args=(client, there, 1 << 40))
            back.start()
            self._forward(there, client, self._after)
            back.join()

    @staticmethod
    def _forward(source: socket.socket, target: socket.socket, left: int) -> None:
        try:
            while left > 0 and (data := source.recv(1024)):
                target.sendall(data)
                left -= len(data)
        except OSError:
            pass
        finally:
            for one in (source, target):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._thread.join(10)
        self._server.close()


@pytest.mark.parametrize("system", ["pg", "maria"])
def test_a_connection_that_drops_in_the_middle_leaves_partial_evidence_that_says_so(
    system: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server: DatabaseServer = request.getfixturevalue(system)
    with closing(Cutting(server.port, 60_000)) as between:
        monkeypatch.setenv("AUDITED_URL", server.url.replace(str(server.port), str(between.port)))
        entry = SourceEntry(role="newsletter", database_env="AUDITED_URL")
        part = read(entry, tmp_path)
    assert any("it could not be read on" in doubt for doubt in doubts(part))
    assert any("rows were read" in said for said in part.truncated)
    cut = next(item for item in part.items if item.name.endswith("/visits"))
    assert cut.sha256 is None
    assert 0 < cut.lines < MANY
    assert PASSWORD not in repr(part)


@pytest.mark.parametrize("system", ["pg", "maria"])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda url, _: url,
        lambda url, _: url.replace("k3y", "wr0ng"),
        lambda url, port: url.replace(port, "1"),
        lambda url, _: url + "?unheard=hunter2",
        lambda url, _: url.replace("/audited", "/nowhere"),
        lambda url, _: url.replace("://", "://x:y@"),
        lambda url, _: "nosuch" + url,
    ],
)
def test_nothing_of_a_url_is_ever_told(
    system: str,
    spoil: Callable[[str, str], str],
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server: DatabaseServer = request.getfixturevalue(system)
    monkeypatch.setenv("AUDITED_URL", spoil(server.url, str(server.port)))
    entry = SourceEntry(role="newsletter", database_env="AUDITED_URL")
    said = ""
    try:
        part = read(entry, tmp_path)
        write_server(tmp_path, part)
        said = "".join(one.read_text() for one in tmp_path.rglob("*") if one.is_file()) + repr(part)
    except AuditError as error:
        said = (
            f"{error} {error!r} {error.source} {error.hint} {error.__cause__} {error.__context__}"
        )
    for secret in (PASSWORD, "k3y", "wr0ng", READER, "hunter2", "%40", "auditor@db"):
        assert secret not in said


def test_pages_are_fetched_as_large_as_the_reader_asks(pg: DatabaseServer) -> None:
    with closing(ServerAccess(pg.url)) as access:
        table = next(one for one in access.tables() if one.name == "visits")
        sizes, pace = [], Pace(rows=10)
        for batch in access.batches(table, pace):
            sizes.append(len(batch))
            pace.rows = 1_000
    assert sizes[:2] == [10, 1_000]
    assert sum(sizes) == MANY


def test_without_the_extra_one_sentence_says_what_is_lacking(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real: Callable[..., Any] = importlib.import_module

    def without(name: str, package: str | None = None) -> Any:
        if name in {"psycopg", "pymysql", "duckdb_engine", "sqlalchemy"}:
            raise ImportError(name)
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", without)
    (tmp_path / "a.duckdb").write_bytes(bytes(8) + b"DUCK" + bytes(100))
    for where, system in (
        ("postgresql://u:p@127.0.0.1:1/d", "PostgreSQL"),
        ("mysql://u:p@127.0.0.1:1/d", "MariaDB"),
        ("a.duckdb", "DuckDB"),
    ):
        with pytest.raises(SetupError, match=f"reading {system} needs the extra 'databases'"):
            read(SourceEntry(role="website", database=where), tmp_path)


def test_a_system_that_is_not_known_is_refused() -> None:
    with pytest.raises(UsageError, match="not known here"):
        read(SourceEntry(role="website", database="oracle://a:b@c/d"), Path())
