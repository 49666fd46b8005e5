"""What a bundle holds of servers' records, put beside what was recorded of a client."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from audit.bundle.folder import Bundle
from audit.bundle.server import READ, TABLES, ReadItem, ServerPart, read_server
from audit.errors import CaptureError
from audit.tables.evidence import CaptureEvidence, Feed
from audit.tables.frames import make_frame

if TYPE_CHECKING:
    import pandas as pd

_CAPABILITY_OF = {
    "log": "server.logs",
    "records": "server.records",
    "table": "server.records",
    "config": "server.config",
}
"""Kind of what was read -> capability that it supplies, for the role that keeps it."""


def add_servers(evidence: CaptureEvidence, bundle: Bundle) -> CaptureEvidence:
    """Return the evidence with the records of servers that the bundle holds.

    Raises :class:`CaptureError` for a part of the bundle that cannot be read.
    """
    part = read_server(bundle.folder)
    if part is None:
        return evidence
    tables = {
        name: _joined(frame, part, name) if name in TABLES else frame
        for name, frame in evidence.tables.items()
    }
    late = evidence.planted_kinds - set(part.kinds)
    limits = list(part.limits)
    if late:
        limits.append(
            "server records were searched when they were imported, for what the subject was known "
            f"by then: not for {', '.join(sorted(late))}"
        )
    broken = [f"the readers of records missed their own control: {name}" for name in part.missing]
    return replace(
        evidence,
        tables=tables,
        capabilities=evidence.capabilities | _supplied(part.items),
        detector_missing=tuple(dict.fromkeys((*evidence.detector_missing, *part.missing))),
        truncated=tuple(dict.fromkeys((*evidence.truncated, *part.truncated, *broken))),
        limits=tuple(dict.fromkeys((*_of_traffic(evidence), *limits))),
        planted_kinds=evidence.planted_kinds - late if late else evidence.planted_kinds,
        feeds=_feeds(part),
        records_read_at=_moment(part),
    )


def _moment(part: ServerPart) -> datetime | None:
    if not part.read_at:
        return None
    try:
        moment = datetime.fromisoformat(part.read_at)
    except ValueError:
        raise CaptureError("'read_at' is no time", source=READ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _of_traffic(evidence: CaptureEvidence) -> tuple[str, ...]:
    """Return the remarks about traffic: none where a capture holds records alone."""
    return evidence.limits if evidence.taps or evidence.vantage != "import" else ()


def _joined(frame: pd.DataFrame, part: ServerPart, name: str) -> pd.DataFrame:
    import pandas as pd

    rows = part.rows.get(name)
    if not rows:
        return frame
    added = make_frame(name, rows)
    return pd.concat([frame, added], ignore_index=True) if len(frame) else added


def _supplied(items: Iterable[ReadItem]) -> frozenset[str]:
    """Return the capabilities of what was really read: a log with no dated line supplies none."""
    return frozenset(
        f"{_CAPABILITY_OF[item.kind]}:{item.source}"
        for item in items
        if item.kind in _CAPABILITY_OF and (item.dated if item.kind == "log" else item.lines)
    )


def _feeds(part: ServerPart) -> tuple[Feed, ...]:
    """Return, for each role, what its logs cover and what ties them to its machine."""
    feeds = []
    for source in sorted({item.source for item in part.items if item.kind == "log"}):
        rows = [row for row in part.rows.get("log_lines", ()) if row.get("source") == source]
        items = [item for item in part.items if item.kind == "log" and item.source == source]
        feeds.append(
            Feed(
                source=source,
                first=min((str(row["ts"]) for row in rows if row.get("ts")), default=None),
                last=max((str(row["last_ts"]) for row in rows if row.get("last_ts")), default=None),
                tied=tuple(sorted({one for item in items for one in item.tied})),
                untied=tuple(item.name for item in items if item.dated and not item.tied),
            )
        )
    return tuple(feeds)
