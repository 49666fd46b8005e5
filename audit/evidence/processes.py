"""Who sent it: the app, the operating system, the recorder's control, or nobody knows."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Final

from audit.bundle.manifest import Manifest
from audit.tables.frames import Row

Tables = Mapping[str, Sequence[Row]]
_KERNEL_PROTOCOLS: Final = frozenset({"arp", "2"})
"""ARP; IGMP (IP protocol 2)."""
_KERNEL_ICMP6: Final = frozenset({130, 131, 132, 133, 134, 135, 136, 137, 143})
"""MLD and neighbour discovery (RFC 2710, 3810, 4861); the type stands in the port's place."""
_DHCP: Final = frozenset({67, 68, 546, 547})
_BROADCAST: Final = ipaddress.ip_address("255.255.255.255")


def attribute(tables: Tables, manifest: Manifest, controls: frozenset[str]) -> None:
    """Fill in ``process`` and ``process_basis`` of every row of traffic.

    ``controls`` are the ``ref`` texts of the requests that carried a one-time token: they and what
    belongs to their exchange are the recorder's own; nothing else is, whoever it was sent to.
    """
    process, basis = _default(manifest)
    gateway = manifest.network.gateway
    kernel = {
        row["conversation"] for row in tables.get("conversations", ()) if _is_kernel(row, gateway)
    } - {None}
    own = _control_conversations(tables, controls)
    for table, rows in tables.items():
        if table in {"events", "controls", "captures"}:
            continue
        for row in rows:
            row["process"], row["process_basis"] = process, basis
            if row.get("conversation") in kernel or (
                table == "conversations" and _is_kernel(row, gateway)
            ):
                row["process"] = "os"
            elif _is_control(table, row, controls, own):
                row["process"] = "control"


def _default(manifest: Manifest) -> tuple[str, str | None]:
    if manifest.vantage == "netns":
        return "app", "netns"
    if manifest.vantage == "import" and manifest.mixed:
        return "unknown", None
    return "app", "declared"


def _is_kernel(row: Row, gateway: tuple[str, ...]) -> bool:
    proto = row.get("proto")
    if proto in _KERNEL_PROTOCOLS:
        return True
    if proto == "icmp6":
        return row.get("originator_port") in _KERNEL_ICMP6
    ports = {row.get("originator_port"), row.get("responder_port")}
    return proto == "udp" and ports <= _DHCP and _is_on_the_link(row, gateway)


def _is_on_the_link(row: Row, gateway: tuple[str, ...]) -> bool:
    """Whether DHCP stays where it belongs: broadcast, multicast, link-local, or the gateway."""
    text = str(row.get("responder_ip"))
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    is_group = address == _BROADCAST or address.is_multicast
    return is_group or address.is_link_local or text in gateway


def _control_conversations(tables: Tables, controls: frozenset[str]) -> frozenset[object]:
    """Conversations that carried a control and nothing else."""
    own = {
        row["conversation"]
        for row in tables.get("http_requests", ())
        if row.get("ref") in controls and row.get("conversation")
    }
    for row in tables.get("http_requests", ()):
        if row.get("conversation") in own and row.get("ref") not in controls:
            own.discard(row.get("conversation"))
    return frozenset(own)


def _is_control(table: str, row: Row, controls: frozenset[str], own: frozenset[object]) -> bool:
    if table == "http_requests":
        return row.get("ref") in controls
    return row.get("conversation") in own
