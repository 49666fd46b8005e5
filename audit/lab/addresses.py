"""Who answers where: addresses, ports and names of every stand-in.

Addresses come from the documentation ranges of RFC 5737, tracker names from ``.example``
(RFC 2606). Ports and names of the network itself are those of the official clients.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Final

SEEDS: Final = {"seed1": "198.51.100.1", "seed2": "198.51.100.2", "seed3": "198.51.100.3"}
"""Stand-in -> address; the DNS name of each is ``NAME.getsession.org``."""
SEED_DOMAIN: Final = "getsession.org"
SEED_PLAIN_PORTS: Final = (80,)
SEED_TLS_PORTS: Final = (443, 4443)
NODES: Final = {f"node{index}": f"203.0.113.{10 + index}" for index in range(1, 10)}
"""Storage node -> address; nodes have no names."""
NODE_PORT: Final = 22021
FILE_SERVER: Final = "198.51.100.20"
FILE_SERVER_NAME: Final = "filev2.getsession.org"
RESOLVER: Final = "198.51.100.53"
PEER: Final = "198.51.100.77"
"""Source address of whoever speaks to the stand-ins from inside their own namespace."""
TRACKERS: Final = {
    "tracker.example": "198.51.100.30",
    "metrics.example": "198.51.100.31",
    "ads.example": "198.51.100.32",
}
"""Tracker hosts; every name below one of them has its address too."""
TRACKER_RAW_PORT: Final = 9090
"""Takes any bytes over TCP and over UDP and answers ``ok``."""
LISTED_TRACKER: Final = "google-analytics.com"
"""Stand-in of a tracker that the named lists know; the lab's own names stand on none."""
LISTED_TRACKER_ADDRESS: Final = "198.51.100.33"
SITE_NAME: Final = "site.example"
"""A small web site, for programs that are no messenger."""
SITE: Final = "198.51.100.60"
WEBSITE: Final = "198.51.100.61"
"""The edge before the messenger's own website, see :mod:`audit.lab.edge`."""
WEBSITE_NAME: Final = SEED_DOMAIN
VIOLATING_NAME: Final = f"next.{SEED_DOMAIN}"
"""The same website in the variant that breaks its promises."""
ANALYTICS_NAME: Final = f"stats.{SEED_DOMAIN}"
"""A name of the site that stands for a tracker's."""
ORIGIN: Final = "198.51.100.62"
"""nginx and the newsletter's program behind the edge; no visitor speaks to it."""
MAIL_API: Final = "198.51.100.63"
MAIL_API_NAME: Final = "api.createsend.com"
"""Stand-in of Campaign Monitor's API."""
UNCONTACTED_NAME: Final = "beacon.ads.example"
"""A name that is looked up and never contacted."""
STUN: Final = "198.51.100.40"
STUN_NAME: Final = "stun.metrics.example"
STUN_PORT: Final = 3478

NAMES: Final[dict[str, str]] = {
    **{f"{name}.{SEED_DOMAIN}": address for name, address in SEEDS.items()},
    FILE_SERVER_NAME: FILE_SERVER,
    **TRACKERS,
    STUN_NAME: STUN,
    LISTED_TRACKER: LISTED_TRACKER_ADDRESS,
    SITE_NAME: SITE,
    WEBSITE_NAME: WEBSITE,
    f"www.{WEBSITE_NAME}": WEBSITE,
    VIOLATING_NAME: WEBSITE,
    ANALYTICS_NAME: LISTED_TRACKER_ADDRESS,
    MAIL_API_NAME: MAIL_API,
}
"""DNS name -> IPv4 address. Nothing has an IPv6 address."""


ALIASES: Final[dict[str, str]] = {ANALYTICS_NAME: f"collect.{LISTED_TRACKER}"}
"""DNS name -> the name that it stands for (CNAME)."""


def find_alias(name: str) -> str | None:
    """Return what a DNS name stands for, ``None``: it is no alias."""
    return ALIASES.get(name.lower().rstrip("."))


def find_address(name: str) -> str | None:
    """Return the address of a DNS name (any case, final dot allowed), ``None``: no such name."""
    name = name.lower().rstrip(".")
    if name in NAMES:
        return NAMES[name]
    for tracker, address in (*TRACKERS.items(), (LISTED_TRACKER, LISTED_TRACKER_ADDRESS)):
        if name.endswith("." + tracker):
            return address
    return None


def all_addresses() -> list[str]:
    """Return every address the lab answers on, for the interface that carries them."""
    servers = [*SEEDS.values(), *NODES.values(), *TRACKERS.values()]
    return [
        *servers,
        FILE_SERVER,
        RESOLVER,
        STUN,
        LISTED_TRACKER_ADDRESS,
        SITE,
        WEBSITE,
        ORIGIN,
        MAIL_API,
    ]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something listens or is to be reached."""

    address: str
    """IPv4 address as the client is told it, or a DNS name."""
    port: int

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


@dataclass(slots=True)
class AddressBook:
    """Turns announced places into those to bind and to dial.

    In a namespace both are the announced place itself; on loopback every announced place has an
    ephemeral port of 127.0.0.1.
    """

    loopback: bool
    ports: dict[str, int]
    """Announced ``address:port`` -> port on 127.0.0.1 (loopback only)."""

    def binding(self, place: Place) -> Place:
        """Return what to bind for an announced place; port 0 asks the system for one."""
        return Place("127.0.0.1", self.ports.get(str(place), 0)) if self.loopback else place

    def note(self, place: Place, port: int) -> None:
        """Remember the port that the system gave for an announced place."""
        if self.loopback:
            self.ports[str(place)] = port

    def dial(self, host: str, port: int) -> Place | None:
        """Return where an announced host (name or address) is reached; ``None``: nowhere here."""
        address = find_address(host) or host
        if not self.loopback:
            return Place(address, port) if address in all_addresses() else None
        mapped = self.ports.get(f"{address}:{port}")
        return Place("127.0.0.1", mapped) if mapped else None

    def source(self, address: str) -> str | None:
        """Return what to speak from, so that others can tell who spoke; ``None``: no choice.

        On loopback it is 127.0.0.N with the announced address's last number, where the system
        takes every such address as its own.
        """
        if not self.loopback:
            return address
        return "127.0.0." + address.rpartition(".")[2] if sys.platform == "linux" else None

    def to_map(self) -> dict[str, str]:
        """Return announced ``host:port`` (by address and by every name) -> ``127.0.0.1:port``."""
        result = {place: f"127.0.0.1:{port}" for place, port in self.ports.items()}
        for name, address in NAMES.items():
            for place, port in self.ports.items():
                if place.startswith(address + ":"):
                    result[name + place[len(address) :]] = f"127.0.0.1:{port}"
        return result
