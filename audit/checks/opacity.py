"""What a check reads and nobody could: opaque content, and bytes that were never had.

Opacity touches only expectations over ``identifier_hits`` or body columns, and of the evidence only
what their ``where`` selects and a hidden value could violate: every question that the hidden bytes
would answer counts as undecided. ``mixed`` counts as opaque.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from audit.checks.assertions import Tested
from audit.checks.conditions import Known, Leaf
from audit.checks.conversations import (
    carries_payload,
    conversations_of,
    flags_of,
    has_messages,
    is_opened,
)
from audit.checks.encoding import EncodedTable, Flags
from audit.checks.program import BODY_COLUMNS, CompiledExpectation, Program, RowExpectation
from audit.checks.truth import FALSE, TRUE, negate
from audit.checks.union import Union
from audit.tables.frames import columns_of
from audit.tables.rows import TrafficRow
from audit.yamlfile.expectation import Every, Uniform

_OPAQUE: Final = frozenset({"opaque", "mixed"})
_EMPTY: Final = frozenset({"empty"})
_CARRIERS: Final = (("http_requests", "sent"), ("http_responses", "received"))
_SHARED: Final = frozenset(TrafficRow.__dataclass_fields__) | {"transport"}
"""Columns that a hit takes from the row it was found in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opacity:
    """How much of what the check reads stayed unread."""

    selected: int = 0
    """Messages and conversations that its expectations select."""
    opaque: int = 0
    """Those among them whose bytes were had and could not be read."""
    sealed: frozenset[int] = frozenset()
    """Captures with conversations that it selects, that were never opened, and that no
    ``transport.opened`` of the check answers for."""


def measure(program: Program, tested: Sequence[Tested], union: Union) -> Opacity:
    """Return what the check's expectations could not read.

    A ``some`` that has its rows needs no more; one that is short might find them in what is hidden.
    """
    chosen: dict[str, Flags] = {}
    unread: dict[str, Flags] = {}
    sealed: frozenset[int] = frozenset()
    for one in tested:
        expectation = one.expectation
        if not isinstance(expectation, RowExpectation) or not one.rests_on_traffic:
            continue
        for table, possible in _messages(expectation, union):
            known = chosen.setdefault(table.name, np.zeros(table.size, dtype=bool))
            chosen[table.name] = known | possible & ~_holds(table, _EMPTY, absent=True)
            unread[table.name] = _holds(table, _OPAQUE, absent=False)
        if expectation.item.from_ == "identifier_hits":
            sealed |= _sealed(expectation, program, union)
    return Opacity(
        selected=sum(int(flags.sum()) for flags in chosen.values()),
        opaque=sum(int((flags & unread[name]).sum()) for name, flags in chosen.items()),
        sealed=sealed,
    )


def reads_bodies(expectation: CompiledExpectation) -> bool:
    """Whether an expectation rests on what bodies hold."""
    if not isinstance(expectation, RowExpectation):
        return False
    if expectation.item.from_ == "identifier_hits":
        return True
    columns = {leaf.column for leaf in expectation.where.leaves()}
    columns |= {leaf.column for leaf in expectation.match.leaves()}
    if expectation.field is not None:
        columns.add(expectation.field.column)
    return bool(columns & BODY_COLUMNS) and "content" in columns_of(expectation.item.from_)


def _messages(expectation: RowExpectation, union: Union) -> Iterator[tuple[EncodedTable, Flags]]:
    """Yield the tables whose bodies an expectation reads, and which rows could violate it."""
    if not reads_bodies(expectation):
        return
    if expectation.item.from_ != "identifier_hits":
        table = union.table(expectation.item.from_)
        yield table, could_violate(expectation, table, _is_no_body)
        return
    for name, direction in _CARRIERS:
        table = _directed(union, name, direction)
        yield table, could_violate(expectation, table, _is_inherited)
    table = union.table("websocket_messages")
    yield table, could_violate(expectation, table, _is_inherited)
    table = conversations_of(union)
    bare = is_opened(union) & ~has_messages(union) & carries_payload(union)
    yield table, could_violate(expectation, table, _is_undirected) & bare


def _directed(union: Union, name: str, direction: str) -> EncodedTable:
    return union.remember(
        f"{direction} {name}", lambda: union.table(name).with_constant("direction", direction)
    )


def _is_no_body(leaf: Leaf) -> bool:
    return leaf.column not in BODY_COLUMNS


def _is_inherited(leaf: Leaf) -> bool:
    return leaf.column in _SHARED or leaf.column == "direction"


def _is_undirected(leaf: Leaf) -> bool:
    return leaf.column in _SHARED


def could_violate(expectation: RowExpectation, table: EncodedTable, known: Known) -> Flags:
    """Return the rows that may violate, whatever the questions that are not ``known`` answer."""
    where = expectation.where.evaluate(table, known)
    if not isinstance(expectation.item, Uniform):
        match = expectation.match.evaluate(table, known)
        if isinstance(expectation.item, Every):
            match = negate(match)
        where = np.minimum(where, match)
    flags: Flags = where != FALSE
    return flags


def _holds(table: EncodedTable, words: frozenset[str], *, absent: bool) -> Flags:
    return flags_of(table, "content", words.__contains__, absent=absent)


def _sealed(expectation: RowExpectation, program: Program, union: Union) -> frozenset[int]:
    table = conversations_of(union)
    chosen = could_violate(expectation, table, _is_undirected)
    chosen = chosen & carries_payload(union) & ~is_opened(union)
    for item in program.observe:
        if item.item.capability == "transport.opened":
            chosen = chosen & (item.where.evaluate(table) != TRUE)
    return frozenset(table.origin[chosen].tolist())
