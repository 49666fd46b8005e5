"""What fills the evidence tables: capability, platforms, and which readers are still to come.

The one place that says so. Lint refuses a check that nothing could ever fill (E203, E208), warns of
one that nothing fills today (W203), ``audit policy coverage`` prints it, and a verdict that reads a
column that nothing filled is never a pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from audit.tables.vocabulary import PLATFORMS, Capability, Platform

_ALL: Final = frozenset[Platform](PLATFORMS)
_WITH_SCREENS: Final = frozenset[Platform]({"android", "ios", "desktop"})
_WITH_SERVER: Final = frozenset[Platform]({"server", "web"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """Where the rows of a table, or a capability, come from."""

    capabilities: tuple[Capability, ...] = ()
    """Of a table: one of them must be observed, for without it the table is empty, and an empty
    table would pass. Empty: every recording fills it."""
    to_come: str | None = None
    """What will fill it; ``None``: a reader of this version does."""


CAPABILITY_PLATFORMS: Final[Mapping[Capability, frozenset[Platform]]] = {
    "app.screens": _WITH_SCREENS,
    "app.package": _WITH_SCREENS,
    "app.settings": _WITH_SCREENS,
    "browser.storage": frozenset({"web"}),
    "browser.scripts": frozenset({"web"}),
    "server.logs": _WITH_SERVER,
    "server.records": _WITH_SERVER,
    "server.config": _WITH_SERVER,
}
"""Capability -> platforms that can have it; those that are not here, everywhere."""

CAPABILITIES_TO_COME: Final[Mapping[Capability, str]] = {
    "app.files": "files of the client before and after a recording",
    "app.settings": "settings read from the client's own store",
    "app.screens": "fields read from the client's screens",
    "app.package": "the client's package and its classes",
}
"""Capability that no recording or import of this version supplies -> what will."""

_MESSAGES: Final = Supply(capabilities=("transport.opened", "onion.opened"))


def _later(capability: Capability) -> Supply:
    return Supply(capabilities=(capability,), to_come=CAPABILITIES_TO_COME[capability])


TABLE_SUPPLY: Final[Mapping[str, Supply]] = {
    "captures": Supply(),
    "events": Supply(),
    "controls": Supply(),
    "http_requests": _MESSAGES,
    "http_responses": _MESSAGES,
    "websocket_messages": _MESSAGES,
    "dns_queries": Supply(capabilities=("dns.seen",)),
    "tls_handshakes": Supply(capabilities=("tls.metadata",)),
    "stun_messages": Supply(capabilities=("packets.all_interfaces",)),
    "identifier_hits": Supply(capabilities=("identifiers.planted",)),
    "conversations": Supply(
        capabilities=(
            "packets.all_interfaces",
            "process.attribution",
            "transport.opened",
            "tls.metadata",
        )
    ),
    "cookies": Supply(capabilities=("browser.storage",)),
    "web_storage": Supply(capabilities=("browser.storage",)),
    "script_calls": Supply(capabilities=("browser.scripts",)),
    "page_requests": Supply(capabilities=("browser.scripts",)),
    "page_forms": Supply(capabilities=("browser.scripts",)),
    "log_lines": Supply(capabilities=("server.logs",)),
    "db_records": Supply(capabilities=("server.records",)),
    "config_entries": Supply(capabilities=("server.config",)),
    "manifest_entries": _later("app.package"),
    "settings": _later("app.settings"),
    "ui_fields": _later("app.screens"),
    "local_files": _later("app.files"),
}
"""Every table -> what fills it."""

SELDOM_FILLED: Final[Mapping[tuple[str, str], str]] = {
    ("events", "subject_hash"): "the journal of seeded probes, or of a browser that subscribed",
}
"""Column that few captures fill -> what does. A verdict that reads one which nothing filled is no
pass: nobody would be found, whoever is there."""


def platforms_of(capability: Capability) -> frozenset[Platform]:
    """Return the platforms that can have a capability."""
    return CAPABILITY_PLATFORMS.get(capability, _ALL)


def platforms_of_table(table: str) -> frozenset[Platform]:
    """Return the platforms on which something can fill a table."""
    needed = TABLE_SUPPLY[table].capabilities
    return frozenset().union(*map(platforms_of, needed)) if needed else _ALL
