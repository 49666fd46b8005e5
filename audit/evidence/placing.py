"""Which conversation of the packets carried each entry of an HTTP archive.

An archive names no port of the client. What tells an entry's conversation, best first: the same
request read in the packets; address and port of the server and its name; the name alone (through an
explicit proxy, the address is the proxy's); address and port alone (a connection reused for another
name). In all of them the times must fit. An entry that says that it opened its connection goes to
the conversation that began nearest to it; entries of one connection go together.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from audit.evidence.merge import Unit, Units
from audit.evidence.moments import instant
from audit.evidence.reconcile import SLACK, tell_servers
from audit.readers.endpoint import plain_address
from audit.tables.extract import Unplaced
from audit.tables.frames import Row
from audit.tables.vocabulary import joint_content

_UNDATED: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FAR: Final = timedelta(days=36500)
_Near = tuple[int, timedelta, timedelta]
"""How near an exchange is to a conversation, less is nearer: by what tells them together, by the
time of the exchange outside of the conversation's life, by the time between their starts."""
_TABLES: Final = ("http_requests", "http_responses", "websocket_messages")


@dataclass(slots=True, kw_only=True)
class _Wire:
    """A conversation of the packets that may have carried entries."""

    row: Row
    names: set[str]
    is_read: bool
    """Whether its requests were read in the packets too."""

    @property
    def key(self) -> str:
        return str(self.row["conversation"])

    @property
    def start(self) -> datetime | None:
        return instant(self.row.get("first_seen"))

    @property
    def end(self) -> datetime | None:
        return instant(self.row.get("last_seen")) or self.start


@dataclass(slots=True, kw_only=True)
class _Bundle:
    """Entries of one connection, or a single one."""

    entries: list[Unplaced]
    is_connection: bool
    candidates: list[tuple[_Near, _Wire]] = field(default_factory=list)


def place(packets: Units, proxy: Units, entries: Sequence[Unplaced]) -> dict[str, str]:
    """Return record -> 5-tuple for the entries whose conversation is found; fill it in ``proxy``.

    Rows of ``conversations`` that the archive gave are replaced by one a conversation found; those
    that hold entries of no conversation stay.
    """
    if not entries or not packets.get("conversations"):
        return {}
    wires = _wires(packets)
    found = _by_request(packets, proxy, entries)
    left = [entry for entry in entries if entry.record not in found]
    closed = [wire for wire in wires if not wire.is_read]
    found |= _by_server(_bundles(left), closed, _trusted(left))
    rows = {wire.key: wire.row for wire in wires}
    _fill(proxy, found, rows)
    servers: dict[str, Row] = {}
    for entry in entries:
        key = found.get(entry.record)
        if key in rows and entry.port != rows[key].get("responder_port"):
            servers.setdefault(key, {"responder_ip": entry.address, "responder_port": entry.port})
    tell_servers(packets, servers)
    return found


def _wires(packets: Units) -> list[_Wire]:
    names: dict[object, set[str]] = defaultdict(set)
    for table, column in (("tls_handshakes", "sni"), ("http_requests", "host")):
        for unit in packets.get(table, ()):
            if unit.row.get(column):
                names[unit.row.get("conversation")].add(str(unit.row[column]))
    read = {unit.row.get("conversation") for unit in packets.get("http_requests", ())}
    return [
        _Wire(
            row=unit.row,
            names=names[unit.row["conversation"]]
            | ({str(unit.row["host"])} if unit.row.get("host") else set()),
            is_read=unit.row["conversation"] in read,
        )
        for unit in packets["conversations"]
        if unit.row.get("proto") in {"tcp", "udp", "quic"} and unit.row.get("payload_bytes") != 0
    ]


# -- by the request itself


def _by_request(packets: Units, proxy: Units, entries: Sequence[Unplaced]) -> dict[str, str]:
    records = {entry.record for entry in entries}
    asked: dict[tuple[object, ...], list[tuple[datetime, str]]] = defaultdict(list)
    for unit in packets.get("http_requests", ()):
        when = instant(unit.row.get("ts")) or _UNDATED
        asked[_request_key(unit.row)].append((when, str(unit.row["conversation"])))
    for waiting in asked.values():
        waiting.sort()
    found: dict[str, str] = {}
    mine = [unit.row for unit in proxy.get("http_requests", ()) if _record(unit.row) in records]
    for row in sorted(mine, key=lambda one: str(one.get("ts") or "")):
        waiting = asked.get(_request_key(row), [])
        when = instant(row.get("ts")) or _UNDATED
        at = bisect_left(waiting, (when, ""))
        near = [one for one in (at - 1, at) if 0 <= one < len(waiting)]
        near = [one for one in near if abs(waiting[one][0] - when) <= SLACK]
        if near:
            mate = min(near, key=lambda one: abs(waiting[one][0] - when))
            found[_record(row)] = waiting.pop(mate)[1]
    return found


def _request_key(row: Row) -> tuple[object, ...]:
    in_clear = row.get("transport") == "plaintext"
    return (in_clear, *(row.get(name) for name in ("host", "method", "path", "query")))


def _record(row: Row) -> str:
    return str(row.get("ref")).partition(":")[0]


# -- by server, name and time


def _bundles(entries: Sequence[Unplaced]) -> list[_Bundle]:
    joined: dict[tuple[object, ...], list[Unplaced]] = defaultdict(list)
    for number, entry in enumerate(entries):
        key: tuple[object, ...] = (
            ("connection", entry.host, entry.port, entry.connection)
            if entry.connection
            else ("entry", number)
        )
        joined[key].append(entry)
    return [
        _Bundle(
            entries=sorted(found, key=lambda entry: str(entry.ts)),
            is_connection=key[0] == "connection",
        )
        for key, found in joined.items()
    ]


def _trusted(entries: Sequence[Unplaced]) -> bool:
    """Whether the archive says which entries opened their connections."""
    return any(entry.opened for entry in entries)


def _by_server(
    bundles: list[_Bundle], wires: Sequence[_Wire], says_openers: bool
) -> dict[str, str]:
    known: dict[object, dict[str, _Wire]] = defaultdict(dict)
    for wire in wires:
        end = (plain_address(str(wire.row.get("responder_ip"))), wire.row.get("responder_port"))
        for word in (end, *wire.names):
            known[word][wire.key] = wire
    for bundle in bundles:
        first = bundle.entries[0]
        near = known[first.host] | known[first.address, first.port]
        bundle.candidates = _candidates(bundle, near.values())
    pairs = sorted(
        (near, index, wire.key)
        for index, bundle in enumerate(bundles)
        if bundle.is_connection or not says_openers or bundle.entries[0].opened
        for near, wire in bundle.candidates
    )
    chosen: dict[int, str] = {}
    taken: set[str] = set()
    for _, index, key in pairs:
        if index not in chosen and key not in taken:
            chosen[index] = key
            taken.add(key)
    for index, bundle in enumerate(bundles):
        if index not in chosen and bundle.candidates:
            used = [one for one in bundle.candidates if one[1].key in taken] or bundle.candidates
            chosen[index] = min(used, key=lambda one: (one[0], one[1].key))[1].key
    return {entry.record: key for index, key in chosen.items() for entry in bundles[index].entries}


def _candidates(bundle: _Bundle, wires: Iterable[_Wire]) -> list[tuple[_Near, _Wire]]:
    found: list[tuple[_Near, _Wire]] = []
    first = bundle.entries[0]
    for wire in wires:
        tier = _tier(first, wire)
        times = [_beside(entry, wire) for entry in bundle.entries]
        if tier is not None and max(gap for gap, _ in times) <= SLACK:
            start, began = instant(first.ts), wire.start
            apart = abs(start - began) if start and began else _FAR
            found.append(((tier, max(outside for _, outside in times), apart), wire))
    best = min((near[0] for near, _ in found), default=0)
    return [one for one in found if one[0][0] == best]


def _tier(entry: Unplaced, wire: _Wire) -> int | None:
    """Return how well a conversation is that of an entry's server, 0 best; ``None``: it is not."""
    row = wire.row
    is_udp = row.get("proto") != "tcp"
    if is_udp != entry.is_quic:
        return None
    address = plain_address(str(row.get("responder_ip")))
    is_there = entry.address == address and entry.port == row.get("responder_port")
    is_named = entry.host in wire.names
    if is_there and (is_named or not wire.names or entry.host is None):
        return 0 if row.get("originator_port") != _port(entry.connection) else -1
    if is_named:
        return 1
    return 2 if is_there else None


def _port(connection: str | None) -> int | None:
    return int(connection) if connection and connection.isascii() and connection.isdigit() else None


def _beside(entry: Unplaced, wire: _Wire) -> tuple[timedelta, timedelta]:
    """Return the time between an exchange and a conversation, and how much of it lies outside."""
    nothing = timedelta()
    start, began, ended = instant(entry.ts), wire.start, wire.end
    if start is None or began is None or ended is None:
        return nothing, nothing
    end = start + timedelta(seconds=min(entry.duration_s, 3600.0))
    outside = max(began - start, nothing) + max(end - ended, nothing)
    return max(began - end, start - ended, nothing), outside


# -- filling in


def _fill(proxy: Units, found: Mapping[str, str], wires: Mapping[str, Row]) -> None:
    """Name the conversation in all rows of each entry, and make the conversations' rows anew."""
    contents: dict[str, set[str]] = defaultdict(set)
    firsts: dict[str, Row] = {}
    open_records: set[str] = set()
    for table in _TABLES:
        for unit in proxy.get(table, ()):
            row = unit.row
            key = found.get(_record(row))
            if row.get("conversation") is None and key is None:
                open_records.add(_record(row))
            if key is None or row.get("conversation") is not None:
                continue
            row["conversation"] = key
            contents[key].add(str(row.get("content")))
            firsts.setdefault(key, row)
    groups = _groups(proxy, open_records)
    proxy["conversations"] = [
        *groups,
        *(Unit(row=_row(key, row, contents[key], wires[key])) for key, row in firsts.items()),
    ]


def _groups(proxy: Units, open_records: set[str]) -> list[Unit]:
    """Return the rows of conversations that the archive gave and that still hold entries."""
    servers = {
        (unit.row.get("host"), unit.row.get("responder_ip"))
        for table in _TABLES
        for unit in proxy.get(table, ())
        if _record(unit.row) in open_records
    }
    return [
        unit
        for unit in proxy.get("conversations", ())
        if unit.row.get("conversation") is not None
        or (unit.row.get("host"), unit.row.get("responder_ip")) in servers
    ]


def _row(key: str, first: Row, contents: set[str], wire: Row) -> Row:
    return {
        "capture": first.get("capture"),
        "ref": _record(first),
        "ts": first.get("ts"),
        "host": first.get("host"),
        "responder_ip": first.get("responder_ip"),
        "conversation": key,
        "taps": ("proxy",),
        "layer": 0,
        "transport": first.get("transport"),
        "content": joint_content(contents),
        "proto": wire.get("proto"),
    }
