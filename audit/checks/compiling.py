"""From a check file to a :class:`Program`, noting every name that means nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from audit.checks.conditions import Condition, build_condition, nanoseconds
from audit.checks.faults import Faults
from audit.checks.identity import IDENTITY
from audit.checks.keys import read_field
from audit.checks.policy import LoadedCheck, Policy, Target
from audit.checks.program import (
    CompiledExercise,
    CompiledExpectation,
    CompiledObserve,
    CompiledReport,
    CompiledUnsure,
    FieldRef,
    JoinExpectation,
    Message,
    Program,
    RowExpectation,
)
from audit.checks.scope import ColumnScope
from audit.checks.variables import MISSING, VariableError, Variables, check_type, name_of
from audit.tables.frames import columns_of
from audit.tables.rows import TABLES
from audit.yamlfile.check import Exercise, Observe, Report
from audit.yamlfile.expectation import Expectation, NoJoin, Some, Uniform
from audit.yamlfile.problem import did_you_mean
from audit.yamlfile.shape import is_variable
from audit.yamlfile.units import parse_duration

_BRACES = re.compile(r"\{([^{}]*)\}")
_FALLBACK = "events"
"""Stands in for a table that does not exist, so that the rest of a check is still read."""


def compile_check(
    check: LoadedCheck, policy: Policy, target: Target | None, as_of: datetime, faults: Faults
) -> Program:
    """Compile a check for a target; mistakes go to ``faults``, their paths from the file's root."""
    compiler = _Compiler(
        policy=policy,
        target=target,
        as_of=as_of,
        variables=policy.variables(target.file if target else None),
    )
    return compiler.program(check, faults)


@dataclass(slots=True, kw_only=True)
class _Compiler:
    policy: Policy
    target: Target | None
    as_of: datetime
    variables: Variables
    read: set[str] = field(default_factory=set)
    unset: set[str] = field(default_factory=set)

    def program(self, check: LoadedCheck, faults: Faults) -> Program:
        file = check.file
        for part in ("exercise", "expect", "report"):
            _unique(part, getattr(file, part), faults)
        _does_something(file.exercise, faults.under("exercise"))
        return Program(
            check=check,
            as_of=self.as_of,
            observe=tuple(
                self._observe(item, faults.under("observe", index))
                for index, item in enumerate(file.observe)
            ),
            exercise=tuple(
                self._exercise(item, faults.under("exercise", index))
                for index, item in enumerate(file.exercise)
            ),
            expect=tuple(
                self._expectation(item, faults.under("expect", index))
                for index, item in enumerate(file.expect)
            ),
            unsure=tuple(
                CompiledUnsure(
                    item=item,
                    where=self._where(item.from_, item.where, faults.under("unsure", index)),
                )
                for index, item in enumerate(file.unsure)
            ),
            report=tuple(
                self._report(item, faults.under("report", index))
                for index, item in enumerate(file.report)
            ),
            variables=frozenset(self.read),
            unset=frozenset(self.unset),
        )

    def _report(self, item: Report, faults: Faults) -> CompiledReport:
        table, faults = _table(item.from_, faults)
        return CompiledReport(
            item=item,
            where=self._condition(table, item.where, faults.under("where")),
            columns=self._fields(table, item.columns, faults.under("columns")),
        )

    def _scope(self, table: str) -> ColumnScope:
        return ColumnScope(
            table=table,
            columns=columns_of(table),
            variables=self.variables,
            lists=self.policy.lists,
            as_of_ns=nanoseconds(self.as_of),
            roles=self.policy.roles,
            kinds=self.policy.kinds,
        )

    def _condition(self, table: str, cond: object, faults: Faults) -> Condition:
        condition = build_condition(cond, self._scope(table), faults)
        self.read |= condition.variables
        self.unset |= condition.unset
        return condition

    def _where(self, name: str, cond: object, faults: Faults) -> Condition:
        table, faults = _table(name, faults)
        return self._condition(table, cond, faults.under("where"))

    def _resolve(self, value: Any, type_: str, faults: Faults) -> Any:
        """Return the value behind ``${name}`` if it has the type; ``MISSING`` otherwise."""
        if not is_variable(value):
            return value
        try:
            found = self.variables.resolve(value)
            if found is not MISSING:
                check_type(found, type_, self.policy.kinds)
        except VariableError as error:
            faults.add(error.code, str(error), hint=error.hint)
            return MISSING
        except ValueError as error:
            faults.add("E105", f"{value} does not fit here: {error}")
            return MISSING
        name = name_of(value)
        self.read.add(name)
        if found is MISSING:
            self.unset.add(name)
        return found

    def _count(self, value: Any, default: int, faults: Faults) -> int:
        found = self._resolve(value, "number", faults)
        return default if found is None or found is MISSING else int(found)

    def _observe(self, item: Observe, faults: Faults) -> CompiledObserve:
        opened = item.capability == "transport.opened"
        belongs = {
            "where": opened,
            "min_ratio": opened,
            "min": item.capability == "identifiers.planted",
            "source": item.capability.startswith("server."),
        }
        for key, legal in belongs.items():
            if getattr(item, key) is not None and not legal:
                faults.under(key).add(
                    "E110", f"'{key}' does not belong to {item.capability}", at="key"
                )
        ratio = self._resolve(item.min_ratio, "ratio", faults.under("min_ratio"))
        if ratio is not None and ratio is not MISSING and float(ratio) <= 0:
            faults.under("min_ratio").add(
                "E209", "a share of 0 is there though nothing was opened", hint="0.95 is usual"
            )
        return CompiledObserve(
            item=item,
            where=self._condition(
                "conversations", item.where if opened else None, faults.under("where")
            ),
            min_ratio=1.0 if ratio is None or ratio is MISSING else float(ratio),
            min=self._at_least_one(item.min, faults.under("min")),
        )

    def _at_least_one(self, value: Any, faults: Faults) -> int:
        """Return a count that nothing at all does not meet, whoever sets it."""
        count = self._count(value, 1, faults)
        if count < 1:
            faults.add(
                "E209",
                f"a 'min' of {count} is met though nothing is there",
                hint="give a 'min' of 1 or more",
            )
        return count

    def _exercise(self, item: Exercise, faults: Faults) -> CompiledExercise:
        actions: list[str] = []
        cut: tuple[str, ...] = ()
        if item.actions is not None:
            found = self._resolve(item.actions, "list[action]", faults.under("actions"))
            actions = [] if found is MISSING else list(found)
            if is_variable(item.actions) and self.target is not None:
                cut = tuple(name for name in actions if not self.target.can(name))
                actions = [name for name in actions if name not in cut]
        age = self._resolve(item.age_gte, "duration", faults.under("age|gte"))
        most = self._resolve(item.max, "number", faults.under("max"))
        least = self._count(item.min, 0 if item.max is not None else 1, faults.under("min"))
        if item.from_ is not None and least < 1 and item.max is None:
            faults.under("min").add(
                "E204",
                "no row at all meets this exercise: a recording in which nothing was done would",
                hint="give a 'min' of 1 or more, or a 'max'",
            )
        table, faults = _table(item.from_ or _FALLBACK, faults)
        return CompiledExercise(
            item=item,
            actions=tuple(actions),
            cut=cut,
            age_s=None if age is None or age is MISSING else parse_duration(age),
            where=self._condition(table, item.where, faults.under("where")),
            min=least,
            max=None if most is None or most is MISSING else int(most),
            distinct=None
            if item.distinct is None
            else self._field(table, item.distinct, faults.under("distinct")),
        )

    def _expectation(self, item: Expectation, faults: Faults) -> CompiledExpectation:
        if isinstance(item, NoJoin):
            return self._join(item, faults)
        table, faults = _table(item.from_, faults)
        uniform = isinstance(item, Uniform)
        identity = item.identity
        if identity is None and isinstance(item, Uniform):
            identity = item.group_by
        if identity is None:
            identity = [] if isinstance(item, Some) else list(IDENTITY[table])
        return RowExpectation(
            item=item,
            where=self._condition(table, item.where, faults.under("where")),
            match=self._condition(
                table, None if isinstance(item, Uniform) else item.match, faults.under("match")
            ),
            min=self._at_least_one(item.min, faults.under("min")) if isinstance(item, Some) else 0,
            group_by=self._fields(table, item.group_by, faults.under("group_by"))
            if isinstance(item, Uniform)
            else (),
            field=self._field(table, item.field, faults.under("field"))
            if isinstance(item, Uniform)
            else None,
            identity=self._fields(table, identity, faults.under("identity")),
            message=self._message(
                item.message,
                {} if isinstance(item, Some) else {"": table},
                faults.under("message"),
                hint="a message about rows that are missing has no columns"
                if isinstance(item, Some)
                else "the message of 'uniform' shows one row of the group"
                if uniform
                else None,
            ),
        )

    def _join(self, item: NoJoin, faults: Faults) -> JoinExpectation:
        left, left_faults = _table(item.left.from_, faults.under("left"))
        right, right_faults = _table(item.right.from_, faults.under("right"))
        sides = {"left": left, "right": right}
        if {left, right} != {item.left.from_, item.right.from_}:
            faults = Faults()
        identity = item.identity
        if identity is None:
            identity = [f"right.{name}" for name in IDENTITY[sides["right"]]]
        return JoinExpectation(
            item=item,
            left_where=self._condition(left, item.left.where, left_faults.under("where")),
            right_where=self._condition(right, item.right.where, right_faults.under("where")),
            left_key=self._field(left, item.left.key, left_faults.under("key")),
            right_key=self._field(right, item.right.key, right_faults.under("key")),
            identity=tuple(
                self._sided(name, sides, faults.under("identity", index))
                for index, name in enumerate(identity)
            ),
            message=self._message(item.message, sides, faults.under("message")),
        )

    def _sided(self, text: str, sides: dict[str, str], faults: Faults) -> FieldRef:
        side, _, name = text.partition(".")
        return self._field(sides[side], name, faults, text=text)

    def _fields(self, table: str, names: list[str], faults: Faults) -> tuple[FieldRef, ...]:
        return tuple(
            self._field(table, name, faults.under(index)) for index, name in enumerate(names)
        )

    def _field(self, table: str, name: str, faults: Faults, text: str | None = None) -> FieldRef:
        found = Faults()
        scope = self._scope(table)
        read_field(name, scope, found)
        for fault in found.found:
            faults.add(fault.code, fault.message, hint=fault.hint, allowed=fault.allowed)
        column, *path = name.split(".")
        known = scope.columns.get(column)
        return FieldRef(
            table=table,
            column=column,
            path=tuple(path),
            type=known.type if known else "text",
            text=text or name,
        )

    def _message(
        self, text: str, sides: dict[str, str], faults: Faults, hint: str | None = None
    ) -> Message:
        """Read a message; ``sides`` maps ``left`` and ``right`` (or ``''``) to tables."""
        pieces: list[str | FieldRef] = []
        end = 0
        for match in _BRACES.finditer(text):
            pieces.append(text[end : match.start()])
            end = match.end()
            name = match[1]
            side, _, rest = name.partition(".")
            if "" in sides:
                side, rest = "", name
            if side in sides and rest:
                pieces.append(self._field(sides[side], rest, faults, text=name))
            else:
                faults.add("E102", f"'{{{name}}}' names no column", hint=hint)
        pieces.append(text[end:])
        return Message(pieces=tuple(piece for piece in pieces if piece != ""))


def _table(name: str, faults: Faults) -> tuple[str, Faults]:
    """Return a table to compile against, and where mistakes go: of an unknown one, nowhere."""
    if name in TABLES:
        return name, faults
    faults.under("from").add(
        "E101",
        f"there is no table '{name}'",
        hint=did_you_mean(name, tuple(TABLES)),
        allowed=tuple(TABLES),
    )
    return _FALLBACK, Faults()


def _does_something(items: Sequence[Exercise], faults: Faults) -> None:
    """Refuse exercises that a recording in which nothing was done would meet."""
    if all(item.actions is None for item in items):
        faults.add(
            "E204",
            "no exercise names an action: a recording in which nothing was done would pass",
            at="key",
        )
    for index, item in enumerate(items):
        if item.actions == []:
            faults.under(index, "actions").add("E204", "this exercise names no action", at="key")


def _unique(part: str, items: list[Any], faults: Faults) -> None:
    seen: set[str] = set()
    for index, item in enumerate(items):
        if item.id in seen:
            faults.under(part, index, "id").add("E111", f"'{item.id}' stands twice in '{part}'")
        seen.add(item.id)
