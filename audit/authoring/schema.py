"""JSON Schema (2020-12) of every YAML file and of results, made from the models in use.

An editor completes keys, words and ``column|modifier`` with it. What a file means is decided by
the loader and lint, never by the schema: it knows no variables, lists, roles or kinds of a policy.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import BaseModel

from audit.authoring.condition_schema import condition_schemas, name_of_table
from audit.authoring.field_docs import meanings_of
from audit.model.result import Result
from audit.tables.rows import TABLES
from audit.yamlfile import (
    attestations,
    check,
    gate,
    lists,
    pack,
    policy,
    sources,
    steps,
    target,
    waivers,
)

MODELS: Final[dict[str, type[BaseModel]]] = {
    "policy": policy.PolicyFile,
    "pack": pack.PackFile,
    "check": check.CheckFile,
    "list": lists.ListFile,
    "target": target.TargetFile,
    "gate": gate.GateFile,
    "waivers": waivers.WaiversFile,
    "attestations": attestations.AttestationsFile,
    "steps": steps.StepsFile,
    "sources": sources.SourcesFile,
}
"""Kind of file that people write -> its model."""
OUTPUTS: Final[dict[str, type[BaseModel]]] = {"result": Result}
"""Kind of file that the toolkit writes -> its model."""
PLACES: Final[dict[str, tuple[str, ...]]] = {
    "policy": ("**/policy.yaml",),
    "pack": ("**/pack.yaml",),
    "check": ("**/checks/*.yaml",),
    "list": ("**/lists/*.yaml",),
    "target": ("**/target.yaml",),
    "gate": ("**/gate.yaml",),
    "waivers": ("**/waivers.yaml",),
    "attestations": ("**/attestations.yaml",),
    "steps": ("**/steps.yaml", "**/steps/*.yaml"),
    "sources": ("**/sources.yaml",),
}
"""Kind of file -> where an editor finds it."""
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_OVER_A_TABLE: Final = (
    "NoneOf",
    "Every",
    "Some",
    "Uniform",
    "Side",
    "Exercise",
    "Unsure",
    "Report",
)
"""Parts of a check with a ``from``."""


def schema_of(kind: str) -> dict[str, Any]:
    """Return the schema of a kind of file, a key of :data:`MODELS` or :data:`OUTPUTS`."""
    whole = (MODELS | OUTPUTS)[kind]
    made = _mended(whole.model_json_schema(by_alias=True))
    for model in parts_of(whole):
        node = made if model is whole else made["$defs"][model.__name__]
        for key, meaning in meanings_of(model).items():
            node["properties"][key].setdefault("description", meaning)
    if kind == "check":
        _add_tables(made)
    return {"$schema": _DIALECT, **made, "title": f"audit/{kind}@1"}


def parts_of(model: type[BaseModel]) -> list[type[BaseModel]]:
    """Return a model and every model that it is made of, in the order of their first use."""
    found = [model]
    for one in found:
        for field in one.model_fields.values():
            found += [part for part in _models_in(field.annotation) if part not in found]
    return found


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    inner = [part for argument in get_args(annotation) for part in _models_in(argument)]
    return list(dict.fromkeys(inner))


def _mended(node: Any) -> Any:
    """Turn ``oneOf`` without a discriminator into ``anyOf``: a text may be value and variable."""
    if isinstance(node, list):
        return [_mended(item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {key: _mended(value) for key, value in node.items()}
    for written, meant in (("ge", "minimum"), ("le", "maximum")):
        if written in found:
            found[meant] = found.pop(written)
    if "oneOf" in found and "discriminator" not in found:
        found["anyOf"] = found.pop("oneOf")
    if found.get("type") == "object" and found.get("title") and "description" in found:
        found["description"] = found["description"].split("\n\n")[0]
    return found


def _add_tables(schema: dict[str, Any]) -> None:
    """Say for each part with a ``from`` which keys its conditions may have."""
    definitions = schema["$defs"]
    definitions.update(condition_schemas())
    for part in _OVER_A_TABLE:
        model = definitions[part]
        model["properties"]["from"] = {"enum": list(TABLES), "description": "table that is read"}
        conditions = [key for key in ("where", "match") if key in model["properties"]]
        model["allOf"] = [
            {
                "if": {"properties": {"from": {"const": table}}, "required": ["from"]},
                "then": {
                    "properties": {
                        key: {"$ref": f"#/$defs/{name_of_table(table)}"} for key in conditions
                    }
                },
            }
            for table in TABLES
        ]
        for key in conditions:
            model["properties"][key] = {"description": "condition; see 'from' for its columns"}
    observed = definitions["Observe"]["properties"]
    observed["where"] = {"$ref": f"#/$defs/{name_of_table('conversations')}"}


def write_schemas(folder: Path) -> list[Path]:
    """Write the schema of every kind of file into a folder; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for kind in (*MODELS, *OUTPUTS):
        path = folder / f"{kind}.schema.json"
        path.write_text(
            json.dumps(schema_of(kind), ensure_ascii=False, separators=(",", ":")) + "\n",
            encoding="utf-8",
        )
        written.append(path)
    return written


def write_vscode(folder: Path) -> list[Path]:
    """Write the schemas below ``.vscode`` and point its settings at them; keep other settings.

    Raises ``ValueError`` where the settings are no JSON object.
    """
    settings_path = folder / ".vscode" / "settings.json"
    settings: Any = {}
    if settings_path.exists():
        settings = json.loads(settings_path.read_text(encoding="utf-8"))
        if not isinstance(settings, dict):
            raise ValueError("the settings are no JSON object")
    written = write_schemas(folder / ".vscode" / "audit")
    known = settings.setdefault("yaml.schemas", {})
    for kind, places in PLACES.items():
        known[f"./.vscode/audit/{kind}.schema.json"] = list(places)
    settings_path.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    return [*written, settings_path]
