"""Packets that the kernel sends by itself, so that no program is blamed for them.

Only what stays on the link counts: ARP, IGMP, multicast listener discovery, neighbour discovery,
and DHCP where its messages parse. In a namespace of the recorder nothing runs DHCP: there it is
the client's.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Final

from audit.bundle.manifest import Manifest
from audit.tables.extract import Extract
from audit.tables.frames import Row

KERNEL_KINDS: Final = frozenset({"mac", "host_name", "address"})
"""Kinds of identifier that ARP, neighbour discovery and DHCP carry by their nature."""
_KERNEL_ICMP6: Final = frozenset({130, 131, 132, 133, 134, 135, 136, 137, 143})
"""MLD and neighbour discovery (RFC 2710, 3810, 4861); the type stands in the port's place."""
_NEIGHBOUR: Final = frozenset({135, 136})
"""Neighbour solicitation and advertisement: also sent to the neighbour itself (RFC 4861 §7.3)."""
_DHCP: Final = (frozenset({67, 68}), frozenset({546, 547}))
_BROADCAST: Final = ipaddress.ip_address("255.255.255.255")
_LINK_GROUPS: Final = ipaddress.ip_network("ff02::/16")
"""Groups of link-local scope (RFC 4291 §2.7)."""
_LOCAL_GROUPS: Final = ipaddress.ip_network("ff01::/16")
_COOKIE: Final = b"\x63\x82\x53\x63"
_COOKIE_AT: Final = 236
"""Offset of the magic cookie in a DHCP message (RFC 2131 §2)."""
_HARDWARE_MAX: Final = 16
_MESSAGES: Final = range(1, 14)
"""DHCPv6 message types that clients and servers exchange (RFC 8415 §7.3)."""


def is_kernels(row: Row, manifest: Manifest, bodies: Sequence[bytes] = ()) -> bool:
    """Whether a conversation is the kernel's own; ``bodies`` is its payload that nothing read."""
    proto = row.get("proto")
    if proto == "arp":
        return True
    address = _address(row.get("responder_ip"))
    if address is None:
        return False
    if proto == "2":
        return address.is_multicast
    if proto == "icmp6":
        return row.get("originator_port") in _KERNEL_ICMP6 and _stays_on_link(
            row, address, manifest
        )
    if proto != "udp" or manifest.vantage == "netns":
        return False
    ports = {row.get("originator_port"), row.get("responder_port")}
    parses = {_DHCP[0]: is_dhcp, _DHCP[1]: is_dhcp6}
    wanted = next((parses[known] for known in _DHCP if ports <= known), None)
    is_group = address == _BROADCAST or address in _LINK_GROUPS
    return wanted is not None and is_group and bool(bodies) and all(map(wanted, bodies))


def _stays_on_link(
    row: Row, address: ipaddress.IPv4Address | ipaddress.IPv6Address, manifest: Manifest
) -> bool:
    if address.is_link_local or address in _LINK_GROUPS or address in _LOCAL_GROUPS:
        return True
    neighbours = {*manifest.network.gateway, *manifest.network.client}
    return row.get("originator_port") in _NEIGHBOUR and str(address) in neighbours


def _address(text: object) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(str(text).partition("%")[0])
    except ValueError:
        return None


def is_dhcp(data: bytes) -> bool:
    """Whether a datagram is one DHCP message and nothing beside it (RFC 2131 §2, RFC 2132)."""
    options = _COOKIE_AT + len(_COOKIE)
    if len(data) < options or data[0] not in {1, 2} or data[2] > _HARDWARE_MAX:
        return False
    if data[_COOKIE_AT:options] != _COOKIE:
        return False
    at, has_type = options, False
    while at < len(data) and data[at] != 255:
        if data[at] == 0:
            at += 1
            continue
        if at + 1 >= len(data):
            return False
        has_type |= data[at] == 53
        at += 2 + data[at + 1]
    return has_type and at < len(data) and not any(data[at + 1 :])


def is_dhcp6(data: bytes) -> bool:
    """Whether a datagram is one DHCPv6 message and nothing beside it (RFC 8415 §8, §21.1)."""
    if len(data) < 4 or data[0] not in _MESSAGES:
        return False
    at = 4
    while at + 4 <= len(data):
        at += 4 + int.from_bytes(data[at + 2 : at + 4], "big")
    return at == len(data)


def kernel_conversations(extract: Extract, manifest: Manifest) -> frozenset[object]:
    """Return the conversations that are the kernel's own."""
    rows = extract.rows.get("conversations", [])
    bodies: dict[int, list[bytes]] = {}
    for payload in extract.payloads:
        if payload.table == "conversations" and not payload.seams:
            bodies.setdefault(payload.row, []).append(payload.data)
    return frozenset(
        row.get("conversation")
        for index, row in enumerate(rows)
        if is_kernels(row, manifest, bodies.get(index, ()))
    ) - {None}
