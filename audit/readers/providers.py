"""Exports of providers: subscribers with their states, and settings of log deliveries.

Campaign Monitor: ``Results`` with ``EmailAddress``, ``State``, ``Date`` and counters of pages;
suppression lists with ``SuppressionReason``. Cloudflare: Logpush jobs carry no retention, their
bucket does (R2: ``deleteObjectsTransition.condition.maxAge``, seconds); Logpull's flag keeps
requests up to seven days.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from audit.bundle.server import ReadItem, ServerPart
from audit.readers.logconfig import DAY
from audit.readers.logfields import has_mail
from audit.readers.logrows import moment
from audit.readers.logtime import Clock, TimeReader
from audit.readers.serverlogs import ServerOptions, plain_bytes
from audit.tables.extract import Payload
from audit.tables.frames import Row
from audit.tables.reference import Reference
from audit.yamlfile.sources import SourceEntry

MAX_EXPORT: Final = 256 << 20
"""Bytes of one export that are read."""
STATES: Final = {
    "active": "subscribed", "subscribed": "subscribed", "unsubscribed": "unsubscribed",
    "deleted": "deleted", "bounced": "bounced", "unconfirmed": "unconfirmed",
    "suppressed": "suppressed",
}  # fmt: skip
"""A provider's word -> the state that checks know."""
_SINCE: Final = ("StateChangedDate", "Date", "status_since", "updated_at", "ListJoinedDate",
                 "created_at", "date")  # fmt: skip
_MAIL: Final = ("EmailAddress", "email", "email_address", "Email Address", "Email")
_STATE: Final = ("State", "status", "state", "Status")
_KNOWN: Final = frozenset(["destination_conf", "flag", "rules", "ConfirmedOptIn"])
"""Keys by which a provider's answer is told."""
LOGPULL_DAYS: Final = 7
_LONGEST: Final = 1e12
"""Seconds that no bucket keeps anything: an age beyond is not believed."""


@dataclass(slots=True)
class _Export:
    """The records of one file, and what shows that some are lacking."""

    records: list[dict[str, Any]] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)


def read_records(
    path: Path, name: str, entry: SourceEntry, options: ServerOptions, part: ServerPart
) -> None:
    """Read one export into ``db_records``: a row a person, without the address itself."""
    table = entry.table or path.name.split(".")[0]
    told: Row = {"capture": options.capture, "source": entry.role, "table": table}
    data, why = plain_bytes(path, MAX_EXPORT)
    export = _parse(data) if data is not None else _Export(lacking=[why])
    times = TimeReader(Clock(zone=entry.time_zone))
    for number, record in enumerate(export.records, start=1):
        part.add(
            "db_records", told | _row(record, table, times, options) | {"ref": f"{name}#{number}"}
        )
    for text in export.lacking:
        part.add("db_records", told | {"ref": name, "unsure": text})
    _search(export, name, table, entry, options, part)
    if times.assumed_zone:
        part.limits.append(f"{name}: its times name no zone; {entry.time_zone} was assumed")
    part.items.append(
        ReadItem(
            source=entry.role,
            name=name,
            kind="records",
            sha256=None if data is None else hashlib.sha256(data).hexdigest(),
            bytes=None if data is None else len(data),
            lines=len(export.records),
        )
    )


def _row(record: dict[str, Any], table: str, times: TimeReader, options: ServerOptions) -> Row:
    mail = _first(record, _MAIL)
    state = str(_first(record, _STATE) or "").strip().lower()
    is_suppressed = "SuppressionReason" in record
    if not state:
        state = next((word for word in STATES if word in table.lower().split("_")), "")
    since = next(
        (at for key in _SINCE if record.get(key) and (at := times.read(str(record[key])))), None
    )
    row: Row = {
        "status": "suppressed" if is_suppressed else STATES.get(state, state or None),
        "status_since": None if since is None else moment(since),
    }
    if since is not None and since > options.read_at + DAY:
        row |= {"status_since": None, "unsure": "its time lies in the future: a wrong clock"}
    if isinstance(mail, str) and has_mail(mail.encode("utf-8", "surrogatepass")):
        row |= {"email": "readable", "email_hash": email_hash(mail)}
    held = {
        str(key): "email"
        for key, value in record.items()
        if isinstance(value, str) and has_mail(value.encode("utf-8", "surrogatepass"))
    }
    return row | {"holds": json.dumps(held, sort_keys=True, separators=(",", ":"))}


def email_hash(address: str) -> str:
    """Return the sha256 of an e-mail address: percent signs decoded, lower case, no white space."""
    text = unquote(address) if "%" in address else address
    return hashlib.sha256(text.strip().lower().encode("utf-8", "replace")).hexdigest()


def _first(record: dict[str, Any], keys: Sequence[str]) -> Any:
    return next((record[key] for key in keys if record.get(key) not in (None, "")), None)


def _parse(data: bytes) -> _Export:
    export = _Export()
    text = data.decode("utf-8-sig", "replace")
    if "\ufffd" in text:
        export.lacking.append("it holds bytes that are no text")
    if text.lstrip()[:1] in {"{", "["}:
        _json(text, export)
    elif text.strip():
        _csv(text, export)
    return export


def _json(text: str, export: _Export) -> None:
    try:
        documents = [json.loads(text)]
    except (ValueError, RecursionError):
        documents = list(_json_lines(text, export))
    pages: dict[int, int] = {}
    for document in documents:
        found = document.get("Results") if isinstance(document, dict) else document
        if found is None:
            found = [document]
        if isinstance(document, dict) and "NumberOfPages" in document:
            try:
                pages[int(document.get("PageNumber") or 1)] = int(document["NumberOfPages"] or 1)
            except (ValueError, TypeError, OverflowError):
                export.lacking.append("its counters of pages are no numbers")
        for record in found if isinstance(found, list) else [None]:
            if isinstance(record, dict):
                export.records.append(record)
            else:
                export.lacking.append("it holds something that is no record")
    wanted = max(pages.values(), default=0)
    absent = list(islice((page for page in range(1, wanted + 1) if page not in pages), 20))
    if absent:
        export.lacking.append(
            f"pages {', '.join(map(str, absent))} of {wanted} are not in the export"
        )


def _json_lines(text: str, export: _Export) -> Iterator[Any]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield json.loads(line)
            except (ValueError, RecursionError):
                export.lacking.append(f"line {number} is no JSON")


def _csv(text: str, export: _Export) -> None:
    reader = csv.reader(text.split("\n"), strict=True)
    try:
        names = next(reader)
        for row in reader:
            if row and len(row) == len(names):
                export.records.append(dict(zip(names, row, strict=True)))
            elif row:
                export.lacking.append(f"line {reader.line_num} has other columns than the first")
    except (csv.Error, StopIteration) as error:
        export.lacking.append(f"line {reader.line_num} is no CSV: {error}")


def _search(
    export: _Export,
    name: str,
    table: str,
    entry: SourceEntry,
    options: ServerOptions,
    part: ServerPart,
) -> None:
    payloads = [
        Payload(
            table="db_records",
            row=0,
            location="column",
            detail=table,
            direction="received",
            data=json.dumps(record, ensure_ascii=False).encode("utf-8", "surrogatepass"),
            ref=Reference(file=name, records=(number,)),
            content_type="application/json",
        )
        for number, record in enumerate(export.records, start=1)
    ]
    for payload, result in zip(payloads, options.detector.scan_all(payloads), strict=True):
        part.truncated += [f"{payload.ref}: {text}" for text in result.truncated]
        for hit in result.hits:
            part.add("identifier_hits", hit.row() | {
                "capture": options.capture, "source": entry.role, "direction": "received",
                "ref": str(payload.ref),
            })  # fmt: skip


def provider_settings(text: str, stem: str) -> list[Row] | None:
    """Return rows of ``config_entries`` of a provider's settings; ``None``: the text is none.

    ``stem`` is the file's name without ending: an answer about a bucket does not name it.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(data, dict) and isinstance(data.get("result"), dict | list):
        data = data["result"]
    items = [
        item for item in (data if isinstance(data, list) else [data]) if isinstance(item, dict)
    ]
    if not any(_KNOWN & item.keys() for item in items):
        return None
    return [row for item in items for row in _setting(item, stem)]


def _setting(item: dict[str, Any], stem: str) -> Iterator[Row]:
    if "destination_conf" in item:
        place = str(item["destination_conf"]).split("?")[0].split("@")[-1]
        name = f"{item.get('dataset') or 'http_requests'} to {place}"
        yield {"kind": "logpush_job", "name": name, "retention": None,
               "enabled": bool(item.get("enabled", True))}  # fmt: skip
    elif set(item) == {"flag"}:
        yield {"kind": "log_retention", "name": "logpull", "retention": LOGPULL_DAYS * DAY,
               "enabled": bool(item["flag"])}  # fmt: skip
    elif isinstance(item.get("rules"), list):
        yield from _bucket(item["rules"], stem)
    elif "ConfirmedOptIn" in item:
        yield {"kind": "list_manager", "name": "campaign-monitor", "retention": None,
               "enabled": True}  # fmt: skip
        kind = "confirmed_opt_in"
        yield {"kind": kind, "name": "campaign-monitor", "retention": None,
               "enabled": bool(item["ConfirmedOptIn"])}  # fmt: skip


def _bucket(rules: list[Any], stem: str) -> Iterator[Row]:
    for rule in rules:
        if not isinstance(rule, dict):
            continue
        age = _inside(rule, "deleteObjectsTransition", "condition", "maxAge")
        is_age = isinstance(age, int | float) and not isinstance(age, bool) and age < _LONGEST
        if is_age and not _inside(rule, "conditions", "prefix"):
            yield {"kind": "bucket_rule", "name": stem, "retention": float(age),
                   "enabled": bool(rule.get("enabled", True))}  # fmt: skip


def _inside(data: Any, *keys: str) -> Any:
    """Return what stands under the keys, one below the other; ``None``: nothing."""
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def join_buckets(rows: list[Row]) -> None:
    """Give log deliveries the retention of their bucket, where a rule of it is known."""
    kept = {
        (row["source"], row["name"]): row["retention"]
        for row in rows
        if row["kind"] == "bucket_rule" and row["enabled"]
    }
    for row in rows:
        if row["kind"] == "logpush_job" and row["retention"] is None:
            place = str(row["name"]).partition("://")[2]
            row["retention"] = kept.get((row["source"], place.split("/")[0]))
