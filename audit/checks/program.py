"""A check, compiled for one target: names resolved, conditions ready to be asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from audit.checks.conditions import Condition, Node
from audit.checks.places import reads_records_alone
from audit.checks.policy import LoadedCheck
from audit.tables.column import ColumnType
from audit.tables.rows import TABLES, TrafficRow
from audit.yamlfile.check import Exercise, Observe, Report, Unsure
from audit.yamlfile.expectation import Every, NoJoin, NoneOf, Some, Uniform

TRAFFIC_TABLES: frozenset[str] = frozenset(
    name for name, model in TABLES.items() if issubclass(model, TrafficRow)
)
"""Tables of what went over the network."""
BODY_COLUMNS: frozenset[str] = frozenset({"json"})
"""Columns that only a readable body fills."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRef:
    """A column, or a path into a JSON column, of one table."""

    table: str
    column: str
    path: tuple[str, ...]
    type: ColumnType
    """Of the column."""
    text: str
    """As written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Sentence with columns in braces."""

    pieces: tuple[str | FieldRef, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledObserve:
    """A capability that is needed."""

    item: Observe
    where: Condition
    min_ratio: float
    min: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledExercise:
    """Something that must have happened."""

    item: Exercise
    actions: tuple[str, ...]
    """What must have been done, after the cut."""
    cut: tuple[str, ...]
    """What the journey asks for and this client cannot do."""
    age_s: float | None
    where: Condition
    min: int
    max: int | None
    distinct: FieldRef | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowExpectation:
    """``none`` ``every`` ``some`` ``uniform``: an assertion over the rows of one table."""

    item: NoneOf | Every | Some | Uniform
    where: Condition
    match: Condition
    min: int
    """``some`` only."""
    group_by: tuple[FieldRef, ...]
    """``uniform`` only."""
    field: FieldRef | None
    """``uniform`` only."""
    identity: tuple[FieldRef, ...]
    message: Message

    @property
    def tables(self) -> tuple[str, ...]:
        """Tables that it reads."""
        return (self.item.from_,)


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinExpectation:
    """``no_join``: an assertion over two tables."""

    item: NoJoin
    left_where: Condition
    right_where: Condition
    left_key: FieldRef
    right_key: FieldRef
    identity: tuple[FieldRef, ...]
    message: Message

    @property
    def tables(self) -> tuple[str, ...]:
        """Tables that it reads."""
        return (self.item.left.from_, self.item.right.from_)


CompiledExpectation = RowExpectation | JoinExpectation


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledUnsure:
    """Rows that make the answer uncertain."""

    item: Unsure
    where: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledReport:
    """Rows that are shown."""

    item: Report
    where: Condition
    columns: tuple[FieldRef, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A check, ready to be judged."""

    check: LoadedCheck
    as_of: datetime
    """What ages count to."""
    observe: tuple[CompiledObserve, ...]
    exercise: tuple[CompiledExercise, ...]
    expect: tuple[CompiledExpectation, ...]
    unsure: tuple[CompiledUnsure, ...]
    report: tuple[CompiledReport, ...]
    variables: frozenset[str]
    """Variables that it reads."""
    unset: frozenset[str]
    """Those among them that nothing sets."""

    @property
    def tables(self) -> frozenset[str]:
        """Tables that a verdict rests on."""
        return frozenset(self._tables())

    def _tables(self) -> Iterator[str]:
        for expectation in self.expect:
            yield from expectation.tables
        for exercise in self.exercise:
            if exercise.item.from_ is not None:
                yield exercise.item.from_
        for unsure in self.unsure:
            yield unsure.item.from_

    @property
    def columns(self) -> frozenset[tuple[str, str]]:
        """Table and column of everything that a verdict asks."""
        asked = {
            (condition.table, leaf.column)
            for condition in self._conditions()
            for leaf in condition.leaves()
        }
        return frozenset(asked | {(field.table, field.column) for field in self._fields()})

    def _fields(self) -> Iterator[FieldRef]:
        for expectation in self.expect:
            if isinstance(expectation, JoinExpectation):
                yield from (expectation.left_key, expectation.right_key)
            else:
                yield from expectation.group_by
                if expectation.field is not None:
                    yield expectation.field
        yield from (item.distinct for item in self.exercise if item.distinct is not None)

    def _conditions(self) -> Iterator[Condition]:
        for expectation in self.expect:
            if isinstance(expectation, JoinExpectation):
                yield from (expectation.left_where, expectation.right_where)
            else:
                yield from (expectation.where, expectation.match)
        for exercise in self.exercise:
            if exercise.item.from_ is not None:
                yield exercise.where
        yield from (unsure.where for unsure in self.unsure)

    def harmful(self) -> Iterator[tuple[Node, bool]]:
        """Yield the conditions that a row must meet (``True``), or fail, to forbid a pass."""
        for expectation in self.expect:
            if isinstance(expectation, JoinExpectation):
                yield expectation.left_where.node, True
                yield expectation.right_where.node, True
            elif not isinstance(expectation.item, Some):
                yield expectation.where.node, True
                yield expectation.match.node, not isinstance(expectation.item, Every)
        yield from ((one.where.node, True) for one in self.unsure)
        yield from ((one.where.node, True) for one in self.exercise if one.max is not None)

    @property
    def rests_on(self) -> frozenset[str]:
        """Tables without which a verdict would say more than was looked at."""
        capabilities = {item.item.capability for item in self.observe}
        if "identifier_hits" in self.tables or capabilities & OPENING:
            return self.tables | _BESIDE_HITS
        return self.tables

    @property
    def reads_traffic(self) -> bool:
        """Whether a verdict rests on what the taps recorded, not on records of servers alone."""
        read = {name for one in self.expect if not reads_records_alone(one) for name in one.tables}
        read |= {one.item.from_ for one in self.exercise if one.item.from_ is not None}
        read |= {one.item.from_ for one in self.unsure}
        capabilities = {item.item.capability for item in self.observe}
        return bool(read & TRAFFIC_TABLES or capabilities & TAPPED)


_BESIDE_HITS = frozenset(
    {"conversations", "dns_queries", "http_requests", "http_responses", "websocket_messages"}
)
"""Tables that say what of the traffic could be opened and read."""
OPENING = frozenset({"transport.opened", "onion.opened"})
"""Capabilities that say of conversations whether their bytes could be had."""
TAPPED = frozenset(
    {"transport.opened", "onion.opened", "packets.all_interfaces", "dns.seen", "tls.metadata"}
)
"""Capabilities that a tap supplies."""
