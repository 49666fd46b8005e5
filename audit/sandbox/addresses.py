"""Addresses of a recording's network, drawn anew each time and away from the machine's own.

IPv4 comes from the benchmarking range 198.18.0.0/15 (RFC 2544), IPv6 from the documentation range
2001:db8::/32 (RFC 3849): neither can be anybody's real address.
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
import struct
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

_V4_RANGE: Final = ipaddress.IPv4Network("198.18.0.0/15")
_V6_RANGE: Final = ipaddress.IPv6Network("2001:db8::/32")
V4_PREFIX: Final = 24
V6_PREFIX: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Who has which address; prefixes are ``V4_PREFIX`` and ``V6_PREFIX``."""

    client_v4: str
    client_v6: str
    client_mac: str
    gateway_v4: str
    """The gateway, as the client sees it; the control echo listens there."""
    gateway_v6: str
    uplink_v4: str
    """The gateway, as the internet namespace sees it."""
    uplink_v6: str
    internet_v4: str
    internet_v6: str

    def to_message(self) -> dict[str, Any]:
        """Return the addresses as plain data."""
        return asdict(self)

    @classmethod
    def from_message(cls, data: dict[str, Any]) -> Self:
        """Rebuild addresses from :meth:`to_message`."""
        return cls(**data)


def draw_addresses(taken: tuple[ipaddress.IPv4Network, ...] | None = None) -> Addresses:
    """Draw addresses whose networks meet none of ``taken`` (default: the machine's own)."""
    taken = machine_networks() if taken is None else taken
    inside, uplink = _draw_two_v4(taken)
    inside_v6, uplink_v6 = _draw_v6(), _draw_v6()
    return Addresses(
        client_v4=str(inside[secrets.choice(range(10, 250))]),
        client_v6=str(inside_v6[secrets.randbits(62) + 0x10000]),
        client_mac=draw_mac(),
        gateway_v4=str(inside[1]),
        gateway_v6=str(inside_v6[1]),
        uplink_v4=str(uplink[1]),
        uplink_v6=str(uplink_v6[1]),
        internet_v4=str(uplink[2]),
        internet_v6=str(uplink_v6[2]),
    )


def draw_tunnel(known: Addresses) -> tuple[str, str]:
    """Return the ends of a tunnel, the client's and the gateway's, in a network of their own."""
    networks = [
        ipaddress.IPv4Network((address, V4_PREFIX), strict=False)
        for address in (known.client_v4, known.uplink_v4)
    ]
    own, _ = _draw_two_v4((*machine_networks(), *networks))
    return str(own[2]), str(own[1])


def draw_mac() -> str:
    """Return a random unicast MAC of the locally administered kind (IEEE 802, bit 1 of octet 0)."""
    first = secrets.randbits(8) & 0b11111100 | 0b00000010
    return ":".join(f"{octet:02x}" for octet in (first, *secrets.token_bytes(5)))


def _draw_two_v4(
    taken: tuple[ipaddress.IPv4Network, ...],
) -> tuple[ipaddress.IPv4Network, ipaddress.IPv4Network]:
    free = [
        network
        for network in _V4_RANGE.subnets(new_prefix=V4_PREFIX)
        if not any(network.overlaps(other) for other in taken)
    ]
    first, second = secrets.SystemRandom().sample(free, 2)
    return first, second


def _draw_v6() -> ipaddress.IPv6Network:
    base = int(_V6_RANGE.network_address) | secrets.randbits(V6_PREFIX - 32) << V6_PREFIX
    return ipaddress.IPv6Network((base, V6_PREFIX))


def machine_networks() -> tuple[ipaddress.IPv4Network, ...]:
    """Return the machine's own IPv4 networks but the default route, as its routing table says."""
    found = []
    try:
        lines = Path("/proc/net/route").read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return ()
    for line in lines:
        fields = line.split()
        destination, mask = (_address(fields[column]) for column in (1, 7))
        if int(mask):
            found.append(ipaddress.IPv4Network((int(destination) & int(mask), str(mask))))
    return tuple(found)


def _address(text: str) -> ipaddress.IPv4Address:
    """Read an address of ``/proc/net/route``: hex of a 32-bit word in the machine's byte order."""
    return ipaddress.IPv4Address(socket.inet_ntoa(struct.pack("=I", int(text, 16))))
