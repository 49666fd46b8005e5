"""The capture's part of ``coverage`` in ``result.json``: shares, recipients, who got what when."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from audit.evidence.processes import is_others
from audit.evidence.visibility import total_bytes
from audit.tables.frames import Row

Tables = Mapping[str, Sequence[Row]]
_CLIENT: Final = frozenset({"app", "browser", "unknown"})
_JOIN: Final = timedelta(seconds=1)
"""Spans of one recipient that are closer are drawn as one."""


def shares(tables: Tables) -> dict[str, object]:
    """Return conversations and bytes of the client, by transport and by content."""
    counts: dict[str, Counter[str]] = {"transport": Counter(), "content": Counter()}
    sizes: dict[str, Counter[str]] = {"transport": Counter(), "content": Counter()}
    unattributed: Counter[str] = Counter(conversations=0, bytes=0)
    for row in tables.get("conversations", ()):
        if row.get("process") not in _CLIENT or is_others(row):
            continue
        for column in ("transport", "content"):
            value = str(row.get(column) or "metadata-only" if column == "transport"
                        else row.get(column) or "empty")  # fmt: skip
            counts[column][value] += 1
            sizes[column][value] += total_bytes(row)
        if row.get("process") == "unknown":
            unattributed.update(conversations=1, bytes=total_bytes(row))
    return {
        "conversations": {name: dict(sorted(count.items())) for name, count in counts.items()},
        "bytes": {name: dict(sorted(size.items())) for name, size in sizes.items()},
        "unattributed": dict(unattributed),
    }


def recipients(tables: Tables) -> list[dict[str, object]]:
    """Return who was contacted, by whom, how often and with how many bytes."""
    found: dict[tuple[str, str, str, str], Counter[str]] = defaultdict(Counter)
    for row in tables.get("conversations", ()):
        words = (row.get("peer_role"), row.get("process"), row.get("owner"))
        role, process, owner = (str(word or "") for word in words)
        key = (str(row["recipient"]), role, process, owner)
        found[key].update(conversations=1, bytes=total_bytes(row))
    return [
        {
            "recipient": recipient,
            "role": role or None,
            "owner": owner or None,
            "process": process,
            "conversations": count["conversations"],
            "bytes": count["bytes"],
        }
        for (recipient, role, process, owner), count in sorted(found.items())
    ]


def timeline(tables: Tables, capture: str) -> list[dict[str, object]]:
    """Return when each recipient of the client was spoken to, close spans joined."""
    spans: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in tables.get("conversations", ()):
        first, last = row.get("first_seen"), row.get("last_seen") or row.get("first_seen")
        if row.get("process") in _CLIENT and isinstance(first, str) and isinstance(last, str):
            spans[str(row["recipient"])].append((first, max(first, last)))
    return [
        {"capture": capture, "recipient": recipient, "spans": _joined(sorted(found))}
        for recipient, found in sorted(spans.items())
    ]


def _joined(spans: list[tuple[str, str]]) -> list[list[str]]:
    joined = [list(spans[0])]
    for start, end in spans[1:]:
        if _moment(start) - _moment(joined[-1][1]) <= _JOIN:
            joined[-1][1] = max(joined[-1][1], end)
        else:
            joined.append([start, end])
    return joined


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text[:26].rstrip("Z")).replace(tzinfo=UTC)


def who_got_what(hits: Sequence[Row]) -> list[dict[str, object]]:
    """Return every kind of identifier that a recipient got, with the forms it was in."""
    found: dict[tuple[object, ...], list[str]] = defaultdict(list)
    for row in hits:
        if row.get("direction") == "sent" and row.get("process") != "control":
            key = tuple(row.get(n) for n in ("recipient", "peer_role", "kind", "layer", "seen_as"))
            found[key].append(str(row.get("form")))
    return [
        {
            "recipient": recipient,
            "role": role,
            "kind": kind,
            "layer": layer,
            "seen_as": seen_as,
            "forms": sorted(set(forms)),
            "count": len(forms),
        }
        for (recipient, role, kind, layer, seen_as), forms in sorted(
            found.items(), key=lambda item: tuple(map(str, item[0]))
        )
    ]


def actions(rows: Sequence[Row], notes: Mapping[str, str]) -> list[dict[str, object]]:
    """Return the client's actions in order of time, each with what proves it."""
    listed = [
        {
            "capture": row["capture"],
            "name": row["name"],
            "phase": row["phase"],
            "ok": row["ok"],
            "driver": row["driver"],
            "corroborated_by": row["corroborated_by"],
            "ts": row["ts"],
            "note": notes.get(str(row["ref"]), ""),
        }
        for row in rows
        if row["driver"] != "peer"
    ]
    return sorted(listed, key=lambda row: str(row["ts"]))
