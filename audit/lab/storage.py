"""One storage node: its keys, its messages, and what every call of it needs.

The calls themselves stand in :mod:`audit.lab.calls`.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from audit.lab.keys import NodeKeys, make_keys
from audit.lab.params import Params
from audit.lab.swarm import Mailboxes

HARDFORK: Final = [19, 4]
VERSION: Final = [2, 8, 0]


def now_ms() -> int:
    """Return the time of day in milliseconds since 1970, the unit of every storage call."""
    return time.time_ns() // 1_000_000


@dataclass(slots=True, kw_only=True, eq=False)
class Node:
    """One storage node: its keys, its messages and the nodes of its swarm (itself included)."""

    name: str
    address: str
    port: int
    keys: NodeKeys = field(default_factory=make_keys)
    legacy: NodeKeys = field(default_factory=make_keys)
    """Keys that the chain knows the node by; nothing is encrypted for them."""
    boxes: Mailboxes = field(default_factory=Mailboxes)
    swarm: list[Node] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the node as ``get_swarm`` lists it."""
        return {
            "address": self.legacy.ed25519_public + ".snode",
            "pubkey_legacy": self.legacy.ed25519_public,
            "pubkey_x25519": self.keys.x25519_public,
            "pubkey_ed25519": self.keys.ed25519_public,
            "port": str(self.port),
            "port_https": self.port,
            "port_omq": self.port - 1,
            "port_quic": self.port - 1,
            "ip": self.address,
        }

    def sign(self, *parts: object) -> str:
        """Return the node's signature over the parts' texts, base64."""
        signature = self.keys.signing.sign("".join(map(str, parts)).encode())
        return base64.b64encode(signature).decode("ascii")


@dataclass(slots=True, kw_only=True)
class Storage:
    """What the calls that reach one node work on."""

    node: Node
    swarm_of: Callable[[bytes], list[Node]]
    """Which nodes keep an account."""
    replicated: Callable[[Node, str, str], None]
    """Told of each other node that a change was handed to: node, method, account."""
    chain: Callable[[str, dict[str, Any]], dict[str, Any] | None]
    """Answers questions about the whole network (``oxend_request``); ``None``: no such question."""

    def misc(self) -> dict[str, Any]:
        """Return what every answer carries: time and hard fork."""
        return {"t": now_ms(), "hf": HARDFORK}

    def swarm(self, account: bytes) -> dict[str, Any]:
        """Return the nodes that keep an account, as ``get_swarm`` answers."""
        nodes = self.swarm_of(account)
        number = min(int(node.keys.ed25519_public[:15], 16) for node in nodes)
        return {
            "snodes": [node.to_json() for node in nodes],
            "swarm": f"{number:x}",
            **self.misc(),
        }

    def everywhere(
        self, method: str, params: Params, change: Callable[[Node], dict[str, Any]]
    ) -> dict[str, Any]:
        """Carry a change out on every node of the swarm, the called one first."""
        account = params.account().hex()
        parts: dict[str, Any] = {self.node.keys.ed25519_public: change(self.node)}
        for other in self.node.swarm:
            if other is not self.node:
                parts[other.keys.ed25519_public] = change(other)
                self.replicated(other, method, account)
        return {"swarm": parts, **self.misc()}
