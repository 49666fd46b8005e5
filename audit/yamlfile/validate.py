"""Plain data into its model; every mistake of a file at its place, in our own words."""

from __future__ import annotations

from typing import TypeVar, cast

from pydantic import BaseModel, ValidationError

from audit.yamlfile.complaint import Complaint, complain
from audit.yamlfile.located import Located, Path
from audit.yamlfile.problem import PolicyFileError, Problem, closest

_Model = TypeVar("_Model", bound=BaseModel)


def parse_model(located: Located, model: type[_Model], schema: str) -> _Model:
    """Return the file as ``model``; raises :class:`PolicyFileError` with all that is wrong.

    ``schema`` is what the file's ``schema:`` must say.
    """
    _check_schema(located, schema)
    try:
        return model.model_validate(located.data)
    except ValidationError as error:
        problems = problems_of(located, model, error)
    raise PolicyFileError(problems)


def _check_schema(located: Located, schema: str) -> None:
    if not isinstance(located.data, dict):
        raise PolicyFileError(
            [
                located.problem(
                    (), "E011", "the file is no mapping", hint=f"start with 'schema: {schema}'"
                )
            ]
        )
    said = located.data.get("schema")
    if said == schema:
        return
    hint = f"write 'schema: {schema}'"
    if "schema" not in located.data:
        problem = located.problem((), "E013", "missing key 'schema'", hint=hint)
    elif isinstance(said, str) and said.split("@")[0] == schema.split("@", maxsplit=1)[0]:
        problem = located.problem(
            ("schema",), "E011", f"this version knows {schema}, not '{said}'", hint=hint
        )
    else:
        problem = located.problem(
            ("schema",), "E011", f"expected a file of schema {schema}, got '{said}'", hint=hint
        )
    raise PolicyFileError([problem])


def problems_of(located: Located, model: type[BaseModel], error: ValidationError) -> list[Problem]:
    """Return the problems behind a validation error, sorted by place."""
    complaints = [
        complain(located, model, cast("dict[str, object]", item))
        for item in error.errors(include_url=False)
    ]
    merged = _merge_misspellings(complaints)
    return sorted({item.problem(located) for item in merged})


def _merge_misspellings(complaints: list[Complaint]) -> list[Complaint]:
    """Say a misspelt key once: it is both missing and unknown."""
    missing: dict[Path, list[Complaint]] = {}
    for item in complaints:
        if item.kind == "missing":
            missing.setdefault(item.path, []).append(item)
    dropped: set[int] = set()
    for item in complaints:
        if item.kind != "unknown":
            continue
        wanted = {other.key: other for other in missing.get(item.path[:-1], [])}
        near = closest(item.key, wanted)
        if near:
            dropped.add(id(wanted[near]))
            item.hint = f"did you mean '{near}'?"
    return [item for item in complaints if id(item) not in dropped]
