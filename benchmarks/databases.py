"""Databases: tables scanned whole, beside fetching the same rows by the same driver.

    python benchmarks/databases.py [--rows 1000000]

prints its section of RESULTS.md. Two tables drawn with a fixed seed: visits (address, user agent,
path, referrer, time) and subscribers (address, state, random token, time). Fetching is
``fetchmany`` alone; scanning is everything that ``audit import --sources`` does with a table but
for writing the bundle. The servers run beside it on the same cores.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time

sys.path.insert(0, str(Path(__file__).parents[1]))

from audit.bundle.identity import Identifier, make_identity
from audit.bundle.server import ServerPart
from audit.identifiers.detector import detector_of
from audit.readers.database import open_database
from audit.readers.database_access import BATCH, Access, Pace, Table
from audit.readers.database_roles import roles_of
from audit.readers.database_rows import TableRows
from audit.readers.database_search import CellSearch
from audit.readers.database_table import TableReader
from audit.readers.logtime import Clock, TimeReader
from tests.readers.database_servers import READER, mariadb, postgresql

TITLE = "Databases"
ROWS = 1_000_000
TIMES = 1
SUBJECT = make_identity(
    [
        Identifier("email", "canary.person@mail.example"),
        Identifier("address", "198.51.100.77"),
        Identifier("account_id", "05" + "ab12cd34" * 8),
        Identifier("display_name", "Quirin Zobel"),
    ]
)
VISITS = (
    "id bigint primary key, ip varchar(45), agent varchar(200), path varchar(200),"
    " referer varchar(200), created_at varchar(30)"
)
PEOPLE = (
    "id bigint primary key, email varchar(200), status varchar(20), token varchar(64),"
    " created_at varchar(30)"
)


_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:{}.0) Gecko/20100101 Firefox/{}.0"


def visits(count: int) -> Iterator[tuple[object, ...]]:
    """Draw visits: many addresses, some hundred user agents, some thousand paths."""
    draw = random.Random(1)
    for number in range(count):
        yield (
            number,
            f"203.0.{draw.randrange(256)}.{draw.randrange(256)}",
            _AGENT.format(draw.randrange(100, 140), draw.randrange(100, 110)),
            f"/blog/{draw.randrange(3000)}",
            None if number % 3 else f"https://search.example/?q={draw.randrange(500)}",
            _time(number),
        )


def people(count: int) -> Iterator[tuple[object, ...]]:
    """Draw subscribers, each with an address of his own."""
    draw = random.Random(2)
    for number in range(count):
        state = "active" if number % 5 else "unsubscribed"
        mail = f"u{draw.randrange(10**9)}@host{number % 900}.example"
        yield number, mail, state, f"{draw.getrandbits(128):032x}", _time(number)


def _time(number: int) -> str:
    return f"2026-0{1 + number % 9}-1{number % 9} {number % 24:02d}:{number % 60:02d}:00"


@dataclass(frozen=True)
class Figure:
    """One table of one system."""

    system: str
    table: str
    rows: int
    fetching: tuple[float, float]
    """Seconds on the wall, and of this process's processor."""
    scanning: tuple[float, float]


def measure(access: Access, table: Table, times: int) -> Figure:
    """Fetch and scan a table in turn."""
    fetched, scanned, counts = [], [], []
    for _ in range(times):
        fetched.append(timed(lambda: fetch(access, table)))
        scanned.append(timed(lambda: counts.append(scan(access, table))))
    return Figure(access.system, table.name, counts[0], min(fetched), min(scanned))


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return how long something takes, on the wall and of the processor."""
    wall, processor = perf_counter(), process_time()
    work()
    return perf_counter() - wall, process_time() - processor


def fetch(access: Access, table: Table) -> None:
    """Fetch all rows and do nothing with them."""
    for _batch in access.batches(table, Pace(rows=BATCH)):
        pass


def scan(access: Access, table: Table) -> int:
    """Do with a table what the import does."""
    reader = TableReader(
        table=table,
        roles=roles_of(table),
        rows=TableRows(base={"capture": "c", "source": "website"}, place="p"),
        times=TimeReader(Clock()),
        search=CellSearch(detector=detector_of(SUBJECT), place="p", label=table.label),
        read_at=4e9,
    )
    pace, part = Pace(), ServerPart()
    for batch in access.batches(table, pace):
        reader.read(batch, pace)
    reader.digest()
    for row in (*reader.rows.rows(), *reader.search.finish()):
        part.add("db_records", row)
    return reader.count


def systems(stack: ExitStack, folder: Path, count: int) -> Iterator[str]:
    """Yield where each filled database is."""
    tables = (("visits", VISITS, 6, visits), ("people", PEOPLE, 5, people))
    path = folder / "a.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        for name, columns, width, draw in tables:
            connection.execute(f"CREATE TABLE {name}({columns})")
            marks = ",".join("?" * width)
            connection.executemany("INSERT INTO " + name + f" VALUES ({marks})", draw(count))
        connection.commit()
    yield str(path)
    import duckdb

    other = folder / "a.duckdb"
    for name, _, _, draw in tables:
        with (folder / f"{name}.tsv").open("w", encoding="utf-8") as file:
            for row in draw(count):
                file.write("\t".join("\\N" if one is None else str(one) for one in row) + "\n")
    with closing(duckdb.connect(str(other))) as connection:
        for name, columns, _, _ in tables:
            connection.execute(f"CREATE TABLE {name}({columns})")
            connection.execute(
                f"COPY {name} FROM '{folder}/{name}.tsv'"
                " (DELIMITER '\\t', NULL '\\N', HEADER false)"
            )
    yield str(other)
    for make in (postgresql, mariadb):
        server = stack.enter_context(make())
        for name, columns, _, _ in tables:
            text = (folder / f"{name}.tsv").read_text(encoding="utf-8")
            if make is postgresql:
                server.admin(
                    f"CREATE TABLE {name}({columns});\nCOPY {name} FROM STDIN;\n{text}\\.\n"
                )
                server.admin(f"GRANT SELECT ON {name} TO {READER}")
            else:
                server.admin(
                    f"CREATE TABLE {name}({columns}); SET GLOBAL local_infile=1;"
                    f"LOAD DATA LOCAL INFILE '{folder}/{name}.tsv' INTO TABLE {name};"
                    f"GRANT SELECT ON audited.{name} TO '{READER}'@'%';"
                )
        yield server.url


def section(rows: int = ROWS, times: int = TIMES) -> str:
    """Measure, and return Markdown."""
    figures = []
    detector_of(SUBJECT).controls()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        for where in systems(stack, folder, rows):
            with closing(open_database(where, Path())) as access:
                figures += [measure(access, table, times) for table in access.tables()]
    lines = [
        "Scanning a table whole is to take at most 8 times as long as fetching its rows.",
        "Seconds on the wall and, in brackets, of this process alone, without the server.",
        "",
        "| system | table | rows | fetching | scanning | ratio |",
        "|---|---|---|---|---|---|",
    ]
    for one in figures:
        (wall, own), (scan_wall, scan_own) = one.fetching, one.scanning
        lines.append(
            f"| {one.system} | {one.table} | {one.rows:,} | {wall:.1f} s ({own:.1f}) |"
            f" {scan_wall:.1f} s ({scan_own:.1f}) | {scan_wall / wall:.1f} ({scan_own / own:.1f}) |"
        )
    return "\n".join(lines)


def main() -> None:
    """Print the section."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--times", type=int, default=TIMES)
    given = parser.parse_args()
    print(f"## {TITLE}\n\n{section(given.rows, given.times)}")


if __name__ == "__main__":
    main()
