"""What a check makes of real evidence, key by key: the cure for "why did it not fire"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np

from audit.checks import capabilities
from audit.checks.assertions import apply
from audit.checks.capabilities import Assumptions
from audit.checks.conditions import AllOf, AnyOf, Condition, Leaf, Node, Not
from audit.checks.encoding import EncodedTable
from audit.checks.evaluate import Judge
from audit.checks.exercise import exercised
from audit.checks.fingerprints import Redact
from audit.checks.policy import LoadedCheck, Policy, Target
from audit.checks.program import CompiledExpectation, JoinExpectation, Program
from audit.checks.truth import TRUE, UNKNOWN, Truths, full
from audit.checks.union import Union
from audit.tables.evidence import CaptureEvidence
from audit.yamlfile.expectation import Every

_WIDTH = 58


def try_check(
    policy: Policy,
    target: Target,
    check: LoadedCheck,
    captures: Sequence[CaptureEvidence],
    as_of: datetime,
    redact: Redact,
) -> Iterator[str]:
    """Yield, a line each, what every part of a check finds in the captures.

    Two counts stand beside a key: rows that it holds for by itself, and rows left after it and all
    keys before it. Raises :class:`PolicyError` where a target's value does not fit.
    """
    union = Union(captures)
    judge = Judge(policy, target, union, as_of, redact)
    verdict, reported = judge.check(check)
    program = judge.compile(check)
    yield f"{check.file.id}: {verdict.outcome}"
    yield from (f"  because {redact(reason.text)}" for reason in verdict.reasons)
    yield from _observed(program, union)
    yield from _exercised(program, union)
    for expectation in program.expect:
        yield from _expectation(expectation, union)
    for unsure in program.unsure:
        table = union.table(unsure.item.from_)
        yield f"unsure ({unsure.item.because}): {table.size} rows of {table.name}"
        yield from _keys(unsure.where, table, full(table.size, TRUE), "where")
    for entry in reported:
        yield f"report {entry['id']}: {entry['count']} rows"
    for finding in verdict.findings:
        yield f"finding {finding.fingerprint[:12]}: {finding.message} ({finding.count} rows)"


def _observed(program: Program, union: Union) -> Iterator[str]:
    for item in program.observe:
        for index, capture in enumerate(union.captures):
            found = capabilities.supply(item, program, union, index, Assumptions())
            state = "there" if found.is_there else f"absent: {found.detail}"
            yield f"observe {item.item.capability} in {capture.capture}: {state}"


def _exercised(program: Program, union: Union) -> Iterator[str]:
    everywhere = range(len(union.captures))
    for item in program.exercise:
        found = exercised(item, union, everywhere, program.as_of)
        yield f"exercise {item.item.id}: {'done' if found.is_met else f'lacking: {found.lacking}'}"
        if item.item.from_ is not None:
            table = union.table(item.item.from_)
            yield from _keys(item.where, table, full(table.size, TRUE), "where")


def _expectation(expectation: CompiledExpectation, union: Union) -> Iterator[str]:
    item = expectation.item
    tested = apply(expectation, union)
    if isinstance(expectation, JoinExpectation):
        for side, where in (("left", expectation.left_where), ("right", expectation.right_where)):
            table = union.table(where.table)
            yield f"expect {item.id} ({side}): {table.size} rows of {table.name}"
            yield from _keys(where, table, full(table.size, TRUE), "where")
    else:
        table = union.table(expectation.item.from_)
        yield f"expect {item.id} ({item.assert_}): {table.size} rows of {table.name}"
        left = full(table.size, TRUE)
        yield from _keys(expectation.where, table, left, "where")
        left = np.minimum(left, expectation.where.evaluate(table))
        yield from _keys(expectation.match, table, left, "match")
    violating = f"{len(tested.violating)} violate"
    if isinstance(item, Every):
        violating += " (where, and not all of match)"
    if tested.is_short:
        violating = "too few rows"
    yield f"  = {violating}, {len(tested.undecided)} cannot be decided"


def _keys(condition: Condition, table: EncodedTable, left: Truths, word: str) -> Iterator[str]:
    """Yield a line for each key: rows that it holds for, and rows left after it."""
    node = condition.node
    for part in node.parts if isinstance(node, AllOf) else (node,):
        truths = _truths(part, condition.table, table)
        left = np.minimum(left, truths)
        yield _line(f"  {word} {_name(part)}", truths, left)
        yield from _inner(part, condition.table, table, "    ")


def _inner(node: Node, name: str, table: EncodedTable, indent: str) -> Iterator[str]:
    parts = node.parts if isinstance(node, AllOf | AnyOf) else ()
    if isinstance(node, Not):
        parts = node.part.parts if isinstance(node.part, AllOf) else (node.part,)
    for part in parts:
        yield _line(f"{indent}{_name(part)}", _truths(part, name, table), None)
        yield from _inner(part, name, table, indent + "  ")


def _truths(node: Node, name: str, table: EncodedTable) -> Truths:
    return Condition(table=name, node=node).evaluate(table)


def _name(node: Node) -> str:
    if isinstance(node, Leaf):
        return node.text if node.shown is None else f"{node.text}: {node.shown}"
    if isinstance(node, Not):
        return "not"
    if isinstance(node, AnyOf):
        return "any"
    return " and ".join(map(_name, node.parts)) if node.parts else "(no condition)"


def _line(name: str, truths: Truths, left: Truths | None) -> str:
    text = f"{_short(name):<{_WIDTH}} {int(np.count_nonzero(truths == TRUE)):>8}"
    undecided = int(np.count_nonzero(truths == UNKNOWN))
    if left is not None:
        text += f" {int(np.count_nonzero(left == TRUE)):>8} left"
    return text + (f"  ({undecided} undecided)" if undecided else "")


def _short(text: str) -> str:
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"
