"""Keys of conditions, ``column.path|modifier|modifier``, read and typed step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from audit.checks import predicates
from audit.checks.faults import Faults
from audit.checks.modifiers import (
    AGE,
    COUNT,
    LEAF,
    MODIFIERS,
    PLAIN,
    TESTS,
    following,
)
from audit.checks.operands import OperandError, convert, words_of
from audit.checks.predicates import Question
from audit.checks.scope import ColumnScope
from audit.checks.variables import MISSING, VariableError, name_of
from audit.yamlfile.problem import did_you_mean
from audit.yamlfile.shape import is_variable

_WHOLE: Final = "a variable is a whole value, '${name}'; nothing is joined to it"
_ORDER: Final = frozenset({"lt", "lte", "gt", "gte"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A key, read."""

    column: str
    path: tuple[str, ...]
    type: str
    """Of the column, or of what lies at the path."""
    modifiers: tuple[str, ...]
    """Without ``not``."""
    negated: bool

    def question(self, value: object, scope: ColumnScope, faults: Faults) -> Question | None:
        """Return what the key asks with ``value``; ``None`` after noting what is wrong."""
        operands = _operands(value, scope, faults)
        if operands is None:
            return None
        if any(item is MISSING for _, item in operands):
            return predicates.UNDECIDED
        try:
            question = self._ask([item for _, item in operands], scope)
        except OperandError as error:
            faults.add("E108", str(error), hint=error.hint, allowed=error.allowed)
            return None
        return question.negated() if self.negated else question

    def compares_with_nothing(self, value: object, scope: ColumnScope) -> bool:
        """Whether the value is variables that are empty lists, so that no value can fit."""
        return _operands(value, scope, Faults()) == []

    def _ask(self, values: list[object], scope: ColumnScope) -> Question:
        chain = [name for name in self.modifiers if name != "in"]
        kind = self.type
        measured = bool(chain) and chain[0] == "len"
        if measured:
            chain, kind = chain[1:], COUNT
        elif chain and chain[0] == "age":
            chain, kind = chain[1:], AGE
        question = self._test(chain, kind, values, scope)
        return predicates.measured(question) if measured else question

    def _test(
        self,
        chain: list[str],
        kind: str,
        values: list[object],
        scope: ColumnScope,
    ) -> Question:
        name = chain[0] if chain else ""
        every = "all_of" in chain
        if every and not values:
            raise OperandError("all of an empty list are everywhere")
        if name in {"", "all_of"}:
            words = words_of(scope.table, self.column, scope.kinds, scope.roles)
            items = [convert(value, kind, None if self.path else words) for value in values]
            return predicates.contains_all(items) if every else predicates.equals(items, kind)
        if name in _ORDER:
            return predicates.compare(name, _single(values, kind), kind, scope.as_of_ns)
        if name == "exists":
            return predicates.exists(bool(convert(_one(values), "bool")))
        if name == "domain":
            return predicates.domain([convert(value, "host") for value in values])
        if name == "list":
            return predicates.listed([_list(value, scope) for value in values], kind)
        if name == "cidr":
            return predicates.cidr(values)
        texts = [convert(value, "text") for value in values]
        if name in {"has_key", "keys_within"}:
            return predicates.keys_test(texts, name, every=every)
        if not all(texts):
            raise OperandError("the empty text is in every text")
        if name == "re":
            return predicates.pattern(texts, fold="i" in chain, every=every)
        return predicates.text_test(name, texts, fold="i" in chain, every=every)


def _one(values: list[object]) -> object:
    if len(values) != 1:
        raise OperandError("this compares with one value, not a list")
    return values[0]


def _single(values: list[object], kind: str) -> Any:
    return convert(_one(values), "number" if kind == LEAF else kind)


def _list(value: object, scope: ColumnScope) -> Any:
    name = convert(value, "text")
    if name not in scope.lists:
        raise OperandError(
            f"there is no list '{name}'",
            hint=did_you_mean(name, tuple(scope.lists)),
            allowed=tuple(sorted(scope.lists)),
        )
    scope.lists_read.add(name)
    return scope.lists[name]


def _operands(
    value: object, scope: ColumnScope, faults: Faults
) -> list[tuple[int | None, object]] | None:
    """Return the values compared with, variables put in; ``None`` after noting what is wrong."""
    items: list[tuple[int | None, object]]
    items = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
    found: list[tuple[int | None, object]] = []
    for index, item in items:
        place = faults if index is None else faults.under(index)
        if isinstance(item, dict | list):
            place.add("E108", "expected a single value, or a list of single values")
            return None
        if item is None:
            place.add("E108", "nothing to compare with", hint="for 'no value' write |exists: false")
            return None
        resolved = _resolve(item, scope, place)
        if resolved is None:
            return None
        found += [(index, part) for part in resolved]
    if not found and not isinstance(value, str):
        faults.add("E108", "an empty list matches nothing")
        return None
    return found


def _resolve(item: object, scope: ColumnScope, faults: Faults) -> list[object] | None:
    if not isinstance(item, str) or "${" not in item:
        return [item]
    try:
        resolved = scope.variables.resolve(item)
    except VariableError as error:
        faults.add(
            error.code,
            str(error),
            hint=error.hint or (None if is_variable(item) else _WHOLE),
        )
        return None
    name = name_of(item)
    scope.read.add(name)
    if resolved is MISSING:
        scope.unset.add(name)
    return list(resolved) if isinstance(resolved, list) else [resolved]


def read_key(key: str, scope: ColumnScope, faults: Faults) -> Chain | None:
    """Read a key; ``None`` after noting, at its column, what is wrong with it."""
    field, *modifiers = key.split("|")
    field_type = read_field(field, scope, faults)
    if field_type is None:
        return None
    type_ = field_type
    offset = len(field) + 1
    for name in modifiers:
        modifier = MODIFIERS.get(name)
        if modifier is None or type_ not in modifier.takes:
            _refuse(name, field, type_, offset, faults)
            return None
        type_ = modifier.gives
        offset += len(name) + 1
    if type_ not in TESTS and type_ not in PLAIN:
        _unfinished(field, type_, offset, faults)
        return None
    column, *path = field.split(".")
    return Chain(
        column=column,
        path=tuple(path),
        type=field_type,
        modifiers=tuple(name for name in modifiers if name != "not"),
        negated="not" in modifiers,
    )


def _refuse(name: str, field: str, type_: str, offset: int, faults: Faults) -> None:
    allowed = following(type_)
    place = {"at": "key", "offset": offset, "length": max(1, len(name)), "allowed": allowed}
    if name not in MODIFIERS:
        hint = did_you_mean(name, tuple(MODIFIERS))
        message = f"there is no modifier '{name}'"
        faults.add("E106", message, hint=hint, **place)  # type: ignore[arg-type]
    elif name == "endswith" and type_ == "host":
        message = "'endswith' on a host also matches other people's names"
        faults.add("E205", message, hint="write |domain", **place)  # type: ignore[arg-type]
    else:
        what = f"'{field}' is {type_}" if type_ not in TESTS else f"what stands before is a {type_}"
        faults.add("E107", f"'{name}' cannot follow: {what}", **place)  # type: ignore[arg-type]


def _unfinished(field: str, type_: str, offset: int, faults: Faults) -> None:
    if type_ == AGE:
        message = "an age must be compared"
    else:
        message = f"'{field}' is {type_} and cannot be compared as a whole"
    hint = "name a path into it, such as 'json.method'" if type_ == "json" else None
    faults.add(
        "E107",
        message,
        at="key",
        offset=max(0, offset - 1),
        length=1,
        hint=hint,
        allowed=following(type_),
    )


def read_field(field: str, scope: ColumnScope, faults: Faults) -> str | None:
    """Return the type of ``column`` or ``column.path``; ``None`` after noting what is wrong."""
    column, *path = field.split(".")
    if column not in scope.columns:
        faults.add(
            "E102",
            f"table '{scope.table}' has no column '{column}'",
            at="key",
            length=len(column),
            hint=did_you_mean(column, tuple(scope.columns)),
            allowed=tuple(scope.columns),
        )
        return None
    kind = scope.columns[column].type
    if not path:
        return kind
    if kind != "json":
        faults.add(
            "E102",
            f"'{column}' is {kind}; a path leads only into JSON columns",
            at="key",
            offset=len(column),
            length=len(field) - len(column),
        )
        return None
    if not all(path):
        faults.add("E102", f"'{field}' has an empty step", at="key")
        return None
    return LEAF
