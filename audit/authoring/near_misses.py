"""Which sample rows a check and its mutant answer differently, found for all rows at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from audit.authoring.example_evidence import AS_OF, ExampleEvidence
from audit.authoring.mutation import Survivor
from audit.checks.assertions import violation
from audit.checks.compiling import compile_check
from audit.checks.encoding import EncodedTable, encode_frames
from audit.checks.faults import Faults
from audit.checks.policy import LoadedCheck, Policy, Target
from audit.checks.program import JoinExpectation, Program
from audit.checks.truth import FALSE, Truths, full
from audit.yamlfile.check import Example
from audit.yamlfile.expectation import Every, NoneOf
from audit.yamlfile.problem import PolicyFileError

Row = dict[str, Any]
MOST_FOUND = 40
"""Rows that are given back, at most."""


def differing(
    survivor: Survivor, policy: Policy, target: Target, table: str, rows: list[Row]
) -> list[Row]:
    """Return rows that one of the two counts and the other does not; some of all if none does.

    Which part of the check they are asked of is said by the mutant's place.
    """
    rows = [row for row in rows if row.get("process") != "control"]
    data = {"name": "samples", "verdict": "pass", "rows": {table: rows}}
    try:
        evidence = ExampleEvidence(
            policy, target, survivor.check, Example.model_validate(data), as_of=AS_OF
        )
        encoded = encode_frames(table, [evidence.capture().tables[table]])
    except PolicyFileError:
        return rows[:MOST_FOUND]
    path = survivor.mutant.path
    item: Any = survivor.check.located.value(path[:2])
    part, name = str(path[0]), item.get("id") or item.get("because")
    one = _truths(_compiled(survivor.check, policy, evidence.target), part, name, encoded)
    other = _truths(_compiled(survivor.mutated, policy, evidence.target), part, name, encoded)
    if one is None or other is None:
        return rows[:MOST_FOUND]
    found = [rows[index] for index in np.flatnonzero(one != other).tolist()]
    return sorted(found, key=len)[:MOST_FOUND]


def _compiled(check: LoadedCheck, policy: Policy, target: Target) -> Program:
    return compile_check(check, policy, target, AS_OF, Faults())


def _truths(program: Program, part: str, name: object, table: EncodedTable) -> Truths | None:
    """Return what a part of a check answers for each row; of a part that is gone, *false*."""
    if part == "expect":
        for expectation in program.expect:
            if expectation.item.id != name:
                continue
            if isinstance(expectation, JoinExpectation):
                return None
            if isinstance(expectation.item, NoneOf | Every):
                return violation(expectation, table)
            truths: Truths = np.minimum(
                expectation.where.evaluate(table), expectation.match.evaluate(table)
            )
            return truths
    for exercise in program.exercise if part == "exercise" else ():
        if exercise.item.id == name:
            return exercise.where.evaluate(table)
    for unsure in program.unsure if part == "unsure" else ():
        if unsure.item.because == name:
            return unsure.where.evaluate(table)
    for report in program.report if part == "report" else ():
        if report.item.id == name:
            return report.where.evaluate(table)
    return full(table.size, FALSE)
