"""What the names in a condition can mean: columns, variables, lists, roles; and what was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from audit.checks.lists import NamedList
from audit.checks.variables import Variables
from audit.tables.column import Column


@dataclass(slots=True, kw_only=True)
class ColumnScope:
    """The names that one condition may use; notes which it did."""

    table: str
    columns: Mapping[str, Column]
    variables: Variables
    lists: Mapping[str, NamedList]
    as_of_ns: int | None = None
    """Nanoseconds since 1970 UTC that ages count from."""
    roles: frozenset[str] = frozenset()
    """Roles of servers that the pack declares; empty: any text may stand there."""
    kinds: frozenset[str] = frozenset()
    """Kinds of identifier that the policy adds."""
    read: set[str] = field(default_factory=set)
    unset: set[str] = field(default_factory=set)
    lists_read: set[str] = field(default_factory=set)
