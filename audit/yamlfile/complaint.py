"""One error of pydantic: its place in the file and a sentence that a policy author understands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from audit.yamlfile.located import Located, Path
from audit.yamlfile.modelwalk import keys_of, model_at
from audit.yamlfile.problem import Problem, did_you_mean

_PARTS = {
    "expect": "expectation", "exercise": "exercise", "tests": "test", "observe": "observation",
    "clauses": "clause", "unsure": "unsure item", "report": "report", "waivers": "waiver",
    "attestations": "attestation", "editions": "edition", "entries": "entry", "vars": "variable",
    "peer_roles": "peer role",
}  # fmt: skip
_QUOTED = re.compile(r"'([^']*)'")
_TYPES = {
    "string_type": "text", "bool_type": "true or false", "int_type": "a whole number",
    "float_type": "a number", "list_type": "a list", "tuple_type": "a list",
    "dict_type": "a mapping", "model_type": "a mapping", "model_attributes_type": "a mapping",
    "int_from_float": "a whole number", "none_required": "nothing",
}  # fmt: skip
_PATTERNS = {
    r"^[0-9a-f]{64}$": "a SHA-256 is 64 hexadecimal digits, lower case",
    r"^\d+\.\d+\.\d+$": "a version is three numbers, such as 1.0.0",
}


@dataclass(slots=True, kw_only=True)
class Complaint:
    """A problem before it is laid beside its neighbours."""

    kind: Literal["missing", "unknown", "value"]
    path: Path
    """Of a missing key: the mapping that lacks it."""
    key: str
    code: str
    message: str
    hint: str | None = None
    allowed: tuple[str, ...] = ()

    def problem(self, located: Located) -> Problem:
        """Return the problem at its place."""
        at: Literal["key", "value"] = "key" if self.kind == "unknown" else "value"
        return located.problem(
            self.path, self.code, self.message, at=at, hint=self.hint, allowed=self.allowed
        )


def complain(located: Located, model: type[BaseModel], error: dict[str, object]) -> Complaint:
    """Return the complaint behind one entry of ``ValidationError.errors()``."""
    location: tuple[str | int, ...] = error["loc"]  # type: ignore[assignment]
    kind = str(error["type"])
    if kind == "missing":
        path = _path(located, location[:-1])
        key = str(location[-1])
        message = f"missing key '{key}'{_inside(located, path)}"
        return Complaint(kind="missing", path=path, key=key, code="E013", message=message)
    path = _path(located, location)
    if kind == "extra_forbidden":
        return _unknown(located, model, location, path)
    context: dict[str, object] = error.get("ctx") or {}  # type: ignore[assignment]
    code, message, allowed = _value(kind, context, error)
    hint = None
    value = error.get("input")
    if kind == "union_tag_invalid":
        path, value = (*path, "assert"), context.get("tag")
    if allowed and isinstance(value, str):
        hint = did_you_mean(value, allowed)
    elif kind == "string_type" and isinstance(value, int | float):
        hint = "put it in quotes"
    return Complaint(
        kind="value",
        path=path,
        key=str(path[-1]) if path else "",
        code=code,
        message=f"{message}{_at(path)}",
        hint=hint,
        allowed=allowed,
    )


def _path(located: Located, location: tuple[str | int, ...]) -> Path:
    """Keep the steps that exist in the file: pydantic also puts the tags of unions there."""
    path: Path = ()
    for step in location:
        if (*path, step) in located.places:
            path = (*path, step)
    return path


def _unknown(
    located: Located, model: type[BaseModel], location: tuple[str | int, ...], path: Path
) -> Complaint:
    key = str(location[-1])
    owner = model_at(model, location[:-1], located.data)
    present = located.value(path[:-1])
    known = keys_of(owner) if owner else ()
    free = tuple(word for word in known if not isinstance(present, dict) or word not in present)
    hint = did_you_mean(key, free)
    place = located.places[path]
    if hint is None and place.in_braces and place.is_empty:
        hint = "a comma in unquoted text inside { } starts a new key; put the text in quotes"
    message = f"unknown key '{key}'{_inside(located, path[:-1])}"
    return Complaint(
        kind="unknown", path=path, key=key, code="E012", message=message, hint=hint, allowed=known
    )


def _value(
    kind: str, context: dict[str, object], error: dict[str, object]
) -> tuple[str, str, tuple[str, ...]]:
    value = error.get("input")
    if kind in {"literal_error", "enum", "union_tag_invalid"}:
        words = str(context.get("expected") or context.get("expected_tags") or "")
        said = context.get("tag") if kind == "union_tag_invalid" else value
        return "E014", f"'{_short(said)}' is not one of the known words", _words(words)
    if kind == "union_tag_not_found":
        return "E013", "missing key 'assert'", ()
    if kind in _TYPES:
        return "E015", f"expected {_TYPES[kind]}, got {_describe(value)}", ()
    if kind == "value_error":
        return "E016", str(context.get("error", error["msg"])), ()
    if kind == "string_pattern_mismatch":
        pattern = str(context["pattern"])
        default = "a name is lower case letters, digits, '-', '_' (and '.' in ids)"
        return (
            "E016",
            f"'{_short(value)}' has the wrong form: {_PATTERNS.get(pattern, default)}",
            (),
        )
    if kind in {"too_short", "string_too_short"}:
        return "E016", "this must not be empty", ()
    bounds = {"greater_than_equal": "ge", "less_than_equal": "le", "greater_than": "gt"}
    if kind in bounds:
        relation = {"ge": "at least", "le": "at most", "gt": "more than"}[bounds[kind]]
        return "E016", f"{_short(value)} is out of range: {relation} {context[bounds[kind]]}", ()
    message = str(error["msg"])
    return "E016", message[:1].lower() + message[1:], ()


def _words(text: str) -> tuple[str, ...]:
    return tuple(_QUOTED.findall(text))


def _describe(value: object) -> str:
    if value is None:
        return "nothing"
    names: dict[type, str] = {dict: "a mapping", list: "a list", str: f"text '{_short(value)}'"}
    return names.get(type(value), f"{str(value).lower()}")


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _at(path: Path) -> str:
    names = [step for step in path if isinstance(step, str)]
    return f" at '{names[-1]}'" if names else ""


def _inside(located: Located, path: Path) -> str:
    """Name the mapping: ``in expectation 'constant-call' (assert: every)``."""
    for depth in range(len(path), 0, -1):
        parent = path[depth - 2] if depth > 1 else None
        step = path[depth - 1]
        part = _PARTS.get(str(parent)) if depth > 1 else None
        if part is None:
            continue
        data = located.value(path[:depth])
        name: object = step if isinstance(step, str) else None
        tag = ""
        if isinstance(data, dict):
            name = name or data.get("id") or data.get("name") or data.get("capability")
            tag = f" (assert: {data['assert']})" if "assert" in data else ""
        below = "".join(f", {item}" for item in path[depth:] if isinstance(item, str))
        return f" in {part}{f' {name!r}' if name else ''}{tag}{below}"
    names = [str(step) for step in path if isinstance(step, str)]
    return f" in '{names[-1]}'" if names else ""
