"""Packets that carry packets: what is inside is searched, and is no conversation of its own."""

from __future__ import annotations

from typing import Final

_PROTOCOLS: Final = {
    4: "ipip", 41: "6in4", 47: "gre", 50: "esp", 97: "etherip", 115: "l2tp", 137: "mpls-in-ip",
}  # fmt: skip
"""IP protocols (IANA) of tunnels."""
_VXLAN_PORTS: Final = (4789, 8472)
_GENEVE_PORT: Final = 6081
_TEREDO_PORT: Final = 3544
_GTP_PORT: Final = 2152
_ETHERTYPES: Final = (b"\x08\x00", b"\x86\xdd", b"\x08\x06", b"\x81\x00", b"\x88\xa8")


def tunnel_of(proto: int, ports: tuple[int | None, ...], data: bytes) -> str | None:
    """Return the name of the tunnel that a conversation is, by protocol or by its first datagram.

    ``ports`` are both sides' ports of UDP. VXLAN (RFC 7348) and Geneve (RFC 8926) are told by port
    and an Ethernet frame inside, Teredo (RFC 4380) and GTP-U by port and an IP packet inside.
    """
    if proto in _PROTOCOLS:
        return _PROTOCOLS[proto]
    if any(port in ports for port in _VXLAN_PORTS):
        return "vxlan" if data[:4] == b"\x08\0\0\0" and data[20:22] in _ETHERTYPES else None
    if _GENEVE_PORT in ports and len(data) > 8 and not data[0] >> 6 and data[2:4] == b"\x65\x58":
        at = 8 + (data[0] & 0x3F) * 4
        return "geneve" if data[at + 12 : at + 14] in _ETHERTYPES else None
    if _TEREDO_PORT in ports and len(data) >= 40 and data[0] >> 4 == 6:
        return "teredo" if len(data) == 40 + int.from_bytes(data[4:6], "big") else None
    if _GTP_PORT in ports and data[:1] in {b"\x30", b"\x32"} and data[1:2] == b"\xff":
        at = 8 if data[0] == 0x30 else 12
        return "gtp-u" if len(data) > at and data[at] >> 4 in {4, 6} else None
    return None
