"""Links, addresses, routes and redirects of a sandbox: ``python -m audit.sandbox.network``.

A short-lived job in the gateway's place. Standard input is one JSON object (see :class:`Wiring`),
descriptors 3, 4, 5 hold the network namespaces of client, gateway and internet. ::

    client eth0 ---- client0 gateway internet0 ---- eth0 internet

A refused step is named on standard error, exit code :data:`REFUSED`.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import struct
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from audit.sandbox import kernel, redirect
from audit.sandbox.addresses import V4_PREFIX, V6_PREFIX, Addresses

CLIENT_LINK: Final = "eth0"
"""Name of the client's interface."""
TOWARDS_CLIENT: Final = "client0"
TOWARDS_INTERNET: Final = "internet0"
"""Name of the gateway's way out, whoever makes it."""
_INTERNET_LINK: Final = "eth0"
DESCRIPTORS: Final = {"client": 3, "gateway": 4, "internet": 5}
REFUSED: Final = 3
"""Exit code where the machine refused a step (any other but 0 is a bug)."""
_IFA_F_NODAD: Final = 0x02
_SIOCETHTOOL: Final = 0x8946
_OFFLOADS: Final = (0x17, 0x1F, 0x24, 0x2C)
"""ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO of ``<linux/ethtool.h>``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """What to build."""

    addresses: Addresses
    has_internet: bool
    """Whether the internet namespace stands in for the world; else somebody else gives the
    gateway its way out, and the client hides behind the gateway's address there."""
    proxy_port: int | None
    """Port of the gateway to which the client's TCP is redirected; ``None``: passive."""

    def to_json(self) -> str:
        """Return the job's standard input."""
        return json.dumps(asdict(self))


def main() -> int:
    """Build what standard input describes."""
    data = json.load(sys.stdin)
    wiring = Wiring(
        addresses=Addresses.from_message(data["addresses"]),
        has_internet=data["has_internet"],
        proxy_port=data["proxy_port"],
    )
    try:
        build(wiring)
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return REFUSED
    sys.stdout.write(json.dumps({"ipv6": has_ipv6()}) + "\n")
    return 0


def has_ipv6() -> bool:
    """Return whether the kernel speaks IPv6."""
    return Path("/proc/sys/net/ipv6").is_dir()


def build(wiring: Wiring) -> None:
    """Build the network; raises :class:`OSError` naming the step that was refused."""
    with contextlib.ExitStack() as stack:
        names = ["client", "gateway", "internet"] if wiring.has_internet else ["client", "gateway"]
        sides = {name: stack.enter_context(_Side.of(name)) for name in names}
        for side in sides.values():
            side.prepare()
        _connect_client(wiring.addresses, sides["client"], sides["gateway"])
        if wiring.has_internet:
            _connect_internet(wiring.addresses, sides["gateway"], sides["internet"])
        with inside("gateway"):
            if not wiring.has_internet:
                redirect.masquerade(TOWARDS_INTERNET)
            if wiring.proxy_port is not None:
                redirect.redirect_tcp(TOWARDS_CLIENT, wiring.proxy_port)


def _connect_client(addresses: Addresses, client: _Side, gateway: _Side) -> None:
    gateway.link_to(client, TOWARDS_CLIENT, CLIENT_LINK, addresses.client_mac)
    gateway.give(TOWARDS_CLIENT, addresses.gateway_v4, addresses.gateway_v6)
    client.give(CLIENT_LINK, addresses.client_v4, addresses.client_v6)
    client.route("0.0.0.0/0", addresses.gateway_v4)
    client.route("::/0", addresses.gateway_v6)


def _connect_internet(addresses: Addresses, gateway: _Side, internet: _Side) -> None:
    gateway.link_to(internet, TOWARDS_INTERNET, _INTERNET_LINK, None)
    gateway.give(TOWARDS_INTERNET, addresses.uplink_v4, addresses.uplink_v6)
    internet.give(_INTERNET_LINK, addresses.internet_v4, addresses.internet_v6)
    for near, far in (
        (gateway, (addresses.internet_v4, addresses.internet_v6)),
        (internet, (addresses.uplink_v4, addresses.uplink_v6)),
    ):
        near.route("0.0.0.0/0", far[0])
        near.route("::/0", far[1])


@contextlib.contextmanager
def inside(name: str) -> Iterator[None]:
    """Be in a namespace of the sandbox; afterwards in the gateway's again."""
    kernel.setns(DESCRIPTORS[name], kernel.NEWNET)
    try:
        yield
    finally:
        kernel.setns(DESCRIPTORS["gateway"], kernel.NEWNET)


@contextlib.contextmanager
def step(what: str) -> Iterator[None]:
    """Name the step that failed: raises :class:`.kernel.CallError`."""
    from pyroute2.netlink.exceptions import NetlinkError

    try:
        yield
    except NetlinkError as error:
        raise kernel.CallError(error.code, what) from None
    except OSError as error:
        raise kernel.CallError(error.errno or 0, what) from None


class _Side:
    """One network namespace, seen through a routing socket that was opened in it."""

    def __init__(self, name: str, routing: Any) -> None:
        self.name = name
        self._routing = routing

    @classmethod
    @contextlib.contextmanager
    def of(cls, name: str) -> Iterator[_Side]:
        from pyroute2 import IPRoute

        with inside(name), step(f"routing socket in the {name} namespace"):
            routing = IPRoute()
        with contextlib.closing(routing):
            yield cls(name, routing)

    def prepare(self) -> None:
        """Bring up ``lo`` and set what the namespace must do, whatever the machine's defaults."""
        wanted = {"ipv4/conf/all/rp_filter": "0", "ipv4/conf/default/rp_filter": "0"}
        if has_ipv6():
            for scope in ("all", "default"):
                wanted |= {
                    f"ipv6/conf/{scope}/disable_ipv6": "0",
                    f"ipv6/conf/{scope}/accept_dad": "0",
                    f"ipv6/conf/{scope}/accept_ra": "0",
                    f"ipv6/conf/{scope}/router_solicitations": "0",
                }
        if self.name == "gateway":
            wanted["ipv4/ip_forward"] = "1"
            if has_ipv6():
                wanted["ipv6/conf/all/forwarding"] = "1"
        with inside(self.name):
            for name, value in wanted.items():
                with step(f"write /proc/sys/net/{name}"):
                    Path("/proc/sys/net", name).write_text(value, encoding="ascii")
        self._up("lo")

    def _index(self, link: str) -> int:
        return int(self._routing.link_lookup(ifname=link)[0])

    def _up(self, link: str) -> None:
        with step(f"set {link} up"):
            self._routing.link("set", index=self._index(link), state="up")

    def link_to(self, other: _Side, name: str, peer: str, peer_mac: str | None) -> None:
        """Make a pair of virtual links, this end ``name``, the other's ``peer``."""
        far: dict[str, Any] = {"ifname": peer, "net_ns_fd": DESCRIPTORS[other.name]}
        if peer_mac:
            far["address"] = peer_mac
        with step("make a veth link"):
            self._routing.link("add", ifname=name, kind="veth", peer=far)
        for side, link in ((self, name), (other, peer)):
            with inside(side.name):
                _without_offload(link)
            side._up(link)  # noqa: SLF001 - same class

    def give(self, link: str, v4: str, v6: str) -> None:
        """Give a link its addresses."""
        index = self._index(link)
        with step(f"give {link} an address"):
            self._routing.addr("add", index=index, address=v4, prefixlen=V4_PREFIX)
            if has_ipv6():
                self._routing.addr(
                    "add", index=index, address=v6, prefixlen=V6_PREFIX, flags=_IFA_F_NODAD
                )

    def route(self, target: str, gateway: str) -> None:
        """Add a route."""
        if ":" in target and not has_ipv6():
            return
        with step(f"add a route to {target}"):
            self._routing.route("add", dst=target, gateway=gateway)


def _without_offload(link: str) -> None:
    """Have frames look as on a wire: no oversized segments, checksums filled in."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        for command in _OFFLOADS:
            value = bytearray(struct.pack("=II", command, 0))
            with contextlib.suppress(OSError):
                fcntl.ioctl(handle, _SIOCETHTOOL, _request(link, value))


def _request(link: str, value: bytearray) -> bytes:
    """Return a ``struct ifreq`` that points at ``value``."""
    import ctypes

    buffer = (ctypes.c_char * len(value)).from_buffer(value)
    return struct.pack("16sP16x", link.encode(), ctypes.addressof(buffer))


if __name__ == "__main__":
    os.environ.clear()
    sys.exit(main())
