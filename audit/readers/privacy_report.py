"""Apple's App Privacy Report (NDJSON) as rows.

Two schemas: iOS 15.2 and later (``type`` is ``networkActivity`` or ``access``; Apple, "Inspecting
app activity data"), and the beta of iOS 15 (``stream``, ``tccService``, ``hasApp.bundleName``).

A contacted domain is a row of ``conversations``; what a person's own browsing in a web view of the
app contacted (``NonAppInitiated``) is the process ``browser``. An access to photos, contacts,
camera and so on is a row of ``log_lines`` with ``dataset: access``: it went to no server.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from audit.readers.bodies import canonical_json
from audit.readers.endpoint import moment, moment_of
from audit.readers.inputkind import InputKind, ReadOptions
from audit.readers.listing import Listing, server_columns
from audit.tables.extract import Extract
from audit.tables.frames import Row

SOURCE: Final = "app-privacy-report"
"""``source`` of the rows of ``log_lines``."""
ACCESS: Final = "access"
"""``dataset`` of the rows of ``log_lines``."""
_LINES_TRIED: Final = 20
_PROGRAM: Final = ("bundleID", "bundleId", "hasApp.bundleName", "bundleName")
_MOMENT: Final = ("timeStamp", "timestamp")
_FIELDS: Final = (
    "category",
    "tccService",
    "stream",
    "kind",
    "identifier",
    "accessCount",
    "outOfProcess",
)


def read_privacy_report(path: Path, options: ReadOptions) -> Extract:
    """Read a report; raises :class:`CaptureError` for a file of which no line is part of one."""
    listing = Listing(options)
    totals = _Totals()
    for number, line in listing.lines(path):
        try:
            _add(listing, totals, number, line, _record(line))
        except (ValueError, TypeError, RecursionError) as error:
            listing.problems.add(number, str(error))
    if totals.contacts:
        listing.extract.limits.append(
            f"{options.file} lists {totals.contacts} contacts with domains, made {totals.hits} "
            "times: no port, no address, no byte and nothing of what was sent"
        )
    if totals.browsing:
        listing.extract.limits.append(
            f"{totals.browsing} of them were made by web pages that a person opened in the app: "
            "they count as a browser's, not as the app's"
        )
    if totals.accesses:
        listing.extract.limits.append(
            f"{options.file} lists {totals.accesses} accesses to data and sensors of the device: "
            "rows of log_lines, dataset access"
        )
    return listing.finish(rows=totals.contacts + totals.accesses)


@dataclass(slots=True)
class _Totals:
    contacts: int = 0
    hits: int = 0
    browsing: int = 0
    accesses: int = 0


def _record(line: bytes) -> dict[str, object]:
    data = json.loads(line)
    if not isinstance(data, dict):
        raise TypeError("it is no JSON object")
    return data


def _add(
    listing: Listing, totals: _Totals, number: int, line: bytes, record: dict[str, object]
) -> None:
    kind = record.get("type")
    if kind == "networkActivity" or (kind is None and "domain" in record):
        _add_contact(listing, totals, number, line, record)
    elif kind == ACCESS or (kind is None and "accessor" in record):
        _add_access(listing, totals, number, record)
    else:
        raise ValueError(f"a record of type {str(kind)[:40]!r} is not known")


def _add_contact(
    listing: Listing, totals: _Totals, number: int, line: bytes, record: dict[str, object]
) -> None:
    program = _program(record)
    last = _time(record, _MOMENT)
    first = _time(record, ("firstTimeStamp",)) or last
    row = listing.common(number) | server_columns(_word(record, "domain"))
    row |= {
        "ts": first,
        "first_seen": first,
        "last_seen": max(first or "", last or "") or None,
        "transport": "metadata-only",
        "process_name": program,
        "process_basis": "bundle-id" if program else None,
        "owner": str(record.get("domainOwner") or "") or None,
    }
    if record.get("initiatedType") == "NonAppInitiated":
        row["process"] = "browser"
        totals.browsing += 1
    hits = record.get("hits")
    totals.hits += hits if isinstance(hits, int) and 0 < hits < 1 << 40 else 1
    totals.contacts += 1
    listing.add("conversations", row, line, number, "dns")


def _add_access(listing: Listing, totals: _Totals, number: int, record: dict[str, object]) -> None:
    fields = {name: record[name] for name in _FIELDS if record.get(name) is not None}
    fields["program"] = _accessor(record)
    row: Row = {
        "capture": listing.options.capture,
        "ref": listing.common(number)["ref"],
        "ts": _time(record, _MOMENT),
        "source": SOURCE,
        "dataset": ACCESS,
        "fields": canonical_json(json.dumps(fields).encode()),
    }
    totals.accesses += 1
    listing.extract.add("log_lines", row)


def _word(record: dict[str, object], key: str) -> str:
    value = record.get(key)
    if not isinstance(value, str):
        raise TypeError(f"{key} is no text")
    return value


def _program(record: dict[str, object]) -> str | None:
    named = [record.get(key) for key in _PROGRAM]
    inner = record.get("hasApp")
    named.append(inner.get("bundleName") if isinstance(inner, dict) else None)
    return next((name for name in named if isinstance(name, str) and name), None)


def _accessor(record: dict[str, object]) -> str | None:
    accessor = record.get("accessor")
    named = accessor.get("identifier") if isinstance(accessor, dict) else accessor
    if accessor is not None and not isinstance(named, str):
        raise TypeError("accessor is neither a text nor names one")
    return named if isinstance(named, str) and named else _program(record)


def _time(record: dict[str, object], keys: tuple[str, ...]) -> str | None:
    for key in keys:
        value = record.get(key)
        found = moment_of(value) or moment(value)
        if found:
            return found
    return None


def is_privacy_report(head: bytes) -> bool:
    """Whether one of the first lines is a record of a report."""
    for line in head.split(b"\n")[:_LINES_TRIED]:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict) and (
            str(record.get("type")) in {"networkActivity", ACCESS}
            or ("domain" in record and _program(record) is not None)
            or ("accessor" in record and ("kind" in record or "tccService" in record))
        ):
            return True
    return False


PRIVACY_REPORT: Final = InputKind(
    name="Apple App Privacy Report (NDJSON)",
    tap="device",
    place="app-privacy-report.ndjson",
    suffixes=(".ndjson",),
    knows=is_privacy_report,
    read=read_privacy_report,
)
