"""Whether a capture supplies what a check must observe (design §6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from audit.checks.conditions import Leaf
from audit.checks.conversations import carries_payload, conversations_of, is_opened
from audit.checks.encoding import encode_rows
from audit.checks.program import CompiledObserve, Program, RowExpectation
from audit.checks.truth import FALSE, TRUE
from audit.checks.union import Union
from audit.tables.evidence import CaptureEvidence
from audit.tables.frames import columns_of
from audit.yamlfile.expectation import Every

HINTS: Final[Mapping[str, str]] = {
    "transport.opened": "record a passive pass with TLS keys, or an intercepted pass",
    "onion.opened": "record in the lab, whose nodes hand over their keys",
    "packets.all_interfaces": "record where namespaces are allowed; see 'audit doctor'",
    "process.attribution": "record in a sandbox of its own, or import with per-process data",
    "dns.seen": "record where namespaces are allowed; see 'audit doctor'",
    "tls.metadata": "record packets beside the proxy",
    "identifiers.planted": "give the subject's identifiers with --identity, or record anew",
}
"""What usually supplies a capability; a check's own hint goes before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """What one capture has of one capability."""

    is_there: bool
    detail: str = ""
    """What is lacking, in words."""
    limit: str | None = None
    """What a pass on it does not cover."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """Capabilities that an example declares instead of showing evidence of them.

    ``server.logs:name`` stands for one source alone.
    """

    there: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()


def supply(
    item: CompiledObserve, program: Program, union: Union, index: int, assumed: Assumptions
) -> Supply:
    """Return what capture number ``index`` has of an observed capability."""
    name = item.item.capability
    for known in (name, f"{name}:{item.item.source}"):
        if known in assumed.absent:
            return Supply(is_there=False, detail=f"{known} is absent")
    capture = union.captures[index]
    if name == "transport.opened":
        return _opened(item, union, index, assume=name in assumed.there)
    if name == "onion.opened":
        return _onion(capture)
    if name == "identifiers.planted":
        return _planted(item, program, capture)
    named = [name] if item.item.source is None else [f"{name}:{item.item.source}"]
    if item.item.source is None:
        named += [known for known in capture.capabilities if known.startswith(f"{name}:")]
    there = name in assumed.there or any(known in capture.capabilities for known in named)
    return Supply(is_there=there, detail="" if there else f"{named[0]} is absent")


def _opened(item: CompiledObserve, union: Union, index: int, *, assume: bool) -> Supply:
    table = conversations_of(union)
    counted = (
        (table.origin == index) & (item.where.evaluate(table) == TRUE) & carries_payload(union)
    )
    total = int(counted.sum())
    if total == 0:
        detail = "" if assume else "no conversation of the kind that the check observes was seen"
        return Supply(is_there=assume, detail=detail)
    opened = int((counted & is_opened(union)).sum())
    text = f"{opened} of {total} conversations could be opened"
    if opened < item.min_ratio * total:
        return Supply(is_there=False, detail=f"{text}, {item.min_ratio:.0%} are needed")
    return Supply(is_there=True)


def _onion(capture: CaptureEvidence) -> Supply:
    state = capture.onion
    if not state.keys:
        return Supply(is_there=False, detail="the keys of the onion's nodes are not in the capture")
    if state.opened < state.seen:
        detail = f"only {state.opened} of {state.seen} onion requests could be opened"
        return Supply(is_there=False, detail=detail)
    if state.sealed:
        detail = f"{state.sealed} conversations that may hold onion requests could not be opened"
        return Supply(is_there=False, detail=detail)
    limit = None if state.seen else "no onion request was seen, so nothing inside one was judged"
    return Supply(is_there=True, limit=limit)


def _planted(item: CompiledObserve, program: Program, capture: CaptureEvidence) -> Supply:
    searched = searched_kinds(program, capture.planted_kinds)
    if len(searched) >= max(1, item.min):
        return Supply(is_there=True)
    detail = (
        f"the subject has {len(searched)} kinds of identifier that the check searches for, "
        f"{max(1, item.min)} are needed"
    )
    return Supply(is_there=False, detail=detail)


def searched_kinds(program: Program, kinds: frozenset[str]) -> frozenset[str]:
    """Return those of ``kinds`` of which a hit could violate one of the check's expectations."""
    found: set[str] = set()
    names = sorted(kinds)
    columns = columns_of("identifier_hits")
    table = encode_rows("identifier_hits", columns, [{"kind": name} for name in names])
    for expectation in _over_hits(program):
        match = expectation.match.evaluate(table, _is_kind)
        if isinstance(expectation.item, Every):
            match = 2 - match
        possible = np.minimum(expectation.where.evaluate(table, _is_kind), match) != FALSE
        found |= {name for name, can in zip(names, possible, strict=True) if can}
    return frozenset(found)


def _is_kind(leaf: Leaf) -> bool:
    return leaf.column == "kind"


def _over_hits(program: Program) -> Iterator[RowExpectation]:
    for expectation in program.expect:
        if isinstance(expectation, RowExpectation) and "identifier_hits" in expectation.tables:
            yield expectation
