"""Whose address each recipient saw, and in which order recipients were met."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Final

from audit.bundle.manifest import Manifest
from audit.evidence.roles import LOOPBACK, RESOLVER
from audit.tables.extract import Extract
from audit.tables.frames import Row
from audit.tables.rows import TABLES, TrafficRow

Tables = Mapping[str, Sequence[Row]]
_TRAFFIC: Final = frozenset(name for name, model in TABLES.items() if issubclass(model, TrafficRow))
_ABSOLUTE: Final = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]{1,9}://")


def proxied_conversations(extract: Extract) -> frozenset[object]:
    """Return the conversations in which the client spoke to a proxy of its own choice.

    Its requests name the whole URL (absolute form, RFC 9112 §3.2.2). Flows of our recorder never
    do: mitmproxy keeps the path alone.
    """
    requests = extract.rows.get("http_requests", [])
    return frozenset(
        requests[payload.row].get("conversation")
        for payload in extract.payloads
        if payload.table == "http_requests"
        and payload.location == "path"
        and _ABSOLUTE.match(payload.data)
    ) - {None}


def see_as(tables: Tables, manifest: Manifest, proxied: frozenset[object] = frozenset()) -> None:
    """Fill in ``seen_as`` of every row of traffic.

    ``onion`` where another node passed it on; ``proxy`` behind a proxy or tunnel that the client
    itself chose (``proxied`` are such conversations); else ``client``, also where our recorder
    stood between.
    """
    tunnelled = {
        row.get("conversation")
        for row in tables.get("conversations", ())
        if row.get("iface") in manifest.network.tunnel
    } - {None} | proxied
    for table, rows in tables.items():
        if table not in _TRAFFIC:
            continue
        for row in rows:
            layer = row.get("layer")
            if isinstance(layer, int) and layer >= 2:
                row["seen_as"] = "onion"
            elif row.get("conversation") in tunnelled or row.get("seen_as") == "proxy":
                row["seen_as"] = "proxy"
            else:
                row["seen_as"] = "client"


def rank_contacts(tables: Tables) -> None:
    """Fill in ``first_contact``: 1 for the recipient that the app met first.

    Name servers, the client's own machine and groups of machines are not met: they have no rank.
    """
    rows = [row for row in tables.get("conversations", ()) if _is_contact(row)]
    rows.sort(key=lambda row: (str(row.get("first_seen") or "~"), str(row.get("ref"))))
    ranks: dict[object, int] = {}
    for row in rows:
        row["first_contact"] = ranks.setdefault(row.get("recipient"), len(ranks) + 1)


def _is_contact(row: Row) -> bool:
    if row.get("process") != "app" or row.get("peer_role") in {RESOLVER, LOOPBACK}:
        return False
    try:
        address = ipaddress.ip_address(str(row.get("responder_ip")))
    except ValueError:
        return True
    return not (address.is_multicast or str(address) == "255.255.255.255")
