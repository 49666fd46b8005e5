"""A check that starts from a finding: the rows that were found, and examples around them."""

from __future__ import annotations

import json
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from audit.authoring.examples import prepare
from audit.authoring.one_line import one_line
from audit.authoring.samples import sample_rows
from audit.checks.load import load_policy
from audit.checks.policy import LoadedCheck, Policy
from audit.checks.targets import find_policy, target_of_nothing
from audit.errors import PolicyError
from audit.model.result import Finding, Result, VerdictRecord
from audit.tables.frames import columns_of
from audit.yamlfile.check import CheckFile, Example
from audit.yamlfile.expectation import NoJoin, Uniform
from audit.yamlfile.loader import display_name
from audit.yamlfile.shape import is_variable

_MADE_UP: Final = ("{", "[", "…")
"""What stands in a column of a finding in place of a value: ``{id}``, ``[email:…]``, a cut."""
_SERVER: Final = ("recipient", "host", "responder_ip")
_KEPT: Final = ("actions", "history", "vars")
_MOST_ROWS: Final = 300
"""Rows that are tried as the example of the finding, at most."""


def start_check(result: Path, fingerprint: str, folder: Path | None = None) -> Path:
    """Write a check of one finding into a policy's folder; return its path.

    ``fingerprint`` may be its beginning. Raises :class:`PolicyError` where the result, the finding
    or its check cannot be used.
    """
    verdict, finding, policy_id = _finding(result, fingerprint)
    policy = load_policy(folder or find_policy(policy_id))
    check = next((item for item in policy.checks if item.file.id == verdict.check), None)
    if check is None:
        raise PolicyError(
            f"policy '{policy.id}' has no check '{verdict.check}'",
            hint="name the policy's folder with -o",
        )
    made = _made(policy, check, finding)
    name = made["id"]
    path = policy.folder / "checks" / f"{name.removeprefix(policy.id + '.').replace('.', '-')}.yaml"
    if path.exists() or any(item.file.id == name for item in policy.checks):
        raise PolicyError(f"the check '{name}' is there already", source=display_name(path))
    path.write_text(_text(made, check, finding), encoding="utf-8")
    return path


def _finding(path: Path, fingerprint: str) -> tuple[VerdictRecord, Finding, str]:
    name = display_name(path)
    try:
        result = Result.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise PolicyError(
            f"the result cannot be read: {error.strerror or error}", source=name
        ) from None
    except (ValueError, ValidationError):
        raise PolicyError("this is no result.json", source=name) from None
    found = [
        (verdict, finding)
        for verdict in result.verdicts
        for finding in verdict.findings
        if finding.fingerprint.startswith(fingerprint.lower())
    ]
    if not fingerprint or len(found) != 1:
        known = [f.fingerprint[:12] for v in result.verdicts for f in v.findings]
        what = "several findings have" if len(found) > 1 else "no finding has"
        hint = "findings: " + (" ".join(known[:20]) or "none")
        raise PolicyError(f"{what} the fingerprint '{fingerprint}'", source=name, hint=hint)
    return (*found[0], result.policy.id)


def _made(policy: Policy, check: LoadedCheck, finding: Finding) -> dict[str, Any]:
    data: Any = check.located.data
    item = next((one for one in check.file.expect if one.id == finding.expectation), None)
    if item is None or not finding.columns:
        raise PolicyError(
            "this finding is of rows that are missing, or of an expectation that is gone",
            hint="start from the check itself",
        )
    table = item.right.from_ if isinstance(item, NoJoin) else item.from_
    where = dict((item.right.where if isinstance(item, NoJoin) else item.where) or {})
    match = _columns(policy, table, finding)
    if not match:
        raise PolicyError("nothing in this finding's columns is the same in another recording")
    where = {key: value for key, value in where.items() if key not in match}
    if isinstance(item, Uniform):
        match |= {f"{item.field}|exists": True}
    name = f"{check.file.id}-{finding.fingerprint[:8]}"
    made = {
        "id": name,
        "severity": finding.severity,
        "clause": data["clause"],
        **{key: data[key] for key in ("scope", "opaque") if key in data},
        "observe": [_one_kind(one) for one in data["observe"]],
        "exercise": [one for one in data["exercise"] if "actions" in one],
        "expect": [
            {
                "id": "found-once",
                "assert": "none",
                "from": table,
                **({"where": where} if where else {}),
                "match": match,
                "message": " ".join(finding.message.split()).replace("{", "(").replace("}", ")"),
            }
        ],
        "tests": _examples(data),
    }
    row = _row(policy, check, made, table, [where, match])
    made["tests"][1]["rows"] = {table: [row]}
    return made


def _one_kind(observed: dict[str, Any]) -> dict[str, Any]:
    """Ask for no more kinds than a finding has: it is of one."""
    if observed["capability"] != "identifiers.planted":
        return observed
    return {key: value for key, value in observed.items() if key != "min"}


def _row(
    policy: Policy,
    check: LoadedCheck,
    made: dict[str, Any],
    table: str,
    conditions: list[dict[str, Any]],
) -> dict[str, Any]:
    """Return a row that the new check finds; the plain cells alone where none was found."""
    plain = {
        key: value
        for condition in conditions
        for key, value in condition.items()
        if "|" not in key and not isinstance(value, list | dict) and not is_variable(value)
    }
    head = {key: getattr(check.file, key) for key in ("title", "version")}
    data = {"schema": "audit/check@1", **head, **made}
    data["tests"] = [{"name": "x", "verdict": "fail"}]
    new = LoadedCheck(file=CheckFile.model_validate(data), located=check.located, path=check.path)
    target = target_of_nothing(policy)
    samples = sample_rows(list(conditions), table, policy, target, [plain])
    for row in islice(chain([plain], samples), _MOST_ROWS):
        example = {"name": "x", "verdict": "fail", "hits": 1, "rows": {table: [row]}}
        try:
            if prepare(policy, target, new, Example.model_validate(example)).holds(new):
                return row
        except PolicyError:
            continue
    return plain


def _columns(policy: Policy, table: str, finding: Finding) -> dict[str, Any]:
    """Return the finding's columns as a condition; what differs between recordings is left out."""
    known = columns_of(table)
    found: dict[str, Any] = {}
    for name, value in finding.columns.items():
        column = name.removeprefix("right.")
        if column.split(".")[0] not in known:
            continue
        if value is None:
            found[f"{column}|exists"] = False
        elif column in _SERVER and value in policy.roles:
            found["peer_role"] = value
        elif known[column.split(".")[0]].type in {"text", "host", "ip"} and not any(
            sign in value for sign in _MADE_UP
        ):
            found[column] = value
    return found


def _examples(data: dict[str, Any]) -> list[dict[str, Any]]:
    passing = next((one for one in data["tests"] if one["verdict"] == "pass"), data["tests"][0])
    base = {key: passing[key] for key in _KEPT if key in passing}
    first = data["observe"][0]["capability"]
    return [
        {"name": "nothing of the kind", **base, "verdict": "pass"},
        {"name": "found again", "rows": {}, "verdict": "fail", "hits": 1},
        {"name": "nothing was done", "verdict": "inconclusive"},
        {"name": "not to be seen", **base, "without": [first], "verdict": "not_observable"},
    ]


def _text(made: dict[str, Any], check: LoadedCheck, finding: Finding) -> str:
    head = [
        f"# Started from finding {finding.fingerprint[:12]} of {check.file.id}; make it yours.",
        "schema: audit/check@1",
        f"id: {made.pop('id')}",
        f"title: {one_line('Not again: ' + finding.expectation.replace('-', ' '))}",
        "version: 0.1.0",
        f"severity: {made.pop('severity')}",
        "status: experimental # never gates; say 'stable' when the examples say what you mean",
    ]
    lines = list(head)
    for key, value in made.items():
        if isinstance(value, list):
            lines.append(f"{key}:")
            lines += [f"  - {one_line(item)}" for item in value]
        else:
            lines.append(f"{key}: {one_line(value)}")
    return "\n".join(lines) + "\n"
