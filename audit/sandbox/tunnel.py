"""A tunnel of our own: ``python -m audit.sandbox.tunnel``, for what a client does behind a VPN.

A job in the gateway's place. Standard input begins with one JSON line (see :class:`Ends`);
descriptors 3 and 4 hold the network namespaces of client and gateway. ::

    client tun0 ==== this program ==== vpn0 gateway

The client's IPv4 goes through ``tun0`` by two routes that are narrower than the default one, as
OpenVPN's ``redirect-gateway def1`` does; IPv6 and whatever is bound to another interface does not.
Prints ``{"ready": true}``; at the line ``drop`` on standard input ``tun0`` vanishes, and with it
its routes, as it does where a VPN client ends, and ``{"dropped": true}`` is printed. Nothing of
the tunnel itself is on the client's other interfaces.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import struct
import sys
from dataclasses import asdict, dataclass
from typing import Any, Final

from audit.sandbox import kernel
from audit.sandbox.addresses import V4_PREFIX
from audit.sandbox.network import REFUSED, inside, step

CLIENT_TUNNEL: Final = "tun0"
"""Name of the tunnel's interface in the client's namespace."""
_GATEWAY_TUNNEL: Final = "vpn0"
_HALVES: Final = ("0.0.0.0/1", "128.0.0.0/1")
_TUNSETIFF: Final = 0x400454CA
_IFF_TUN: Final = 0x0001
_IFF_NO_PI: Final = 0x1000
"""``<linux/if_tun.h>``."""
_LARGEST: Final = 65_536
_INPUT: Final = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Addresses of both ends, IPv4, in one network of ``V4_PREFIX``."""

    client: str
    gateway: str

    def to_json(self) -> str:
        """Return the first line of the job's standard input."""
        return json.dumps(asdict(self)) + "\n"


def main() -> int:
    """Build the tunnel and carry packets until standard input ends."""
    ends = Ends(**json.loads(_first_line()))
    try:
        with inside("client"):
            near = _open(CLIENT_TUNNEL, ends.client, routes=True)
        far = _open(_GATEWAY_TUNNEL, ends.gateway, routes=False)
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return REFUSED
    _say({"ready": True})
    _carry(near, far)
    return 0


def _first_line() -> bytes:
    """Read byte by byte: what follows the line belongs to the poll."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(_INPUT, 1)
        if not byte:
            break
        line += byte
    return line


def _open(name: str, address: str, *, routes: bool) -> int:
    """Make a tun device in the caller's network namespace; return its descriptor."""
    from pyroute2 import IPRoute

    with step("open /dev/net/tun"):
        device = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
    with step(f"make the tunnel {name}"):
        fcntl.ioctl(
            device, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI)
        )
    with contextlib.closing(IPRoute()) as routing:
        index = int(routing.link_lookup(ifname=name)[0])
        with step(f"give {name} its address"):
            routing.addr("add", index=index, address=address, prefixlen=V4_PREFIX)
            routing.link("set", index=index, state="up")
        for half in _HALVES if routes else ():
            with step(f"add a route to {half}"):
                routing.route("add", dst=half, oif=index)
    return device


def _carry(near: int, far: int) -> None:
    poll = select.poll()
    for number in (_INPUT, near, far):
        poll.register(number, select.POLLIN)
    others = {near: far, far: near}
    while True:
        for number, _ in poll.poll():
            if number in others:
                _pass_on(number, others[number])
            elif b"drop" in (said := os.read(_INPUT, 4096)) and near in others:
                for end in others:
                    poll.unregister(end)
                others = {}
                os.close(near)
                _say({"dropped": True})
            elif not said:
                return


def _pass_on(source: int, target: int) -> None:
    with contextlib.suppress(
        BlockingIOError, OSError
    ):  # a full queue loses packets, as a line does
        os.write(target, os.read(source, _LARGEST))


def _say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    kernel.die_with_parent(9)
    os.environ.clear()
    sys.exit(main())
