"""Bodies that were cut or could not be decoded: they touch what reads bodies of their direction.

One sloppy answer of a server must not take the ground from under a check that reads names, counts,
or only what the client sent. What a tap as a whole lost is another matter (:mod:`.doubts`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from audit.checks.assertions import Tested
from audit.checks.conditions import Leaf
from audit.checks.encoding import encode_rows
from audit.checks.opacity import could_violate, reads_bodies
from audit.checks.program import BODY_COLUMNS, Program, RowExpectation
from audit.checks.union import Union
from audit.model.result import Reason
from audit.tables.frames import columns_of
from audit.tables.vocabulary import Direction

_BOTH: Final[frozenset[Direction]] = frozenset({"sent", "received"})
_OF_TABLE: Final[dict[str, frozenset[Direction]]] = {
    "http_requests": frozenset({"sent"}),
    "http_responses": frozenset({"received"}),
}
_SHOWN: Final = 5


def reasons(program: Program, tested: Sequence[Tested], union: Union) -> Iterator[Reason]:
    """Yield a reason for bodies that the check reads and that were not read to their end."""
    directions = _of_unsure(program).union(*map(_read, tested))
    for capture in union.captures:
        texts = [body.text for body in capture.unread if body.direction in directions]
        for text in texts[:_SHOWN]:
            yield Reason(
                text=f"in capture {capture.capture} a body was not read whole: {text}",
                hint="record again",
            )
        if len(texts) > _SHOWN:
            count = len(texts) - _SHOWN
            yield Reason(text=f"in capture {capture.capture} {count} more were not read whole")


def _read(one: Tested) -> frozenset[Direction]:
    """Return the directions of bodies that an expectation rests on."""
    expectation = one.expectation
    if not isinstance(expectation, RowExpectation):
        return _BOTH
    if not reads_bodies(expectation) or not one.rests_on_traffic:
        return frozenset()
    name = expectation.item.from_
    if name in _OF_TABLE:
        return _OF_TABLE[name]
    if "direction" not in columns_of(name):
        return _BOTH
    found: set[Direction] = set()
    for direction in sorted(_BOTH):
        table = encode_rows(name, columns_of(name), [{"direction": direction}])
        if could_violate(expectation, table, _is_direction).any():
            found.add(direction)
    return frozenset(found)


def _of_unsure(program: Program) -> frozenset[Direction]:
    for unsure in program.unsure:
        columns = {leaf.column for leaf in unsure.where.leaves()}
        if unsure.item.from_ == "identifier_hits" or columns & BODY_COLUMNS:
            return _BOTH
    return frozenset()


def _is_direction(leaf: Leaf) -> bool:
    return leaf.column == "direction"
