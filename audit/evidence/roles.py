"""What each server is to the app: roles by the pack's declarative rules, and a few built in.

Built in: ``resolver`` for the conversations with a resolver of the recording that carry name
look-ups and nothing else, ``loopback`` for what never leaves the client's machine. They go before
the pack's rules. A name that the client merely claims gives no role, but is noted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from audit.evidence.lookups import lookup_conversations
from audit.readers.endpoint import is_loopback, plain_address
from audit.tables.frames import Row
from audit.tables.vocabulary import CLAIMED

if TYPE_CHECKING:
    from audit.checks.conditions import Condition
    from audit.checks.lists import NamedList
    from audit.checks.variables import Variables

Tables = Mapping[str, Sequence[Row]]
RESOLVER: Final = "resolver"
LOOPBACK: Final = "loopback"
_TABLES: Final = (
    "conversations", "http_requests", "http_responses", "websocket_messages", "tls_handshakes",
    "stun_messages", "dns_queries",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedIn:
    """Servers whose address an answer of another role lists."""

    role: str
    path: tuple[str, ...]
    """Keys into the answer's JSON; ``[]`` stands for every item of a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """One role and its rule."""

    name: str
    rule: Condition | ListedIn


def compile_roles(
    rules: Mapping[str, object],
    variables: Variables,
    lists: Mapping[str, NamedList],
    as_of: datetime | None = None,
) -> tuple[Role, ...]:
    """Compile the roles of a pack; raises :class:`PolicyError` for a wrong condition."""
    from audit.checks.conditions import compile_condition
    from audit.yamlfile.pack import ListedRole

    found = []
    for name, rule in rules.items():
        if isinstance(rule, ListedRole):
            listed = rule.address_listed_in
            made: Condition | ListedIn = ListedIn(role=listed.role, path=split_path(listed.json_))
        else:
            condition = rule if isinstance(rule, dict) else {}
            made = compile_condition(condition, "conversations", variables, lists, as_of)
        found.append(Role(name=name, rule=made))
    return tuple(found)


def split_path(path: str) -> tuple[str, ...]:
    """Split ``a.b[].c`` into ``('a', 'b', '[]', 'c')``."""
    return tuple(part for part in path.replace("[]", ".[]").split(".") if part)


def values_at(value: object, path: tuple[str, ...]) -> Iterator[object]:
    """Yield what stands at a path in JSON data."""
    if not path:
        yield value
    elif path[0] == "[]":
        for item in value if isinstance(value, list) else ():
            yield from values_at(item, path[1:])
    elif isinstance(value, dict) and path[0] in value:
        yield from values_at(value[path[0]], path[1:])


def assign_roles(
    tables: Tables, roles: Sequence[Role], resolvers: frozenset[str] = frozenset()
) -> None:
    """Fill in ``peer_role`` and ``claimed_role`` of every row of traffic.

    Named recipients come first; ``resolvers`` are the addresses that answer name look-ups.
    """
    rows = [row for table in _TABLES for row in tables.get(table, ())]
    _assign_built_in(tables, rows, resolvers)
    _assign_conditions(rows, roles)
    listed = [(role.name, role.rule) for role in roles if isinstance(role.rule, ListedIn)]
    for _ in listed:  # a list may be named by a role that is itself listed
        if not sum(_assign_listed(tables, rows, name, rule) for name, rule in listed):
            break


def _assign_built_in(tables: Tables, rows: list[Row], resolvers: frozenset[str]) -> None:
    lookups = lookup_conversations(tables)
    for row in rows:
        row["peer_role"] = row["claimed_role"] = None
        if row.get("layer"):
            continue
        is_lookup = row.get("conversation") in lookups or str(row.get("proto")).startswith("icmp")
        if is_lookup and row.get("responder_ip") in resolvers:
            row["peer_role"] = RESOLVER
        elif is_loopback(str(row.get("responder_ip"))):
            row["peer_role"] = LOOPBACK


def _assign_conditions(rows: list[Row], roles: Sequence[Role]) -> None:
    from audit.checks.truth import TRUE

    rules = [(role.name, role.rule) for role in roles if not isinstance(role.rule, ListedIn)]
    known: dict[tuple[object, ...], str | None] = {}

    def role(server: Row) -> str | None:
        key = tuple(server.values())
        if key not in known:
            matching = (name for name, rule in rules if rule.of(server) == TRUE)
            known[key] = next(matching, None)
        return known[key]

    for row in rows:
        if row["peer_role"] is not None:
            continue
        columns = ("host", "responder_ip", "recipient", "host_basis")
        server: Row = {name: row.get(name) for name in columns}
        row["peer_role"] = role(server)
        if row["peer_role"] is None and row.get("host_basis") == CLAIMED:
            row["claimed_role"] = role(server | {"host_basis": None, "recipient": row.get("host")})


def _assign_listed(tables: Tables, rows: list[Row], name: str, rule: ListedIn) -> bool:
    addresses: set[str] = set()
    for row in tables.get("http_responses", ()):
        text = row.get("json")
        if row.get("layer"):
            continue  # inside the onion a name is a route that the client chose
        if row.get("peer_role") == rule.role and isinstance(text, str):
            for value in values_at(json.loads(text), rule.path):
                if isinstance(value, str):
                    addresses.add(plain_address(value))
    changed = False
    for row in rows:
        if row["peer_role"] is None and row.get("responder_ip") in addresses:
            row["peer_role"] = name
            changed = True
    return changed
