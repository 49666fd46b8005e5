"""Conditions over the rows of one table: the grammar of the check language, compiled.

::

    cond  := { key: value, ... }                 all keys must hold
    key   := field ('|' modifier)*  | any | all | not
    field := column ('.' json-key)*              dotted path into JSON columns only
    value := scalar | [scalar, ...]              a list: one of them
    any, all := [cond, ...]     not := cond
    ${name}  := a whole scalar, typed, may be a list
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from audit.checks.encoding import EncodedTable, Flags, descend, document, encode_frames
from audit.checks.faults import Faults
from audit.checks.keys import read_key
from audit.checks.operands import NANOSECONDS
from audit.checks.predicates import Question
from audit.checks.scope import ColumnScope
from audit.checks.truth import FALSE, TRUE, UNKNOWN, Truth, Truths, full, negate
from audit.checks.variables import Variables
from audit.errors import PolicyError
from audit.tables.frames import Row, columns_of
from audit.tables.vocabulary import CLAIMED

if TYPE_CHECKING:
    import pandas as pd

    from audit.checks.lists import NamedList


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One key of a condition: a question on one column."""

    column: str
    path: tuple[str, ...]
    """Into a JSON column."""
    question: Question
    text: str
    """The key as written."""
    shown: str | None = None
    """What it is compared with, as written; ``None``: not kept."""
    is_document: bool = False
    """Whether the question is on the data of a whole JSON column."""
    is_of_nothing: bool = False
    """Whether a variable that is an empty list is all that it is compared with."""

    @property
    def asks_existence(self) -> bool:
        """Whether it asks for a value, not what the value is."""
        return "exists" in self.text.split("|")

    @property
    def is_negated(self) -> bool:
        """Whether ``not`` stands among its modifiers."""
        return "not" in self.text.split("|")[1:]

    @property
    def names_nobody(self) -> bool:
        """Whether, of a process, it asks for rows of which nobody knows whose they are."""
        return (self.question.ask(NOBODY) == TRUE) is not self.is_negated

    @property
    def reads_json(self) -> bool:
        """Whether it looks into documents: those are parsed only where the answer counts."""
        return self.is_document or bool(self.path)

    def evaluate(self, table: EncodedTable, alive: Flags | None = None) -> Truths:
        """Return the answer for each row; the question is asked once a distinct value.

        Where a name or role is the client's word alone, what it answers beside an absent one is
        undecided, and so is whose traffic it is where nobody knows, unless that is the question.
        Rows that are not ``alive`` may get any answer.
        """
        if self.reads_json:
            encoded = table.inside(self.column, self.path, alive)
        else:
            encoded = table.encoded(self.column)
        answers = np.empty(len(encoded.distinct) + 1, dtype=np.int8)
        ask = self.question.ask
        for code, value in enumerate(encoded.distinct):
            answers[code] = ask(value)
        answers[-1] = self.question.absent
        truths: Truths = answers[encoded.codes]
        if not self.asks_existence:
            self._leave_open(table, encoded.codes, truths)
        return truths

    def _leave_open(self, table: EncodedTable, codes: np.ndarray[Any, Any], truths: Truths) -> None:
        """Set the answers to *undecided* that rest on what nothing bears out."""
        if self.column in {"host", "owner"}:
            truths[_is_claimed(table) & (truths != self.question.absent)] = UNKNOWN
        elif self.column == "recipient":
            address = self._answers(table, "responder_ip")
            truths[_is_claimed(table) & (truths != address)] = UNKNOWN
        elif self.column == "peer_role":
            differs = self._answers(table, "claimed_role") != self.question.absent
            truths[differs & (codes < 0)] = UNKNOWN
        elif self.column == "process" and not self.names_nobody:
            encoded = table.encoded("process")
            unknown = np.array([word == NOBODY for word in encoded.distinct] + [False])
            truths[unknown[encoded.codes]] = UNKNOWN

    def _answers(self, table: EncodedTable, column: str) -> Truths:
        """Return what the question would answer of another column."""
        encoded = table.encoded(column)
        said = [self.question.ask(value) for value in encoded.distinct]
        answers: Truths = np.array([*said, self.question.absent], dtype=np.int8)[encoded.codes]
        return answers


def _is_claimed(table: EncodedTable) -> Flags:
    basis = table.encoded("host_basis")
    flags: Flags = np.array([word == CLAIMED for word in basis.distinct] + [False])[basis.codes]
    return flags


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds; without parts it holds."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Node


Node = Leaf | AllOf | AnyOf | Not
Known = Callable[[Leaf], bool]
"""Whether a leaf may be asked; of the others the answer is taken as unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mask:
    """The three-valued answer of a condition for each row of a frame."""

    true: np.ndarray[tuple[int], np.dtype[np.bool_]]
    unknown: np.ndarray[tuple[int], np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A compiled condition."""

    table: str
    node: Node
    variables: frozenset[str] = field(default_factory=frozenset)
    """Variables that it reads."""
    lists: frozenset[str] = field(default_factory=frozenset)
    """Named lists that it reads."""
    unset: frozenset[str] = field(default_factory=frozenset)
    """Variables that it reads and nothing sets: their keys are undecided for every row."""

    def evaluate(
        self, table: EncodedTable, known: Known | None = None, alive: Flags | None = None
    ) -> Truths:
        """Return a truth a row; keys that are not ``known`` count as undecided.

        Rows that are not ``alive`` may get any truth: the caller does not look at them.
        """
        return _evaluate(self.node, table, known, alive)

    def mask(self, frame: pd.DataFrame) -> Mask:
        """Return the answer for each row of a frame of the condition's table.

        Rows of the recorder's own controls never hold.
        """
        kept = (frame["process"] != "control").to_numpy(dtype=bool)
        truths = full(len(frame), FALSE)
        truths[kept] = self.evaluate(encode_frames(self.table, [frame]))
        return Mask(true=truths == TRUE, unknown=truths == UNKNOWN)

    def of(self, row: Row) -> Truth:
        """Return the truth for one row, its values being of their columns' types."""
        return _of(self.node, row)

    def leaves(self) -> Iterator[Leaf]:
        """Yield every key."""
        yield from _leaves(self.node)


NOBODY: Final = "unknown"
"""Word of the column ``process`` where nobody knows whose traffic a row is."""
ALWAYS: Final = AllOf(())
"""The node of an absent condition."""


def _leaves(node: Node) -> Iterator[Leaf]:
    if isinstance(node, Leaf):
        yield node
    elif isinstance(node, Not):
        yield from _leaves(node.part)
    else:
        for part in node.parts:
            yield from _leaves(part)


def _of(node: Node, row: Row) -> Truth:
    if isinstance(node, Leaf):
        value = row.get(node.column)
        if node.path or node.is_document:
            value = descend(document(value), node.path)
        truth = node.question.ask(value)
        if not node.asks_existence and _is_open(node, row, truth):
            return UNKNOWN
        return truth
    if isinstance(node, Not):
        return TRUE - _of(node.part, row)
    truths = (_of(part, row) for part in node.parts)
    if isinstance(node, AllOf):
        return min(truths, default=TRUE)
    return max(truths, default=FALSE)


def _is_open(leaf: Leaf, row: Row, truth: Truth) -> bool:
    """Whether the answer for one row rests on what nothing bears out."""
    absent = leaf.question.absent
    if leaf.column == "process":
        return row.get("process") == NOBODY and not leaf.names_nobody
    if leaf.column == "peer_role":
        said = leaf.question.ask(row.get("claimed_role"))
        return row.get("peer_role") is None and said != absent
    if row.get("host_basis") != CLAIMED:
        return False
    if leaf.column == "recipient":
        return truth != leaf.question.ask(row.get("responder_ip"))
    return leaf.column in {"host", "owner"} and truth != absent


def _evaluate(node: Node, table: EncodedTable, known: Known | None, alive: Flags | None) -> Truths:
    if isinstance(node, Leaf):
        if known is not None and not known(node):
            return full(table.size, UNKNOWN)
        return node.evaluate(table, alive)
    if isinstance(node, Not):
        return negate(_evaluate(node.part, table, known, alive))
    conjunction = isinstance(node, AllOf)
    settled = FALSE if conjunction else TRUE
    truths = full(table.size, TRUE if conjunction else FALSE)
    combine = np.minimum if conjunction else np.maximum
    for part in sorted(node.parts, key=_reads_json):
        open_ = truths != settled
        left = open_ if alive is None else open_ & alive
        combine(truths, _evaluate(part, table, known, left), out=truths)
    return truths


def _reads_json(node: Node) -> bool:
    return any(leaf.reads_json for leaf in _leaves(node))


def compile_condition(
    cond: Mapping[str, object] | None,
    table: str,
    variables: Variables,
    lists: Mapping[str, NamedList],
    as_of: datetime | None = None,
    roles: frozenset[str] = frozenset(),
) -> Condition:
    """Compile a condition; raises :class:`PolicyError` for the first mistake in it.

    ``as_of`` is the moment that ages count from (aware); without it, ages are undecided.
    """
    scope = ColumnScope(
        table=table,
        columns=columns_of(table),
        variables=variables,
        lists=lists,
        as_of_ns=nanoseconds(as_of),
        roles=roles,
    )
    faults = Faults()
    condition = build_condition(cond, scope, faults)
    if faults.found:
        first = faults.found[0]
        raise PolicyError(
            first.message, source=".".join(map(str, first.path)) or None, hint=first.hint
        )
    return condition


def nanoseconds(moment: datetime | None) -> int | None:
    """Return nanoseconds since 1970 UTC."""
    if moment is None:
        return None
    moment = moment.astimezone(UTC)
    return int(moment.timestamp()) * NANOSECONDS + moment.microsecond * 1000


def build_condition(cond: object, scope: ColumnScope, faults: Faults) -> Condition:
    """Compile a condition as far as it goes, noting every mistake in ``faults``."""
    node = ALWAYS if cond is None else _condition(cond, scope, faults)
    return Condition(
        table=scope.table,
        node=node,
        variables=frozenset(scope.read),
        lists=frozenset(scope.lists_read),
        unset=frozenset(scope.unset),
    )


def _condition(cond: object, scope: ColumnScope, faults: Faults) -> Node:
    if not isinstance(cond, dict):
        faults.add("E120", "a condition is a mapping of columns to values")
        return ALWAYS
    parts: list[Node] = []
    for key, value in cond.items():
        inner = faults.under(key)
        if key == "not":
            parts.append(Not(_condition(value, scope, inner)))
        elif key in {"any", "all"}:
            parts.append(_group(key, value, scope, inner))
        else:
            leaf = _leaf(key, value, scope, inner)
            if leaf is not None:
                parts.append(leaf)
    return AllOf(tuple(parts))


def _group(key: str, value: object, scope: ColumnScope, faults: Faults) -> Node:
    if not isinstance(value, list) or not value:
        faults.add("E120", f"'{key}' takes a list of conditions")
        return ALWAYS
    parts = tuple(_condition(item, scope, faults.under(index)) for index, item in enumerate(value))
    return AllOf(parts) if key == "all" else AnyOf(parts)


def _leaf(key: str, value: object, scope: ColumnScope, faults: Faults) -> Leaf | None:
    chain = read_key(key, scope, faults)
    if chain is None:
        return None
    question = chain.question(value, scope, faults)
    if question is None:
        return None
    return Leaf(
        column=chain.column,
        path=chain.path,
        question=question,
        text=key,
        shown=_shown(value),
        is_document=chain.type == "json",
        is_of_nothing=chain.compares_with_nothing(value, scope),
    )


def _shown(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_shown, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value) or "''"
