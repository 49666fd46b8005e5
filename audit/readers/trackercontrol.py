"""TrackerControl's CSV export as rows: one contact of an app with a server each.

All apps: ``uid,daddr,time,uncertain,Tracker,Category,Package,App``; one app: ``daddr,time,
uncertain,Tracker Name,Tracker Category``. Fields are quoted as RFC 4180 has it; times are Unix
milliseconds. ``uncertain`` other than 0 means that several names share the address (TrackerControl,
``DatabaseHelper.ACCESS_UNCERTAIN_*``): such a name is a guess, and no more is made of it.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

from audit.readers.endpoint import moment
from audit.readers.inputkind import InputKind, ReadOptions
from audit.readers.listing import Listing, server_columns, user_id
from audit.tables.extract import Extract
from audit.tables.frames import Row
from audit.tables.vocabulary import CLAIMED

_NAMES: Final = {
    "uid": "uid", "daddr": "daddr", "time": "time", "time(ms)": "time", "uncertain": "uncertain",
    "tracker": "tracker", "tracker name": "tracker", "category": "category",
    "tracker category": "category", "package": "package", "app": "app",
}  # fmt: skip
"""Column as the writer has it, lower case -> as it is called here."""
_NEEDED: Final = {"daddr", "time", "uncertain"}


def read_trackercontrol(path: Path, options: ReadOptions) -> Extract:
    """Read an export; raises :class:`CaptureError` for a file of which no line is part of one."""
    listing = Listing(options)
    lines = listing.lines(path)
    number, head = next(lines, (0, b""))
    columns = _columns(head)
    if number and not _is_header(columns):
        listing.problems.add(number, "it names no columns of TrackerControl")
        return listing.finish(rows=0)
    rows = guesses = 0
    for number, line in lines:
        try:
            row = _row(dict(zip(columns, _fields(line, len(columns)), strict=True)))
        except (ValueError, OverflowError, csv.Error) as error:
            listing.problems.add(number, str(error))
            continue
        guesses += row.get("host_basis") == CLAIMED
        rows += 1
        listing.add("conversations", listing.common(number) | row, line, number, "dns")
    if rows:
        listing.extract.limits.append(
            f"{options.file} lists {rows} contacts: no port, no byte and nothing of what was sent"
        )
    if guesses:
        listing.extract.limits.append(
            f"{guesses} names in {options.file} are guesses, by its own word: other names share "
            "the address"
        )
    return listing.finish(rows=rows)


def _fields(line: bytes, count: int) -> list[str]:
    found = next(csv.reader([line.decode("utf-8", "surrogateescape")], strict=True), [])
    if len(found) != count:
        raise ValueError(f"it has {len(found)} fields, not {count}")
    return found


def _columns(head: bytes) -> list[str]:
    try:
        names = next(csv.reader([head.decode("utf-8", "replace")]), [])
    except csv.Error:
        return []
    return [_NAMES.get(name.strip().lower(), "") for name in names]


def _is_header(columns: list[str]) -> bool:
    known = [name for name in columns if name]
    return set(known) >= _NEEDED and len(known) == len(set(known))


def _row(fields: dict[str, str]) -> Row:
    ts = moment(int(fields["time"]) / 1000)
    if ts is None:
        raise ValueError("its time is no moment in Unix milliseconds")
    return server_columns(fields["daddr"], is_guess=fields["uncertain"].strip() != "0") | {
        "ts": ts,
        "first_seen": ts,
        "last_seen": ts,
        "transport": "metadata-only",
        "process_name": fields.get("package") or fields.get("app") or None,
        "process_basis": "package" if fields.get("package") else None,
        "uid": user_id(int(fields["uid"])) if fields.get("uid") else None,
        "owner": fields.get("tracker") or None,
    }


def is_trackercontrol(head: bytes) -> bool:
    """Whether the first line names the columns of TrackerControl."""
    return _is_header(_columns(head.partition(b"\n")[0].strip()))


TRACKERCONTROL: Final = InputKind(
    name="TrackerControl export (CSV)",
    tap="device",
    place="trackercontrol.csv",
    suffixes=(),
    knows=is_trackercontrol,
    read=read_trackercontrol,
)
