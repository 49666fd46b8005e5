"""What lint says of policies, as SARIF 2.1.0: codes are rules, problems stand at their lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from audit.report.json import without_nothing
from audit.report.sarif_log import in_repository, message, render_log
from audit.yamlfile.problem import Problem

TOOL: Final = "privacy-audit-lint"


def render_lint(
    problems: Sequence[tuple[Problem, str | None]],
    rules: Mapping[str, tuple[str, str, str]],
    version: str,
    path_of: Callable[[str], str],
) -> bytes:
    """Return the log of one run.

    ``problems`` come with the reason that allows them, ``None`` where nothing does; what is
    allowed is a suppression in the source. ``rules`` are code -> title, why, what to do; those
    that no problem names are left out. ``path_of`` turns a problem's source into a path in the
    repository.
    """
    codes = sorted({problem.code for problem, _ in problems})
    index = {code: place for place, code in enumerate(codes)}
    results = [_result(problem, reason, index, path_of) for problem, reason in problems]
    driver = {"name": TOOL, "version": version, "rules": [_rule(code, rules) for code in codes]}
    errors = sum(problem.level == "error" and reason is None for problem, reason in problems)
    return render_log(
        {
            "tool": {"driver": driver},
            "automationDetails": {"id": f"{TOOL}/"},
            "columnKind": "unicodeCodePoints",
            "invocations": [{"executionSuccessful": True, "exitCode": 2 if errors else 0}],
            "results": results,
        }
    )


def _rule(code: str, rules: Mapping[str, tuple[str, str, str]]) -> dict[str, Any]:
    title, why, mend = rules.get(code, (code, code, code))
    return {
        "id": code,
        "shortDescription": message(title),
        "fullDescription": message(why),
        "help": {"text": message(f"{why}\n{mend}")["text"]},
        "defaultConfiguration": {"level": "warning" if code.startswith("W") else "error"},
        "properties": {"tags": ["policy"]},
    }


def _result(
    problem: Problem,
    reason: str | None,
    index: Mapping[str, int],
    path_of: Callable[[str], str],
) -> dict[str, Any]:
    text = ". ".join([problem.message, *problem.remarks()])
    suppression = {"kind": "inSource", "status": "accepted", "justification": reason}
    return {
        "ruleId": problem.code,
        "ruleIndex": index[problem.code],
        "kind": "fail",
        "level": problem.level,
        "message": message(text),
        "locations": [{"physicalLocation": _place(problem, path_of(problem.source))}],
        "suppressions": [] if reason is None else [without_nothing(suppression)],
    }


def _place(problem: Problem, path: str) -> dict[str, Any]:
    line = max(1, problem.line)
    column = max(1, problem.column)
    region: dict[str, Any] = {"startLine": line, "startColumn": column}
    region["endColumn"] = column + max(1, problem.length)
    if problem.excerpt.strip():
        region["snippet"] = {"text": problem.excerpt}
    return in_repository(path, region)
