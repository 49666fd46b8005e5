"""The generated pages for authors of policies: files and their keys, modifiers, codes of lint."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from audit.authoring.codes import CODES
from audit.authoring.field_docs import meanings_of
from audit.authoring.schema import MODELS, OUTPUTS, PLACES, parts_of
from audit.checks.modifiers import MODIFIERS, TESTS

_FROM = {
    "NoneOf": "expect, `assert: none`",
    "Every": "expect, `assert: every`",
    "Some": "expect, `assert: some`",
    "Uniform": "expect, `assert: uniform`",
    "NoJoin": "expect, `assert: no_join`",
    "Side": "`left` and `right` of `no_join`",
}


_OF_CODES = """\
`E0…` syntax and shape, `E1…` names and types, `E2…` and `W2…` honesty, `E3…` and `W3…` examples;
`E` stops a policy from being used, `W` does not. `audit policy lint --explain CODE` prints one.
A comment `# audit: allow CODE REASON` on the line, alone above it, or before the first key allows
what is marked *may be allowed*; it works on lint alone, and every use is printed.
"""
_GRAMMAR = """\
```
cond    := { key: value, ... }                 all keys must hold
key     := field ('|' modifier)*  | any | all | not
field   := column ('.' json-key)*              a dotted path leads into JSON columns
value   := scalar | [scalar, ...]              a list: one of them
any,all := [cond, ...]     not := cond
${name} := a whole scalar, typed in pack.yaml, may be a list
```
"""
_OF_CHAINS = """\
A chain of modifiers is typed: each takes some types and gives one, and the chain must end in a
test. A comparison with an absent value is undecided, and what is undecided is never a pass.
Patterns are RE2, at most 1000 characters. Durations are written `30m 7d`, sizes `1kB 4MiB`; months
are refused.
"""
_OF_FILES = """\
The keys of every YAML file, from the models that the loader uses. Unknown keys are errors.
`audit policy schema` prints the same as JSON Schema, for editors.
"""
_OF_RESULTS = """\
Schema `audit/result@1`, from the model that writes and reads it. `audit policy schema result`
prints the same as JSON Schema (2020-12); the package holds it as `audit/model/result.schema.json`.
A field that is not marked *needed* may be absent from the result of an earlier version. Texts are
redacted; times are UTC, ISO 8601. [What can be made of it](../outputs.md).
"""


def lint_codes_page() -> str:
    """Every code of ``audit policy lint`` and ``test``."""
    lines = [
        "# Codes of lint\n",
        _OF_CODES,
        "| code | what | why | what to do |",
        "|---|---|---|---|",
    ]
    for code in CODES.values():
        allowed = " *(may be allowed)*" if code.may_be_allowed else ""
        cells = (f"`{code.code}`", code.title + allowed, code.why, code.mend)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def modifiers_page() -> str:
    """Say the grammar of conditions, and every modifier."""
    lines = [
        "# Conditions and modifiers\n",
        _GRAMMAR,
        _OF_CHAINS,
        "| modifier | meaning | takes | gives |",
        "|---|---|---|---|",
    ]
    for modifier in MODIFIERS.values():
        takes = " ".join(sorted(modifier.takes - TESTS) + sorted(modifier.takes & TESTS))
        lines.append(f"| `{modifier.name}` | {modifier.meaning} | {takes} | {modifier.gives} |")
    return "\n".join(lines) + "\n"


def files_page() -> str:
    """Every YAML file with its keys."""
    lines = [
        "# Files and their keys\n",
        _OF_FILES,
    ]
    for kind, model in MODELS.items():
        lines.append(f"## `audit/{kind}@1` ({', '.join(f'`{place}`' for place in PLACES[kind])})\n")
        lines.append((model.__doc__ or "").split("\n")[0] + "\n")
        lines += _parts(model)
    return "\n".join(lines)


def result_page() -> str:
    """Every field of a result."""
    lines = ["# Fields of `result.json`\n", _OF_RESULTS, *_parts(OUTPUTS["result"])]
    return "\n".join(lines)


def _parts(model: type[BaseModel]) -> list[str]:
    lines = []
    for part in parts_of(model):
        if part is not model:
            name = _FROM.get(part.__name__, part.__name__)
            summary = " ".join((part.__doc__ or "").replace("``", "`").split())
            lines.append(f"**{name}**: {summary}\n")
        lines += ["| key | type | meaning |", "|---|---|---|"]
        meanings = meanings_of(part)
        for field_name, field in part.model_fields.items():
            key = field.alias or field_name
            needed = "" if not field.is_required() else " (needed)"
            kind_of = _type(part.model_json_schema(by_alias=True), key)
            lines.append(
                f"| `{key}`{needed} | {kind_of} | {meanings.get(key, '')} |".replace(
                    "|gte", "\\|gte"
                )
            )
        lines.append("")
    return lines


def _type(schema: dict[str, Any], key: str) -> str:
    return _words(schema["properties"][key], schema.get("$defs", {}))


def _words(node: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "$ref" in node:
        return node["$ref"].rsplit("/", 1)[-1]
    if "const" in node:
        return f"`{node['const']}`"
    if "enum" in node:
        words = node["enum"]
        return " ".join(f"`{word}`" for word in words) if len(words) <= 8 else "word"
    for union in ("anyOf", "oneOf"):
        if union in node:
            found = [
                _words(item, definitions) for item in node[union] if item.get("type") != "null"
            ]
            return " or ".join(dict.fromkeys(found))
    if node.get("type") == "array":
        return f"list of {_words(node.get('items', {}), definitions)}"
    if node.get("type") == "object":
        values = node.get("additionalProperties")
        inner = _words(values, definitions) if isinstance(values, dict) and values else "values"
        return f"map of {inner}"
    if str(node.get("pattern", "")).startswith("^\\$\\{"):
        return "`${variable}`"
    return {"string": "text", "integer": "whole number", "boolean": "true or false"}.get(
        str(node.get("type")), str(node.get("type", "value"))
    )
