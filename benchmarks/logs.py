"""Access logs: our reader beside polars on one core reading the same columns, and GoAccess.

polars has an environment of its own, it is no dependency:
``python -m venv .cache/bench/polars && .cache/bench/polars/bin/pip install polars``.
"""

from __future__ import annotations

import random
import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from measure import CACHE, in_turn, middle

TITLE = "Server logs"
TIMES = 3
LINES = 1_000_000
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/145.0.0.0 Safari/537.36",
    "curl/8.5.0",
    "-",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.0 Safari",
)
PATHS = ("/", "/blog/a-post?from=x", "/static/{0}.js", "/download?to=a%20b", "/logo@2x.png")
OURS = """
import sys
from pathlib import Path
from audit.bundle.identity import Identifier, make_identity
from audit.bundle.server import ServerPart
from audit.identifiers.detector import Detector
from audit.readers.serverlogs import ServerOptions, read_log
from audit.yamlfile.sources import SourceEntry
known = [] if sys.argv[2] == "none" else [
    Identifier("address", "203.0.113.77"), Identifier("email", "canary.person@mail.example"),
    Identifier("account_id", "05" + "c3" * 32),
]
options = ServerOptions(
    capture="c", base=Path("/"), detector=Detector(make_identity(known)), read_at=4e9
)
part = ServerPart()
path = Path(sys.argv[1])
read_log(path, path.name, SourceEntry(role="website", logs=("x",)), options, part)
assert part.items[0].dated == part.items[0].lines
"""
POLARS = """
import sys
import polars as pl
frame = pl.read_csv(sys.argv[1], separator=" ", has_header=False, quote_char='"',
                    infer_schema_length=0, columns=[0, 2, 3, 5, 8, 9])
"""


def section() -> str:
    """Measure, and return the table."""
    log = CACHE / f"access-{LINES}.log"
    if not log.exists():
        make(log)
    one = ["taskset", "-c", "0"]
    commands = {
        "ours, fields and ages": [*one, sys.executable, "-c", OURS, str(log), "none"],
        "ours, and a subject of three values": [
            *one,
            sys.executable,
            "-c",
            OURS,
            str(log),
            "three",
        ],
    }
    polars = CACHE / "polars/bin/python"
    if polars.exists():
        alone = ["env", "POLARS_MAX_THREADS=1", *one]
        commands["polars.read_csv, the columns alone"] = [
            *alone,
            str(polars),
            "-c",
            POLARS,
            str(log),
        ]
    if shutil.which("goaccess"):
        commands["goaccess to JSON"] = [
            *one, "goaccess", str(log), "--log-format=COMBINED", "--no-global-config", "-o",
            str(CACHE / "goaccess.json"),
        ]  # fmt: skip
    size = log.stat().st_size
    rows = [
        f"{size / 1e6:.0f} MB, {LINES} lines of nginx's combined format, one core each.\n",
        "| program | wall, s | processor, s | MB a second of processor | peak, MiB |",
        "|---|---|---|---|---|",
    ]
    for name, runs in in_turn(commands, TIMES).items():
        run = middle(runs)
        speed = size / 1e6 / run.cpu_seconds
        spent = f"{run.seconds:.1f} | {run.cpu_seconds:.1f}"
        rows.append(f"| {name} | {spent} | {speed:.0f} | {run.peak_mib:.0f} |")
    return "\n".join(rows)


def make(path: Path) -> None:
    """Write a log of a site's visits over some days, the same in every run."""
    draw = random.Random(12)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="ascii") as file:
        for _ in range(LINES):
            at += timedelta(seconds=draw.random() * 2)
            address = f"198.51.{draw.randrange(256)}.{draw.randrange(256)}"
            if draw.random() < 0.1:
                address = f"2001:db8::{draw.randrange(65536):x}"
            target = draw.choice(PATHS).format(draw.randrange(9999))
            file.write(
                f'{address} - - [{at:%d/%b/%Y:%H:%M:%S} +0000] "GET {target} HTTP/1.1" 200 '
                f'{draw.randrange(99999)} "-" "{draw.choice(AGENTS)}"\n'
            )
