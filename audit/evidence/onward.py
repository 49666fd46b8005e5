"""What an explicit proxy sent on for a conversation of which it kept no flow.

A dump names the proxy's own connections (``server_conn``), but not those of a flow that it lacks.
Such a connection is told by what the client asked the proxy for: it begins while the client's
conversation is alive, and goes to the server that a CONNECT or a name in it names, or carries the
same request. The client's conversation itself stays missed; this only keeps it from being counted
twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from audit.evidence.merge import Units
from audit.evidence.moments import instant
from audit.readers.endpoint import responder_of
from audit.tables.frames import Row


@dataclass(slots=True, kw_only=True)
class _Asked:
    """What a conversation of the packets says about the server it goes to."""

    row: Row
    names: set[str] = field(default_factory=set)
    """Hosts and ``address:port`` that it names or goes to."""
    requests: set[tuple[object, ...]] = field(default_factory=set)


def onward_of_missed(
    packets: Units, accounted: frozenset[object], proxies: frozenset[str]
) -> dict[str, str]:
    """Return onward connection -> the client's conversation that it carries on.

    ``accounted`` are the conversations that flows name, ``proxies`` the ends (``address:port``) of
    explicit proxies; only conversations that are neither are looked at.
    """
    if not proxies:
        return {}
    asked = _asked(packets, accounted)
    ours = {name: one for name, one in asked.items() if responder_of(name) in proxies}
    others = {name: one for name, one in asked.items() if name not in ours}
    by_word: dict[object, list[tuple[str, str]]] = defaultdict(list)
    for key, other in others.items():
        for word in (*other.names, *other.requests):
            by_word[word].append((str(other.row.get("first_seen")), key))
    found: dict[str, str] = {}
    for name, one in sorted(ours.items(), key=lambda item: str(item[1].row.get("first_seen"))):
        for word in (*one.names, *one.requests):
            near = [
                mate
                for mate in by_word[word]
                if mate[1] not in found and _began_in(others[mate[1]].row, one.row)
            ]
            if near:
                found[min(near)[1]] = name
    return found


def _asked(packets: Units, accounted: frozenset[object]) -> dict[str, _Asked]:
    found = {
        str(unit.row["conversation"]): _Asked(row=unit.row)
        for unit in packets.get("conversations", ())
        if unit.row.get("proto") == "tcp" and unit.row.get("conversation") not in accounted
    }
    for name, word in _words(packets):
        if name in found:
            found[name].names.add(word)
    for name, one in found.items():
        one.names.add(responder_of(name))
    for unit in packets.get("http_requests", ()):
        known = found.get(str(unit.row.get("conversation")))
        if known is not None:
            key = ("request", *(unit.row.get(column) for column in ("method", "path", "query")))
            known.requests.add(key)
    return found


def _words(packets: Units) -> Iterator[tuple[str, str]]:
    """Yield conversation and a name of the server in it."""
    columns: Mapping[str, str] = {
        "conversations": "host", "tls_handshakes": "sni", "http_requests": "host",
    }  # fmt: skip
    for table, column in columns.items():
        for unit in packets.get(table, ()):
            if unit.row.get(column):
                yield str(unit.row.get("conversation")), str(unit.row[column])
    for unit in packets.get("conversations", ()):
        for payload in unit.payloads:
            if payload.location == "path":  # target of a CONNECT
                target = payload.data.decode("utf-8", "replace").lower()
                yield str(unit.row.get("conversation")), target
                yield str(unit.row.get("conversation")), target.rpartition(":")[0].strip("[]")


def _began_in(row: Row, other: Row) -> bool:
    start, began = instant(row.get("first_seen")), instant(other.get("first_seen"))
    ended = instant(other.get("last_seen"))
    if start is None or began is None or ended is None:
        return False
    return began <= start <= ended
