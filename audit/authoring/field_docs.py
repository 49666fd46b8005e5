"""What the fields of the models mean, read from the docstrings under them."""

from __future__ import annotations

import ast
import inspect
import sys
from functools import cache

from pydantic import BaseModel


def meanings_of(model: type[BaseModel]) -> dict[str, str]:
    """Return key, as files write it, -> its docstring on one line, where it has one."""
    found: dict[str, str] = {}
    for owner in reversed(model.__mro__):
        if issubclass(owner, BaseModel) and owner is not BaseModel:
            found |= _of_module(owner.__module__).get(owner.__name__, {})
    keys = {name: field.alias or name for name, field in model.model_fields.items()}
    return {keys[name]: text for name, text in found.items() if name in keys}


@cache
def _of_module(name: str) -> dict[str, dict[str, str]]:
    tree = ast.parse(inspect.getsource(sys.modules[name]))
    return {node.name: _of_class(node) for node in tree.body if isinstance(node, ast.ClassDef)}


def _of_class(node: ast.ClassDef) -> dict[str, str]:
    found: dict[str, str] = {}
    for field, after in zip(node.body, node.body[1:], strict=False):
        is_field = isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if is_field and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            text = " ".join(str(after.value.value).replace("``", "`").split())
            found[field.target.id] = text  # type: ignore[attr-defined]
    return found
