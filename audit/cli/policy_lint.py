"""``audit policy lint``: every mistake of every file at once, each at its place."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from audit.cli.output import error, say
from audit.cli.place import path_in_repository
from audit.cli.policy import policy_folders
from audit.errors import UsageError

if TYPE_CHECKING:
    from audit.authoring.lint import Linted
    from audit.yamlfile.problem import Problem

STYLES: Final = ("text", "json", "sarif")


@click.command(name="lint")
@click.argument("policies", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--format",
    "style",
    type=click.Choice(STYLES),
    default=STYLES[0],
    show_default=True,
    help="On standard output; 'sarif' is SARIF 2.1.0.",
)
@click.option("--explain", metavar="CODE", help="Explain a code, such as E204; lints nothing.")
def command(policies: tuple[str, ...], as_json: bool, style: str, explain: str | None) -> int:
    """Say every mistake of every file at once, each at its place; exit 2 if one is an error.

    A warning is allowed, with a reason, by a comment on its line: '# audit: allow CODE REASON'.
    """
    if explain is not None:
        return _explain(explain)
    from audit.authoring.lint import lint_folders

    found = lint_folders(policy_folders(policies))
    if style == "sarif":
        sys.stdout.buffer.write(_as_sarif(found))
    elif as_json or style == "json":
        click.echo(json.dumps(_as_json(found), ensure_ascii=False, indent=2))
    else:
        for one in found:
            _print(one)
    return 2 if any(one.errors for one in found) else 0


def _explain(code: str) -> int:
    from audit.authoring.codes import CODES
    from audit.yamlfile.problem import did_you_mean

    known = CODES.get(code.upper())
    if known is None:
        hint = did_you_mean(code.upper(), tuple(CODES)) or f"codes: {' '.join(CODES)}"
        raise UsageError(f"there is no code '{code}'", hint=hint)
    for line in known.explain().split("\n"):
        say(line)
    return 0


def _print(one: Linted) -> None:
    for problem in one.problems:
        error(problem.render())
    for item in one.allowed:
        say(f"{item.problem.place}: {item.problem.code} is allowed: {item.reason}")
    warnings = len(one.problems) - one.errors
    allowed = f", {len(one.allowed)} allowed" if one.allowed else ""
    say(f"{one.folder.name}: {one.errors} errors, {warnings} warnings{allowed}")


def _as_json(found: list[Linted]) -> dict[str, Any]:
    return {
        "policies": [
            {
                "policy": one.folder.name,
                "errors": one.errors,
                "problems": [_problem(problem) for problem in one.problems],
                "allowed": [
                    _problem(item.problem) | {"reason": item.reason} for item in one.allowed
                ],
            }
            for one in found
        ]
    }


def _as_sarif(found: list[Linted]) -> bytes:
    import audit
    from audit.authoring.codes import CODES
    from audit.report.sarif_lint import render_lint

    problems: list[tuple[Problem, str | None]] = []
    for one in found:
        problems += [(problem, None) for problem in one.problems]
        problems += [(item.problem, item.reason) for item in one.allowed]
    rules = {code.code: (code.title, code.why, code.mend) for code in CODES.values()}
    return render_lint(problems, rules, audit.__version__, _path_of)


def _path_of(source: str) -> str:
    """Return where a file lies in the user's repository; a shipped one, as in this project's."""
    from audit.checks.shipped import shipped_root

    path, shipped = Path(source).resolve(), shipped_root()
    inside = path_in_repository(path)
    if inside is None and shipped is not None and path.is_relative_to(shipped):
        inside = f"policies/{path.relative_to(shipped).as_posix()}"
    return inside or path.name


def _problem(problem: Problem) -> dict[str, Any]:
    return asdict(problem) | {"level": problem.level}
