"""Which conversation of the packets each flow of the proxy is, where the two name it otherwise.

A proxy knows a conversation by the client's end and the server as the client dialled it: the
5-tuple on the wire where it stood in between unseen (transparent mode). With an explicit proxy the
wire has the proxy's own address in the server's place; the client's end tells the two together, for
a TCP port carries one connection at a time. What the proxy itself sent on (``server_conn``, to the
server or to an upstream proxy) is no conversation of the client.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from audit.evidence.merge import Units
from audit.evidence.moments import instant
from audit.tables.frames import Row

SLACK: Final = timedelta(seconds=5)
"""How far the clocks of two taps of one machine, or of two on one network, may be apart."""
_NAMED: Final = (
    "http_requests", "http_responses", "websocket_messages", "tls_handshakes", "conversations",
)  # fmt: skip
_End = tuple[object, object, object]
_Peer = tuple[object, object]


@dataclass(slots=True, kw_only=True)
class Reconciled:
    """How the conversations of the proxy are called in the packets."""

    names: dict[str, str] = field(default_factory=dict)
    """Conversation of the proxy -> 5-tuple on the wire, where they differ."""
    onward: dict[str, str] = field(default_factory=dict)
    """5-tuple of the proxy's own onward connection -> conversation that it carries on."""

    def rename(self, conversation: str) -> str:
        """Return what a conversation of the proxy is called in the packets."""
        return self.names.get(conversation, conversation)


def reconcile(packets: Units, proxy: Units, legs: Mapping[str, tuple[str, ...]]) -> Reconciled:
    """Tell conversations of the proxy by those of the packets, and rename them in ``proxy``.

    ``legs`` are 5-tuples that the dump itself names beside a conversation.
    """
    wire = {str(unit.row["conversation"]): unit.row for unit in packets.get("conversations", ())}
    found = Reconciled()
    by_end = _by_originator(wire.values())
    servers: dict[str, Row] = {}
    for row in _rows_with_ends(proxy):
        name = str(row["conversation"])
        if name in found.names:
            continue
        known = [leg for leg in legs.get(name, ()) if leg in wire]
        if name not in wire:
            carrier = _carrier(row, known, by_end)
            if carrier is None:
                continue
            found.names[name] = carrier
            if _peer(wire[carrier]) != _peer(row):
                servers.setdefault(carrier, row)
        carried_by = found.rename(name)
        found.onward |= {leg: carried_by for leg in known if leg != carried_by}
    tell_servers(packets, servers)
    for units in proxy.values():
        for unit in units:
            said = unit.row.get("conversation")
            if isinstance(said, str):
                unit.row["conversation"] = found.rename(said)
    return found


def tell_servers(packets: Units, servers: Mapping[str, Row]) -> None:
    """Put the servers that a proxy reached in the place of the proxy's own address.

    ``servers`` are rows with ``responder_ip`` and ``responder_port``, by the 5-tuple to the proxy.
    """
    for table in _NAMED:
        for unit in packets.get(table, ()):
            server = servers.get(str(unit.row.get("conversation")))
            if server is None:
                continue
            if table == "conversations":
                unit.row["responder_port"] = server.get("responder_port")
            unit.row["responder_ip"] = server.get("responder_ip")


def _peer(row: Row) -> _Peer:
    return (row.get("responder_ip"), row.get("responder_port"))


def _rows_with_ends(proxy: Units) -> Iterable[Row]:
    return (unit.row for unit in proxy.get("conversations", ()) if unit.row.get("conversation"))


def _by_originator(rows: Iterable[Row]) -> dict[_End, list[Row]]:
    found: dict[_End, list[Row]] = defaultdict(list)
    for row in rows:
        if row.get("proto") == "tcp":
            found[_end(row)].append(row)
    return found


def _end(row: Row) -> _End:
    return (row.get("proto"), row.get("originator_ip"), row.get("originator_port"))


def _carrier(row: Row, legs: list[str], by_end: Mapping[_End, list[Row]]) -> str | None:
    """Return the 5-tuple of the packets that carried a conversation of the proxy."""
    end = _end(row)
    at_client = [mate for mate in by_end.get(end, ()) if overlap(mate, row)]
    named = {str(mate["conversation"]) for mate in at_client}
    preferred = [leg for leg in legs if leg in named]
    if preferred:
        return preferred[0]
    if len(named) == 1:
        return named.pop()
    return legs[0] if legs and not named else None


def overlap(one: Row, other: Row, slack: timedelta = SLACK) -> bool:
    """Whether two conversations were alive at one time; undated ones may have been."""
    starts = instant(one.get("first_seen")), instant(other.get("first_seen"))
    ends = (
        instant(one.get("last_seen")) or starts[0],
        instant(other.get("last_seen")) or starts[1],
    )
    if starts[0] is None or starts[1] is None or ends[0] is None or ends[1] is None:
        return True
    return starts[0] <= ends[1] + slack and starts[1] <= ends[0] + slack
