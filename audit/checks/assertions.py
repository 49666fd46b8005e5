"""Which rows violate an expectation, and of which nobody can say."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from audit.checks.conditions import AllOf, Condition, Leaf, Not
from audit.checks.conversations import is_proven
from audit.checks.encoding import EncodedTable
from audit.checks.places import reads_records_alone
from audit.checks.program import CompiledExpectation, FieldRef, JoinExpectation, RowExpectation
from audit.checks.truth import FALSE, TRUE, UNKNOWN, Truths, negate
from audit.checks.union import Union
from audit.yamlfile.expectation import Every, NoneOf, Some, Uniform

Rows = NDArray[np.intp]
"""Numbers of rows in a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """What became of one expectation."""

    expectation: CompiledExpectation
    table: EncodedTable
    """Table of the violating rows; of a join, the right one."""
    violating: Rows
    undecided: Rows
    """Rows that violate or not, depending on what the evidence does not say."""
    excused: Rows
    """Rows of a ``none`` that only its own ``not`` keeps from violating."""
    is_short: bool = False
    """``some``: fewer rows than demanded."""
    left: EncodedTable | None = None
    """Of a join, the left table."""
    partners: dict[int, int] = field(default_factory=dict)
    """Of a join: violating row -> its left row."""
    unkeyed: int = 0
    """Of a join: left rows without a key, which nothing can be compared with."""

    @property
    def rests_on_traffic(self) -> bool:
        """Whether traffic that nobody saw or read could change what became of it.

        A ``some`` that has its rows needs no more, and records of servers are no traffic.
        """
        has_enough = isinstance(self.expectation.item, Some) and not self.is_short
        return not has_enough and not reads_records_alone(self.expectation)


_NO_ROWS = np.empty(0, dtype=np.intp)


def apply(expectation: CompiledExpectation, union: Union) -> Tested:
    """Apply one expectation to the rows of all captures."""
    if isinstance(expectation, JoinExpectation):
        return _no_join(expectation, union)
    table = union.table(expectation.item.from_)
    if isinstance(expectation.item, Uniform):
        return _uniform(expectation, table)
    if isinstance(expectation.item, Some):
        return _some(expectation, table)
    truths = violation(expectation, table)
    return Tested(
        expectation=expectation,
        table=table,
        violating=np.flatnonzero(truths == TRUE),
        undecided=np.flatnonzero(truths == UNKNOWN),
        excused=_excused(expectation, table),
    )


def violation(expectation: RowExpectation, table: EncodedTable) -> Truths:
    """Return, for each row, whether it violates a ``none`` or ``every``."""
    where = expectation.where.evaluate(table)
    match = expectation.match.evaluate(table, alive=where != FALSE)
    if isinstance(expectation.item, Every):
        match = negate(match)
    return np.minimum(where, match)


def _excused(expectation: RowExpectation, table: EncodedTable) -> Rows:
    """Return the rows that would violate were it not for a ``not`` in ``match``."""
    if not isinstance(expectation.item, NoneOf):
        return _NO_ROWS
    node = expectation.match.node
    if not isinstance(node, AllOf):
        return _NO_ROWS
    excuses = [part for part in node.parts if isinstance(part, Not) or _is_negated(part)]
    if not excuses or len(excuses) == len(node.parts):
        return _NO_ROWS
    rest = AllOf(tuple(part for part in node.parts if part not in excuses))
    where = expectation.where.evaluate(table)
    alive = where == TRUE
    harm = np.minimum(
        where, Condition(table=expectation.match.table, node=rest).evaluate(table, alive=alive)
    )
    held = expectation.match.evaluate(table, alive=alive)
    return np.flatnonzero((harm == TRUE) & (held == FALSE))


def _is_negated(part: object) -> bool:
    return isinstance(part, Leaf) and part.is_negated


def _some(expectation: RowExpectation, table: EncodedTable) -> Tested:
    where = expectation.where.evaluate(table)
    truths = np.minimum(where, expectation.match.evaluate(table, alive=where != FALSE))
    truths = np.minimum(truths, _believed(table))
    missing = expectation.min - int(np.count_nonzero(truths == TRUE))
    undecided = np.flatnonzero(truths == UNKNOWN)
    return Tested(
        expectation=expectation,
        table=table,
        violating=_NO_ROWS,
        undecided=undecided if 0 < missing <= len(undecided) else _NO_ROWS,
        excused=_NO_ROWS,
        is_short=missing > 0,
    )


def combined_codes(table: EncodedTable, fields: tuple[FieldRef, ...], rows: Rows) -> Rows:
    """Return a number a row that is the same where all fields are (absent equals absent)."""
    import pandas as pd

    codes = np.zeros(len(rows), dtype=np.int64)
    for item in fields:
        encoded = table.encoded(item.column, item.path)
        codes, _ = pd.factorize(codes * (len(encoded.distinct) + 1) + encoded.codes[rows] + 1)
    return codes.astype(np.intp, copy=False)


def _uniform(expectation: RowExpectation, table: EncodedTable) -> Tested:
    import pandas as pd

    truths = expectation.where.evaluate(table)
    rows = np.flatnonzero(truths == TRUE)
    field_ = expectation.field
    if field_ is None:
        raise TypeError("a uniform expectation has a field")
    groups = combined_codes(table, expectation.group_by, rows)
    values = table.encoded(field_.column, field_.path)
    width = len(values.distinct) + 1
    pairs = pd.unique(groups * width + values.codes[rows] + 1) // width
    several = np.flatnonzero(np.bincount(pairs) > 1) if len(pairs) else _NO_ROWS
    return Tested(
        expectation=expectation,
        table=table,
        violating=rows[np.isin(groups, several)],
        undecided=np.flatnonzero(truths == UNKNOWN),
        excused=_NO_ROWS,
    )


def _no_join(expectation: JoinExpectation, union: Union) -> Tested:
    left = union.table(expectation.item.left.from_)
    right = union.table(expectation.item.right.from_)
    left_truths = np.minimum(expectation.left_where.evaluate(left), _believed(left))
    right_truths = expectation.right_where.evaluate(right)
    sure = _first_rows(left, expectation.left_key, np.flatnonzero(left_truths == TRUE))
    possible = _first_rows(left, expectation.left_key, np.flatnonzero(left_truths != FALSE))
    held = left.encoded(expectation.left_key.column, expectation.left_key.path).codes >= 0
    key = expectation.right_key
    partners: dict[int, int] = {}
    undecided: list[int] = []
    encoded = right.encoded(key.column, key.path)
    for row in np.flatnonzero(right_truths != FALSE).tolist():
        value = _hashable(encoded.at(row))
        if value is None or value not in possible:
            continue
        if right_truths[row] == TRUE and value in sure:
            partners[row] = sure[value]
        else:
            undecided.append(row)
    return Tested(
        expectation=expectation,
        table=right,
        violating=np.array(sorted(partners), dtype=np.intp),
        undecided=np.array(undecided, dtype=np.intp),
        excused=_NO_ROWS,
        left=left,
        partners=partners,
        unkeyed=int(np.count_nonzero((left_truths != FALSE) & ~held)) if right.size else 0,
    )


def _believed(table: EncodedTable) -> Truths:
    """Return which rows are borne out: an event that nothing proves is somebody's word."""
    if table.name != "events":
        return np.full(table.size, TRUE, dtype=np.int8)
    return np.where(is_proven(table), TRUE, UNKNOWN).astype(np.int8)


def _first_rows(table: EncodedTable, key: FieldRef, rows: Rows) -> dict[object, int]:
    """Return, for each key, the row that a message names, whatever the order of rows."""
    encoded = table.encoded(key.column, key.path)
    found: dict[object, int] = {}
    for row in rows.tolist():
        value = _hashable(encoded.at(row))
        if value is None:
            continue
        known = found.get(value)
        if known is None or _age_key(table, row) < _age_key(table, known):
            found[value] = row
    return found


def _age_key(table: EncodedTable, row: int) -> tuple[int, str, str]:
    moment = table.value("ts", row)
    return (moment or 0, str(table.value("capture", row)), str(table.value("ref", row)))


def _hashable(value: object) -> object:
    return repr(value) if isinstance(value, dict | list) else value
