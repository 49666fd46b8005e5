"""The evidence that an example of a check stands for, filled from the columns' defaults."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from audit.checks.policy import LoadedCheck, Policy, Target
from audit.checks.variables import MISSING, VariableError, check_type
from audit.model.ids import CaptureId
from audit.tables.column import Column
from audit.tables.evidence import CaptureEvidence, OnionState, PerformedAction, TapState
from audit.tables.frames import Row, columns_of, make_frame
from audit.tables.rows import TABLES
from audit.tables.vocabulary import CAPABILITIES, KINDS
from audit.yamlfile.check import Example, ExampleRow
from audit.yamlfile.located import Path
from audit.yamlfile.problem import PolicyFileError, Problem, did_you_mean
from audit.yamlfile.shape import is_variable
from audit.yamlfile.units import parse_bytes, parse_duration, parse_time

if TYPE_CHECKING:
    import pandas as pd

AS_OF: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""Moment that relative times of examples count from."""
_CAPTURE: Final = CaptureId("example")


class ExampleEvidence:
    """One example as a capture and the target that it is judged for.

    ``path`` is its place in the check's file, for messages.
    """

    def __init__(
        self,
        policy: Policy,
        base: Target,
        check: LoadedCheck,
        example: Example,
        path: Path = (),
        as_of: datetime = AS_OF,
    ) -> None:
        self._policy = policy
        self._check = check
        self._example = example
        self._path = path
        self._as_of = as_of
        self._problems: list[Problem] = []
        self.target: Target = self._made_for(base)

    def capture(self) -> CaptureEvidence:
        """Return the capture; raises :class:`PolicyFileError` for rows that are none."""
        found = self._capture()
        if self._problems:
            raise PolicyFileError(self._problems)
        return found

    def _fault(self, path: Path, message: str, hint: str | None = None) -> None:
        self._problems.append(
            self._check.located.problem((*self._path, *path), "E303", message, hint=hint)
        )

    def _made_for(self, base: Target) -> Target:
        """Return the target of the example: on its platform, with its own variables."""
        file = base.file
        scope = self._check.file.scope
        platform = file.app.platform
        if self._example.platform is not None:
            platform = self._example.platform
        elif scope is not None and platform not in scope.platforms:
            platform = scope.platforms[0]
        for name, value in self._example.vars.items():
            declared = self._policy.pack.vars.get(name)
            try:
                if declared is None or not declared.settable:
                    raise ValueError("the pack declares no such settable variable")  # noqa: TRY301
                check_type(value, declared.type, self._policy.kinds)
            except ValueError as error:
                self._fault(("vars", name), f"'{name}': {error}")
        changed = file.model_copy(
            update={
                "app": file.app.model_copy(update={"platform": platform}),
                "vars": file.vars | self._example.vars,
            }
        )
        return Target(name=base.name, file=changed, folder=None)

    def _actions(self) -> list[PerformedAction]:
        names = self._example.actions
        if is_variable(names):
            variables = self._policy.variables(self.target.file)
            try:
                found = variables.resolve(str(names))
            except VariableError as error:
                self._fault(("actions",), str(error), error.hint)
                return []
            names = [] if found is MISSING or not isinstance(found, list) else found
        done = {str(name): timedelta(minutes=1) for name in names}
        for name, age in self._example.history.items():
            done[name] = timedelta(seconds=parse_duration(age))
        return [
            PerformedAction(
                name=name,
                ok=True,
                corroborated_by="recorder",
                ts=(self._as_of - age).isoformat().replace("+00:00", "Z"),
            )
            for name, age in done.items()
        ]

    def _capture(self) -> CaptureEvidence:
        actions = self._actions()
        rows = {name: list(self._rows(name)) for name in TABLES}
        for name in self._example.rows:
            if name not in TABLES:
                hint = did_you_mean(name, tuple(TABLES))
                self._fault(("rows", name), f"there is no table '{name}'", hint)
        rows["events"] += [_event(action, line) for line, action in enumerate(actions, start=1)]
        return CaptureEvidence(
            capture=_CAPTURE,
            digest="0" * 64,
            vantage="netns",
            pass_="intercepted",  # noqa: S106 - a pass of recording, no password
            install="example",
            device="example",
            tables={name: _frame(name, found) for name, found in rows.items()},
            capabilities=frozenset(CAPABILITIES),
            taps=(
                TapState(tap="packets", control_found=True),
                TapState(tap="proxy", control_found=True),
            ),
            sees_all=True,
            planted_kinds=self._planted(),
            onion=OnionState(keys=True, seen=1, opened=1),
            actions=tuple(actions),
        )

    def _planted(self) -> frozenset[str]:
        known = frozenset(KINDS) | self._policy.kinds
        named = self._example.planted
        for index, kind in enumerate(named or ()):
            if kind not in known:
                hint = did_you_mean(kind, tuple(known))
                self._fault(("planted", index), f"there is no kind '{kind}'", hint)
        return known if named is None else frozenset(named)

    def _rows(self, table: str) -> Iterator[Row]:
        columns = columns_of(table)
        number = 0
        for index, row in enumerate(self._example.rows.get(table, [])):
            values = self._values(table, columns, index, row)
            for _ in range(row.repeat):
                number += 1
                yield _filled(table, self._dated({"ref": f"{table}#{number}"} | values))

    def _dated(self, row: Row) -> Row:
        return {"ts": self._as_of.isoformat()} | row

    def _values(
        self, table: str, columns: Mapping[str, Column], index: int, row: ExampleRow
    ) -> Row:
        values: Row = {}
        for name, value in (row.model_extra or {}).items():
            path: Path = ("rows", table, index, name)
            if name not in columns:
                hint = did_you_mean(name, tuple(columns))
                self._fault(path, f"table '{table}' has no column '{name}'", hint)
                continue
            try:
                values[name] = _cell(value, columns[name], self._as_of)
            except ValueError as error:
                self._fault(path, f"'{name}': {error}")
        return values


def _event(action: PerformedAction, line: int) -> Row:
    """Return the journal's row of an action; its subject is nobody that an example names."""
    given: Row = {"name": action.name, "ts": action.ts, "ref": f"journal.jsonl#{line}"}
    return _filled("events", given | {"subject_hash": f"example-{line}"})


@cache
def _empty_frame(table: str) -> pd.DataFrame:
    return make_frame(table, [])


def _frame(table: str, rows: list[Row]) -> pd.DataFrame:
    return make_frame(table, rows) if rows else _empty_frame(table)


def _filled(table: str, given: Row) -> Row:
    """Return a whole row: what is given, and the columns' defaults."""
    row: Row = {name: column.default for name, column in columns_of(table).items()}
    row |= {"capture": _CAPTURE, "process_basis": "netns"} | given
    if "recipient" in row and row["recipient"] is None:
        row["recipient"] = row["host"] or row["responder_ip"]
    if table == "events" and "corroborated_by" not in given:
        row["corroborated_by"] = "recorder"
    return row


def _cell(value: Any, column: Column, as_of: datetime) -> object:
    """Return a value as the column holds it; raises ``ValueError``."""
    if value is None:
        return None
    if column.type == "json":
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    if column.type == "list":
        return tuple(map(str, value)) if isinstance(value, list) else (str(value),)
    if isinstance(value, dict | list):
        raise ValueError(f"expected a {column.type}")  # noqa: TRY004 - one error family
    if column.type == "time":
        return _time(value, as_of)
    if column.type == "duration":
        return parse_duration(value)
    if column.type == "bytes":
        return int(parse_bytes(value))
    if column.type == "bool":
        if not isinstance(value, bool):
            raise ValueError("expected true or false")
        return value
    if column.type in {"number", "ratio"}:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError("expected a number")
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _time(value: object, as_of: datetime) -> str:
    text = str(value)
    if text[:1] in {"-", "+"}:
        offset = timedelta(seconds=parse_duration(text[1:]))
        moment = as_of - offset if text[0] == "-" else as_of + offset
    else:
        moment = parse_time(value)
    return moment.isoformat().replace("+00:00", "Z")
