"""Which model stands behind a place: for the words that an unknown key may have meant."""

from __future__ import annotations

from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel


def keys_of(model: type[BaseModel]) -> tuple[str, ...]:
    """Return the keys of a mapping as files write them."""
    return tuple(field.alias or name for name, field in model.model_fields.items())


def model_at(
    model: type[BaseModel], location: tuple[str | int, ...], data: object
) -> type[BaseModel] | None:
    """Return the model of the mapping at ``location`` (pydantic's, with tags), if it is known."""
    found: list[Any] = [model]
    for step in location:
        following: list[Any] = []
        for item in found:
            following += _step(item, step)
        if not following:  # the tag of a union: it chooses among what was found
            following = [item for item in found if _has_tag(item, step)] or found
        found = following
        data = _below(data, step)
    models = [item for item in found if isinstance(item, type) and issubclass(item, BaseModel)]
    return models[0] if models else None


def _below(data: object, step: str | int) -> object:
    try:
        return data[step]  # type: ignore[index]
    except (KeyError, IndexError, TypeError):
        return data


def _step(item: Any, step: str | int) -> list[Any]:
    if isinstance(item, type) and issubclass(item, BaseModel):
        for name, field in item.model_fields.items():
            if (field.alias or name) == step:
                return _alternatives(field.annotation)
        return []
    origin, arguments = get_origin(item), get_args(item)
    if origin in {list, tuple} and isinstance(step, int):
        return _alternatives(arguments[0])
    if origin is dict and len(arguments) == 2:
        return _alternatives(arguments[1])
    return []


def _alternatives(annotation: Any) -> list[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _alternatives(get_args(annotation)[0])
    if origin in {Union, UnionType}:
        return [found for part in get_args(annotation) for found in _alternatives(part)]
    return [annotation]


def _has_tag(item: Any, tag: str | int) -> bool:
    if not (isinstance(item, type) and issubclass(item, BaseModel)):
        return False
    return any(
        get_origin(field.annotation) is Literal and tag in get_args(field.annotation)
        for field in item.model_fields.values()
    )
