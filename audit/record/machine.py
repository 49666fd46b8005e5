"""What the machine itself is known by: values a client sees where nothing hides them."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import pwd
import socket
import sys
from pathlib import Path
from typing import Any, Final

from audit.bundle.identity import Identifier

_SHORTEST_NAME: Final = 4
_EVERYBODY: Final = frozenset({"root", "localhost", "user", "nobody"})
"""Names that say nothing of anybody."""
_NO_MAC: Final = "00:00:00:00:00:00"


def machine_identifiers() -> list[Identifier]:
    """Return the machine's host name, user, machine id, MACs and addresses; none is a canary."""
    found = [
        Identifier("host_name", socket.gethostname(), canary=False),
        Identifier("user_name", _user(), canary=False),
    ]
    found = [
        item
        for item in found
        if len(item.value) >= _SHORTEST_NAME and item.value.lower() not in _EVERYBODY
    ]
    with contextlib.suppress(OSError):
        serial = Path("/etc/machine-id").read_text(encoding="ascii").strip()
        found.append(Identifier("serial", serial, canary=False))
    if sys.platform == "linux":
        found += _links()
    return found


def _user() -> str:
    with contextlib.suppress(KeyError):
        return pwd.getpwuid(os.geteuid()).pw_name
    return ""


def _links() -> list[Identifier]:
    from pyroute2 import IPRoute

    found = []
    with contextlib.suppress(OSError), IPRoute() as routing:
        for link in routing.get_links():
            mac = _attribute(link, "IFLA_ADDRESS")
            if mac and mac != _NO_MAC:
                found.append(Identifier("mac", mac, canary=False))
        for entry in routing.get_addr():
            address = _attribute(entry, "IFA_ADDRESS")
            if address and not _is_everywhere(address):
                found.append(Identifier("address", address, canary=False))
    return found


def _attribute(message: Any, name: str) -> str | None:
    value = message.get_attr(name)
    return str(value) if value else None


def _is_everywhere(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    return parsed.is_loopback or parsed.is_unspecified
