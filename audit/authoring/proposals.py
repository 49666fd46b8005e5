"""Near misses: examples in which a check and a surviving mutant of it differ.

They are for the author to accept, never accepted by themselves: a generated expectation says what
the check does, not what it should.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, Final

from pydantic import ValidationError

from audit.authoring.examples import prepare
from audit.authoring.mutation import Survivor
from audit.authoring.near_misses import differing
from audit.authoring.one_line import one_line
from audit.authoring.samples import sample_rows
from audit.checks.policy import LoadedCheck, Policy, Target
from audit.checks.targets import target_of_nothing
from audit.tables.vocabulary import KINDS, PLATFORMS
from audit.yamlfile.check import Example
from audit.yamlfile.problem import PolicyFileError

MOST_TRIED: Final = 150
"""Examples that are judged for one proposal, at most."""
_PARTS: Final = ("where", "match")


def propose(policy: Policy, survivor: Survivor, target: Target | None = None) -> str | None:
    """Return an example, as a line of YAML, that notices the mutant; ``None`` if none was found."""
    base = target or target_of_nothing(policy)
    for tried, data in enumerate(_edits(policy, survivor, base)):
        if tried >= MOST_TRIED:
            return None
        found = _judged(policy, base, survivor.check, data)
        other = _judged(policy, base, survivor.mutated, data)
        if found is None or other is None or found == other:
            continue
        verdict, hits, _ = found
        name = f"without {survivor.mutant.what} this would be "
        name += other[0] if other[0] != verdict else f"{other[1]} findings"
        said = {"name": name, **{k: v for k, v in data.items() if v}, "verdict": verdict}
        if verdict == "fail":
            said["hits"] = hits
        return "- " + one_line(said)
    return None


def _judged(
    policy: Policy, base: Target, check: LoadedCheck, data: dict[str, Any]
) -> tuple[str, int, dict[str, int]] | None:
    try:
        example = Example.model_validate({"name": "near miss", "verdict": "pass", **data})
        verdict, reported = prepare(policy, base, check, example).judged(check)
    except (ValidationError, PolicyFileError):
        return None
    counts = {entry["id"]: entry["count"] for entry in reported}
    return verdict.outcome.value, len(verdict.findings), counts


def _edits(policy: Policy, survivor: Survivor, target: Target) -> Iterator[dict[str, Any]]:
    """Yield examples that may tell check and mutant apart, those that change least first."""
    path = survivor.mutant.path
    part, step = path[0], path[1] if len(path) > 1 else None
    for base in _bases(survivor.check):
        if part == "scope":
            yield from ({**base, "platform": platform} for platform in PLATFORMS)
        elif part == "opaque":
            yield _with_row(base, "http_requests", {"content": "opaque"})
        elif part == "observe":
            yield from _unobserved(base, survivor, policy, target)
        elif part == "exercise" and "actions" in path:
            yield from _undone(base, survivor, policy)
        elif part == "exercise" and step is not None:
            yield from _unexercised(base, survivor)
        yield from _more_rows(base, survivor, policy, target)


def _bases(check: LoadedCheck) -> list[dict[str, Any]]:
    """Return the examples to start from: one that passes, else one in which all is done."""
    data: Any = check.located.data
    kept = [
        {key: example[key] for key in _KEPT if key in example}
        for example in sorted(data["tests"], key=lambda item: item["verdict"] != "pass")
    ]
    return kept[:2]


_KEPT: Final = ("actions", "history", "rows", "without", "planted", "vars")


def _with_row(base: dict[str, Any], table: str, *rows: dict[str, Any]) -> dict[str, Any]:
    data = copy.deepcopy(base)
    data.setdefault("rows", {}).setdefault(table, []).extend(rows)
    return data


def _undone(base: dict[str, Any], survivor: Survivor, policy: Policy) -> Iterator[dict[str, Any]]:
    """Yield the example without one of its actions."""
    actions = base.get("actions")
    if isinstance(actions, str):
        found = policy.variables().resolve(actions)
        actions = found if isinstance(found, list) else []
    names = [*(actions or []), *base.get("history", {})]
    gone = survivor.check.located.value(survivor.mutant.path)
    for name in sorted(set(names), key=lambda item: item != gone):
        yield base | {
            "actions": [item for item in actions or [] if item != name],
            "history": {k: v for k, v in base.get("history", {}).items() if k != name},
        }


def _unexercised(base: dict[str, Any], survivor: Survivor) -> Iterator[dict[str, Any]]:
    """Yield the example with fewer rows, fewer actions, or younger ones."""
    item: Any = survivor.check.located.value(survivor.mutant.path[:2])
    table = item.get("from")
    rows = base.get("rows", {}).get(table, [])
    for count in range(len(rows)):
        yield base | {"rows": base["rows"] | {table: rows[:count]}}
    for index, row in enumerate(rows):
        if row.get("repeat", 1) > 1:
            single = [*rows[:index], row | {"repeat": 1}, *rows[index + 1 :]]
            yield base | {"rows": base["rows"] | {table: single}}
    most = item.get("max")
    if table is not None and isinstance(most, int):
        for row in rows[:1] or [{}]:
            yield _with_row(base, table, row | {"repeat": most + 1})
    if "actions" in item:
        done = item["actions"] if isinstance(item["actions"], list) else []
        kept = base.get("actions")
        kept = [name for name in kept if name not in done] if isinstance(kept, list) else []
        yield base | {"actions": kept, "history": {}}
        yield base | {"actions": [*kept, *done], "history": {}}


def _unobserved(
    base: dict[str, Any], survivor: Survivor, policy: Policy, target: Target
) -> Iterator[dict[str, Any]]:
    item: Any = survivor.check.located.value(survivor.mutant.path[:2])
    yield base | {"without": [item["capability"]]}
    if "source" in item:
        yield base | {"without": [f"{item['capability']}:{item['source']}"]}
    if item["capability"] == "identifiers.planted":
        for kind in KINDS:
            yield base | {"planted": [kind]}
        for count in range(1, len(KINDS)):
            yield base | {"planted": list(KINDS[:count])}
    if item["capability"] == "transport.opened":
        opened = {"transport": "tls-keys"}
        closed = {"transport": "tls-passthrough"}
        yield _with_row(base, "conversations", opened | {"repeat": 39}, closed)
        where = item.get("where")
        for row in sample_rows([where or {}], "conversations", policy, target):
            yield _with_row(base, "conversations", opened, row | closed)


def _more_rows(
    base: dict[str, Any], survivor: Survivor, policy: Policy, target: Target
) -> Iterator[dict[str, Any]]:
    """Yield the example with one more row of the table that the mutant is about."""
    path = survivor.mutant.path
    if len(path) < 2:
        return
    item: Any = survivor.check.located.value(path[:2])
    for side in (item, item.get("left"), item.get("right")):
        if not isinstance(side, dict) or "from" not in side:
            continue
        table = side["from"]
        conditions = [side[key] for key in _PARTS if isinstance(side.get(key), dict)]
        seeds = _rows_of(survivor.check, table)
        rows = list(sample_rows(conditions, table, policy, target, seeds))
        for row in differing(survivor, policy, target, table, rows):
            if path[0] == "exercise":
                yield base | {"rows": base.get("rows", {}) | {table: [row]}}
            yield _with_row(base, table, row)
            for field in _grouped(item):
                yield _with_row(base, table, row, row | {field: "other"})


def _rows_of(check: LoadedCheck, table: str) -> list[dict[str, Any]]:
    data: Any = check.located.data
    rows = [row for example in data["tests"] for row in example.get("rows", {}).get(table, [])]
    return rows[:8]


def _grouped(item: dict[str, Any]) -> list[str]:
    return [item["field"], *item["group_by"]] if "group_by" in item else []
