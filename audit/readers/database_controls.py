"""Controls of the readers of tables: cells planted in memory, whose kinds must be found."""

from __future__ import annotations

import base64
import gzip
import json
from functools import cache
from typing import Final

from audit.readers.database_access import Column
from audit.readers.database_cells import make_cells
from audit.readers.database_columns import ADDRESS, EMAIL, ColumnReader
from audit.readers.database_times import ColumnTimes
from audit.readers.logtime import Clock, TimeReader

_MAIL: Final = b"a.person@mail.example"
_V4: Final = b"203.0.113.7"
_JSON: Final = json.dumps({"who": [{"mail": _MAIL.decode(), "from": _V4.decode()}]}).encode()
_PLANTED: Final = (
    ("a text", _MAIL + b" from " + _V4, {EMAIL, ADDRESS}),
    ("JSON text", _JSON, {EMAIL, ADDRESS}),
    ("base64", base64.b64encode(_JSON), {EMAIL, ADDRESS}),
    ("a compressed value", gzip.compress(_JSON), {EMAIL, ADDRESS}),
    ("an IPv6 address", b"2001:db8::7", {ADDRESS}),
    ("a hardware address", b"02:00:5e:10:00:07", {"mac"}),
    ("a digest", b"5d41402abc4b2a76b9719d911017c592", {"digest"}),
)
_TIME: Final = 1_767_323_045.0
_TIMES: Final = ("2026-01-02 03:04:05", "2026-01-02T03:04:05Z", _TIME, _TIME * 1000)


@cache
def missing_controls() -> tuple[str, ...]:
    """Plant a cell of each sort among others; return which were not found."""
    missing = []
    for name, cell, kinds in _PLANTED:
        alone = name == "a digest"
        cells = make_cells([cell] if alone else ["nothing", cell, None, "05:00:00"])
        found = ColumnReader(Column(name="planted", type="text")).read(cells).kinds
        row = 0 if alone else 1
        if any(kind not in found or set(found[kind].tolist()) != {row} for kind in kinds):
            missing.append(f"{name} in a table")
    times = ColumnTimes(TimeReader(Clock()))
    if any(times.read([None, text]).tolist()[1] != _TIME for text in _TIMES):
        missing.append("a time in a table")
    return tuple(missing)
