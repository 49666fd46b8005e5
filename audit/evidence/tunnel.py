"""When a tunnel was up, which traffic was sent meanwhile, and which of it went through it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audit.bundle.journal import JournalLine
from audit.bundle.manifest import Manifest
from audit.readers.endpoint import moment_of
from audit.tables.frames import Row
from audit.tables.rows import TABLES, TrafficRow

Tables = Mapping[str, Sequence[Row]]
_UP = "vpn.up"
_DOWN = frozenset({"vpn.drop", "vpn.down"})
_TRAFFIC = frozenset(name for name, model in TABLES.items() if issubclass(model, TrafficRow))
_END = "9999"
"""Later than every moment."""


def up_times(journal: Sequence[JournalLine]) -> tuple[tuple[str, str], ...]:
    """Return the spans in which a tunnel was up, from and to, as ``ts`` columns write moments."""
    steps = sorted(
        (moment, line.action)
        for line in journal
        if line.driver in {"recorder", "manual"}
        and line.ok
        and line.action in {_UP, *_DOWN}
        and (moment := moment_of(line.ts)) is not None
    )
    spans: list[tuple[str, str]] = []
    since: str | None = None
    for moment, action in steps:
        if action == _UP:
            since = since or moment
        elif since is not None:
            spans.append((since, moment))
            since = None
    if since is not None:
        spans.append((since, _END))
    return tuple(spans)


def mark_tunnel(tables: Tables, journal: Sequence[JournalLine]) -> None:
    """Fill in ``vpn_up`` of every row of traffic: whether any of it passed while a tunnel was up.

    A conversation counts from its first packet to its last, any other row at its own moment.
    """
    spans = up_times(journal)
    for table, rows in tables.items():
        if table not in _TRAFFIC:
            continue
        for row in rows:
            first = row.get("first_seen") or row.get("ts")
            last = row.get("last_seen") or first
            row["vpn_up"] = any(
                str(first) < until and str(last) >= since for since, until in spans if first
            )


def mark_inside(tables: Tables, manifest: Manifest) -> None:
    """Fill in ``in_tunnel`` of conversations: whether every interface named is a tunnel's.

    Only the recorder's map says which interfaces are; without one nothing is known.
    """
    tunnels = frozenset(manifest.network.tunnel)
    for row in tables.get("conversations", ()):
        names = str(row.get("iface") or "").split(",")
        known = tunnels and names != [""]
        row["in_tunnel"] = tunnels.issuperset(names) if known else None
