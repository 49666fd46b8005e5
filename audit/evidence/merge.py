"""Both taps of one recording put together: one row an exchange.

An exchange that both taps read keeps the proxy's ``ref`` (flow and byte ranges) and gets the
packets' one in ``also``; a conversation keeps the packets' row, whose counters the proxy lacks.
Bytes are searched once: a payload of the packets that the proxy's row already has is dropped.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Final

from audit.tables.extract import Extract, Payload
from audit.tables.frames import Row
from audit.tables.vocabulary import OPENED_TRANSPORTS

BOTH: Final = ("proxy", "packets")
_SHORT: Final = 64


@dataclass(slots=True, kw_only=True)
class Unit:
    """A row and what of it is searched."""

    row: Row
    payloads: list[Payload] = field(default_factory=list)

    def bytes_at(self, *locations: str) -> bytes:
        """Return the payload at one of these places; empty where there is none."""
        return next((p.data for p in self.payloads if p.location in locations), b"")


Key = Callable[[Unit], Hashable]
Units = dict[str, list[Unit]]


def units_of(extract: Extract) -> Units:
    """Return the rows of an extract, each with its payloads."""
    units = {table: [Unit(row=row) for row in rows] for table, rows in extract.rows.items()}
    for payload in extract.payloads:
        units[payload.table][payload.row].payloads.append(payload)
    return units


def extract_of(units: Units) -> Extract:
    """Return units as an extract again, tables in order of time."""
    extract = Extract()
    for table, members in units.items():
        for unit in sorted(members, key=_order):
            index = extract.add(table, unit.row)
            for payload in unit.payloads:
                payload.row = index
                extract.payloads.append(payload)
    return extract


def _order(unit: Unit) -> tuple[str, str]:
    return (str(unit.row.get("ts") or ""), str(unit.row.get("ref") or ""))


def merge(packets: Units, proxy: Units) -> Units:
    """Return the rows of both taps, those of one exchange made one."""
    merged: Units = {}
    for table in dict.fromkeys([*proxy, *packets]):
        of_proxy, of_packets = proxy.get(table, []), packets.get(table, [])
        if table in {"conversations", "tls_handshakes"}:
            fold = _fold_conversation if table == "conversations" else _fold_handshake
            merged[table] = _join(of_packets, of_proxy, [_conversation], fold)
        elif table in _KEYS:
            merged[table] = _join(of_proxy, of_packets, _KEYS[table], _fold_exchange)
        else:
            merged[table] = of_proxy + of_packets
    return merged


_DEVICE_FILLS: Final = ("process_name", "uid", "owner", "application", "process_basis")


def add_device(units: Units, device: Units) -> Units:
    """Return the rows of the taps with those of lists that the device kept.

    A conversation that both have is one row: the taps' counters, the list's word on the program.
    """
    together = {table: list(found) for table, found in units.items()}
    known = {
        unit.row["conversation"]: unit.row
        for unit in units.get("conversations", ())
        if unit.row.get("conversation")
    }
    for table, found in device.items():
        for unit in found:
            mate = known.get(unit.row.get("conversation")) if table == "conversations" else None
            if mate is None:
                together.setdefault(table, []).append(unit)
                continue
            for name in _DEVICE_FILLS:
                mate[name] = unit.row.get(name) if mate.get(name) is None else mate[name]
            if not mate.get("host"):
                mate |= {name: unit.row.get(name) for name in ("host", "host_basis")}
            taps = mate.get("taps")
            mate["taps"] = (*(taps if isinstance(taps, tuple) else ()), "device")
            mate["also"] = mate.get("also") or unit.row.get("ref")
    return together


def _join(
    first: list[Unit], second: list[Unit], keys: list[Key], fold: Callable[[Unit, Unit], None]
) -> list[Unit]:
    """Fold each of ``second`` into the unit of ``first`` with the same key, in order."""
    alone = [unit for unit in second if not unit.row.get("conversation")]
    left = [unit for unit in second if unit.row.get("conversation")]
    taken: set[int] = set()
    for key in keys:
        waiting: dict[Hashable, deque[Unit]] = defaultdict(deque)
        for unit in first:
            if id(unit) not in taken:
                waiting[key(unit)].append(unit)
        rest = []
        for unit in left:
            mates = waiting.get(key(unit))
            if mates:
                mate = mates.popleft()
                taken.add(id(mate))
                fold(mate, unit)
            else:
                rest.append(unit)
        left = rest
    return first + left + alone


def _conversation(unit: Unit) -> Hashable:
    return unit.row.get("conversation")


def _columns(unit: Unit, names: Iterable[str]) -> tuple[Hashable, ...]:
    return tuple(str(unit.row.get(name)) for name in names)


_TARGET: Final = ("conversation", "method", "path", "query")
_KEYS: Final[dict[str, list[Key]]] = {
    "http_requests": [
        lambda unit: (*_columns(unit, _TARGET), unit.bytes_at("body")),
        lambda unit: _columns(unit, _TARGET),
    ],
    "http_responses": [
        lambda unit: (*_columns(unit, (*_TARGET, "status")), unit.bytes_at("response", "body")),
        lambda unit: _columns(unit, (*_TARGET, "status")),
    ],
    "websocket_messages": [
        lambda unit: (*_columns(unit, ("conversation", "direction")), unit.bytes_at("websocket"))
    ],
    "dns_queries": [lambda unit: _columns(unit, ("conversation", "name", "qtype"))],
}
"""Table -> keys that make two rows one exchange, the strictest first."""


def _fold_exchange(proxy: Unit, packets: Unit) -> None:
    """Make the proxy's row that of both."""
    for name, value in packets.row.items():
        if proxy.row.get(name) is None:
            proxy.row[name] = value
    proxy.row["also"] = packets.row.get("ref")
    proxy.row["taps"] = BOTH
    _search_once(proxy, packets)


def _fold_conversation(packets: Unit, proxy: Unit) -> None:
    """Make the packets' row that of both: counters of the packets, visibility of the proxy."""
    row, other = packets.row, proxy.row
    was_opened = row.get("transport") in OPENED_TRANSPORTS
    if other.get("transport") in OPENED_TRANSPORTS:
        row["transport"] = other["transport"]
        row["content"] = other.get("content")
    elif not was_opened:
        row["transport"] = other.get("transport")
    for name in ("host", "responder_ip", "seen_as"):
        row[name] = row.get(name) or other.get(name)
    row["also"] = other.get("ref")
    row["taps"] = BOTH
    _search_once(packets, proxy)


def _fold_handshake(packets: Unit, proxy: Unit) -> None:
    row, other = packets.row, proxy.row
    row["transport"] = other.get("transport")
    row["refused_by"] = other.get("refused_by") or row.get("refused_by")
    row["also"] = other.get("ref")
    row["taps"] = BOTH
    _search_once(packets, proxy)


def _search_once(keeper: Unit, other: Unit) -> None:
    """Give the keeper those payloads of the other whose bytes it does not have."""
    for payload in other.payloads:
        mine = [p for p in keeper.payloads if p.direction == payload.direction]
        same = [
            p
            for p in mine
            if p.data == payload.data and p.seams == payload.seams and p.also is None
        ]
        if same:
            alike = (
                p for p in same if (p.location, p.detail) == (payload.location, payload.detail)
            )
            next(alike, same[0]).also = payload.ref
        # a short run may count only where it is the whole of a field: it must be the same field
        elif len(payload.data) < _SHORT or not any(
            payload.data in p.data and p.seams == payload.seams for p in mine
        ):
            keeper.payloads.append(payload)
