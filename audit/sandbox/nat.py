"""The gateway's way out for root: ``python -m audit.sandbox.nat``, in the machine's own network.

Standard input is one JSON object ``{"near", "far", "prefix"}`` (addresses of the gateway's and the
machine's end of a new link), descriptor 3 holds the gateway's network namespace. Prints ``ready``,
then stays until its standard input closes or SIGTERM comes, and takes everything back. A kill
takes back the link and, where the kernel knows tables with an owner (5.12), the rules; the one
thing it may leave is ``net.ipv4.ip_forward = 1``.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from audit.sandbox import kernel, redirect
from audit.sandbox.network import TOWARDS_INTERNET, step

_GATEWAY: Final = 3
_LINK_PREFIX: Final = "audit-"
_FORWARD: Final = Path("/proc/sys/net/ipv4/ip_forward")
_WAS_OFF: Final = "audit: ip_forward was 0"
"""Alias of our links while forwarding is on because of us: the last one turns it off again."""


def main() -> int:
    """Serve until told to end; exit code 1 with the refused step on standard error."""
    data = json.loads(sys.stdin.readline())
    stop, stopper = os.pipe()
    os.set_blocking(stopper, False)
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.set_wakeup_fd(stopper)
    try:
        with contextlib.ExitStack() as stack:
            link = stack.enter_context(_uplink(data["near"], data["far"], data["prefix"]))
            stack.enter_context(redirect.owned_masquerade(data["near"], link))
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            select.select([sys.stdin, stop], [], [])
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


@contextlib.contextmanager
def _uplink(near: str, far: str, prefix: int) -> Iterator[str]:
    """Have a link between the machine and the gateway, and forward between them."""
    from pyroute2 import IPRoute

    link = f"{_LINK_PREFIX}{secrets.token_hex(4)}"
    own = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    with step("routing socket of the machine"):
        machine = IPRoute()
    kernel.setns(_GATEWAY, kernel.NEWNET)
    with step("routing socket of the gateway"):
        gateway = IPRoute()
    kernel.setns(own, kernel.NEWNET)
    with contextlib.closing(machine), contextlib.closing(gateway):
        with step("make the uplink"):
            peer = {"ifname": TOWARDS_INTERNET, "net_ns_fd": _GATEWAY}
            machine.link("add", ifname=link, kind="veth", peer=peer)
        try:
            _set_up(machine, link, far, prefix)
            _set_up(gateway, TOWARDS_INTERNET, near, prefix)
            with step("add the gateway's default route"):
                gateway.route("add", dst="0.0.0.0/0", gateway=far)
            with _forwarding(machine, link):
                yield link
        finally:
            with contextlib.suppress(OSError, IndexError):
                machine.link("del", index=_index(machine, link))
            os.close(own)


def _index(routing: Any, link: str) -> int:
    return int(routing.link_lookup(ifname=link)[0])


def _set_up(routing: Any, link: str, address: str, prefix: int) -> None:
    with step(f"set up {link}"):
        index = _index(routing, link)
        routing.addr("add", index=index, address=address, prefixlen=prefix)
        routing.link("set", index=index, state="up")


@contextlib.contextmanager
def _forwarding(machine: Any, link: str) -> Iterator[None]:
    """Have the machine forward packets; the last recording that needs it puts back what was."""
    others = _others_that_turned_it_on(machine, link)
    was_on = _FORWARD.read_text(encoding="ascii").strip() == "1"
    if was_on and not others:
        yield
        return
    with step("mark the uplink"):
        machine.link("set", index=_index(machine, link), ifalias=_WAS_OFF)
    with step(f"write {_FORWARD}"):
        _FORWARD.write_text("1", encoding="ascii")
    try:
        yield
    finally:
        if not _others_that_turned_it_on(machine, link):
            with contextlib.suppress(OSError):
                _FORWARD.write_text("0", encoding="ascii")


def _others_that_turned_it_on(machine: Any, link: str) -> list[str]:
    return [
        name
        for entry in machine.get_links()
        if (name := str(entry.get_attr("IFLA_IFNAME"))) != link
        and entry.get_attr("IFLA_IFALIAS") == _WAS_OFF
    ]


if __name__ == "__main__":
    sys.exit(main())
