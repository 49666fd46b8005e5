"""Controls of the readers of logs: lines planted in memory, whose fields must be found."""

from __future__ import annotations

from functools import cache
from typing import Final

from audit.readers.logfields import FieldReader
from audit.readers.logline import FORMATS, configured
from audit.readers.logrows import LogRows
from audit.readers.logstream import LineBlock
from audit.readers.logtime import Clock, TimeReader
from audit.readers.weblog import WebLog

_AT: Final = 1_767_323_045.0
"""2026-01-02T03:04:05Z, the time of every planted line."""
_WEB: Final = (
    b'203.0.113.7 - - [02/Jan/2026:03:04:05 +0000] "GET /?m=a.person%40mail.example HTTP/1.1" '
    b'200 5 "-" "Mozilla/5.0 Chrome/145.0.0.0"'
)
_PLANTED: Final = (
    ("access", _WEB, {"remote_addr", "user_agent", "email"}),
    (
        "error",
        b"2026/01/02 03:04:05 [error] 1#1: *1 failed, client: 2001:db8::7, server: a.example",
        {"client_ip"},
    ),
    (
        "json",
        b'{"time":"2026-01-02T03:04:05Z","remote_ip":"203.0.113.7","user_agent":"M","m":"a@b.example"}',
        {"remote_ip", "user_agent", "email"},
    ),
    (
        "syslog",
        b"<34>1 2026-01-02T03:04:05Z host app 1 - - from 203.0.113.7 for a.person@mail.example",
        {"ip", "email"},
    ),
)


@cache
def missing_controls() -> tuple[str, ...]:
    """Plant a line of each format, by the readers that read logs; return what was not found."""
    times, fields = TimeReader(Clock()), FieldReader()
    missing = []
    for one in FORMATS:
        for dataset, line, wanted in _PLANTED:
            if dataset == one.dataset:
                parsed = one.parse(line, times)
                told = fields.fields(parsed.values) if parsed and parsed.ts == _AT else {}
                if not wanted <= told.keys():
                    missing.append(f"a line of format {one.name}")
    parsed = configured("$remote_addr [$time_local] $http_user_agent").parse(
        b"203.0.113.7 [02/Jan/2026:03:04:05 +0000] Mozilla", times
    )
    if parsed is None or parsed.ts != _AT:
        missing.append("a line of a configured format")
    rows = LogRows(capture="", source="", name="", dataset="", read_at=_AT)
    WebLog(rows, fields, times, lambda _number, _line: None).read(LineBlock(_WEB + b"\n", 1, 0))
    found = str([row["fields"] for row in rows.rows()])
    if not all(f'"{name}"' in found for name in ("remote_addr", "user_agent", "email")):
        missing.append("a block of an access log")
    return tuple(missing)
