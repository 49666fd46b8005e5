"""Conversations that one capture leaves closed though another supplies what opens them.

A client may behave well only where it is opened. What stayed closed in a capture, whether or not it
sees all, must therefore have its counterpart, to the same recipient or role, among what was opened
elsewhere; and a capture in which some encryption was opened explains nothing that stayed closed
beside it.
"""

from __future__ import annotations

import functools
import operator
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from audit.checks.capabilities import Supply
from audit.checks.conversations import (
    carries_payload,
    conversations_of,
    flags_of,
    is_opened,
)
from audit.checks.encoding import Codes, EncodedTable, Flags
from audit.checks.program import OPENING, CompiledObserve, Program
from audit.checks.truth import FALSE
from audit.checks.union import Union
from audit.model.result import Reason

_DECRYPTED: Final = frozenset({"tls-keys", "tls-intercepted"})
_REFUSED: Final = frozenset({"pinned-refused"})
"""The client hung up on the recorder: nothing of its data was sent."""
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """What one capture leaves closed of what a check wants to see opened."""

    capture: int
    total: int
    """Conversations with payload that the check observes."""
    closed: int
    recipients: tuple[str, ...]
    """To whom those went that stayed closed."""
    unexplained: int = 0
    """Those that nothing opened elsewhere stands for, where that forbids a pass."""
    strangers: tuple[str, ...] = ()
    """To whom the unexplained ones went."""


def measure(
    program: Program, supplies: Sequence[Sequence[Supply]], union: Union
) -> tuple[Closed, ...]:
    """Return what stayed closed in each capture, where some capture supplies."""
    found: dict[Closed, None] = {}
    for item, supply in zip(program.observe, supplies, strict=True):
        if item.item.capability not in OPENING or not any(one.is_there for one in supply):
            continue
        for index in range(len(supply)):
            closed = _of_capture(item, supply, index, union)
            if closed is not None:
                found[closed] = None
    return tuple(found)


def _of_capture(
    item: CompiledObserve, supply: Sequence[Supply], index: int, union: Union
) -> Closed | None:
    table = conversations_of(union)
    chosen = (item.where.evaluate(table) != FALSE) & carries_payload(union)
    here = chosen & (table.origin == index)
    closed = here & ~is_opened(union)
    if not closed.any():
        return None
    names = _names(table, closed)
    total, count = int(here.sum()), int(closed.sum())
    if supply[index].is_there:
        # too few after all, if what the client merely claims is true
        is_short = total - count < item.min_ratio * total
        return Closed(
            capture=index,
            total=total,
            closed=count,
            recipients=names,
            unexplained=count if is_short else 0,
            strangers=names if is_short else (),
        )
    servers = _servers(union)
    opened = chosen & is_opened(union)
    others = [i for i, one in enumerate(supply) if one.is_there]
    mates = _most([Counter(servers[opened & (table.origin == i)].tolist()) for i in others])
    wanting = closed & ~(_is_refused(table) & np.isin(servers, list(mates)))
    decrypted = here & flags_of(table, "transport", _DECRYPTED.__contains__, absent=False)
    surplus = Counter(servers[wanting].tolist())
    if decrypted.any():
        is_too_much = bool(surplus)
    else:
        surplus -= mates
        is_stranger = any(key not in mates for key in surplus)
        is_too_much = is_stranger or surplus.total() > (1 - item.min_ratio) * total
    unexplained = _names(table, wanting & np.isin(servers, list(surplus)))
    return Closed(
        capture=index,
        total=total,
        closed=count,
        recipients=names,
        unexplained=surplus.total() if is_too_much else 0,
        strangers=unexplained if is_too_much else (),
    )


def _most(counts: Sequence[Counter[int]]) -> Counter[int]:
    """Return how many of each there are where there are most of it."""
    return functools.reduce(operator.or_, counts, Counter())


def _servers(union: Union) -> Codes:
    """Return a number for whom each conversation was with: the server's role, else its name."""

    def make() -> Codes:
        table = conversations_of(union)
        role, recipient = table.encoded("peer_role"), table.encoded("recipient")
        return np.where(role.codes >= 0, role.codes, len(role.distinct) + 1 + recipient.codes)

    return union.remember("servers", make)


def _is_refused(table: EncodedTable) -> Flags:
    return flags_of(table, "transport", _REFUSED.__contains__, absent=False)


def _names(table: EncodedTable, flags: Flags) -> tuple[str, ...]:
    recipient = table.encoded("recipient")
    return tuple(sorted({str(recipient.at(row)) for row in np.flatnonzero(flags).tolist()}))


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def reasons(found: Sequence[Closed], union: Union) -> Iterator[Reason]:
    """Yield a reason for each capture whose closed conversations nothing stands for."""
    for one in found:
        if one.unexplained:
            name = union.captures[one.capture].capture
            is_one = one.unexplained == 1
            what = "1 conversation" if is_one else f"{one.unexplained} conversations"
            yield Reason(
                text=f"{what} of capture {name} to {_listed(one.strangers)} could not be opened "
                f"and {'has' if is_one else 'have'} no counterpart in the opened pass",
                hint="record again, so that both passes show the same, or judge the opened pass "
                "alone",
            )


def limits(found: Sequence[Closed], union: Union) -> Iterator[str]:
    """Yield what stayed closed, a sentence a capture."""
    for one in found:
        name = union.captures[one.capture].capture
        yield (
            f"{one.closed} of {one.total} conversations of capture {name} could not be opened, "
            f"to {_listed(one.recipients)}"
        )
