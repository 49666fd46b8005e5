"""Logs made for tests, and their readers run."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from audit.bundle.identity import Identifier, make_identity
from audit.bundle.server import ServerPart
from audit.identifiers.detector import detector_of
from audit.readers.serverlogs import ServerOptions, read_log
from audit.yamlfile.sources import SourceEntry

NOW = dt.datetime(2026, 6, 1, 12, 0, 0, tzinfo=dt.UTC)
SUBJECT = make_identity(
    [
        Identifier("address", "203.0.113.77"),
        Identifier("email", "canary.person@mail.example"),
        Identifier("account_id", "05" + "c3" * 32),
    ]
)
DAY = 86_400
AGENT = "Mozilla/5.0 (X11) Chrome/145.0.0.0"


def web_line(age_s: float, address="198.51.100.7", request="GET / HTTP/1.1", agent=AGENT) -> str:
    at = NOW - dt.timedelta(seconds=age_s)
    stamp = at.strftime("%d/%b/%Y:%H:%M:%S +0000")
    return f'{address} - - [{stamp}] "{request}" 200 12 "-" "{agent}"\n'


def options(base: Path, tokens=()) -> ServerOptions:
    return ServerOptions(
        capture="made",
        base=base,
        detector=detector_of(SUBJECT),
        read_at=NOW.timestamp(),
        tokens=tokens,
    )


def read(path: Path, *, tokens=(), role="website", **entry) -> ServerPart:
    part = ServerPart()
    made = SourceEntry.model_validate({"role": role, "logs": [path.name], **entry})
    read_log(path, path.name, made, options(path.parent, tokens), part)
    return part


def lines(part: ServerPart) -> list[dict]:
    return [row for row in part.rows.get("log_lines", []) if not row.get("unsure")]


def unsure(part: ServerPart) -> list[str]:
    return [str(row["unsure"]) for row in part.rows.get("log_lines", []) if row.get("unsure")]
