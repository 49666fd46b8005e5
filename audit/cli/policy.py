"""``audit policy``: lint and test policies, list what they cover."""

from __future__ import annotations

import json
from pathlib import Path

import click

from audit.cli.output import error, say


@click.group(name="policy", help="Lint and test policies, list what they cover.")
def command() -> None:
    """Without a path, ``lint`` and ``test`` take every shipped policy."""


@command.command(name="lint")
@click.argument("policies", nargs=-1)
def lint_command(policies: tuple[str, ...]) -> int:
    """Say every mistake of every file at once, each at its place; exit 2 if there is one."""
    from audit.authoring.lint import lint_folder

    failed = False
    for folder in _folders(policies):
        problems = lint_folder(folder)
        for problem in problems:
            error(problem.render())
        errors = [problem for problem in problems if problem.code.startswith("E")]
        failed |= bool(errors)
        say(f"{folder.name}: {len(errors)} errors, {len(problems) - len(errors)} warnings")
    return 2 if failed else 0


@command.command(name="test")
@click.argument("policies", nargs=-1)
def test_command(policies: tuple[str, ...]) -> int:
    """Run the examples that stand in each check; exit 2 if one gives another verdict."""
    from audit.authoring.examples import run_examples
    from audit.checks.load import load_policy

    failed = 0
    for folder in _folders(policies):
        results = run_examples(load_policy(folder))
        wrong = [result for result in results if result.problems]
        for result in wrong:
            for problem in result.problems:
                error(problem.render())
        failed += len(wrong)
        say(f"{folder.name}: {len(results)} examples, {len(wrong)} failed")
    return 2 if failed else 0


@command.command(name="coverage")
@click.argument("policy", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def coverage_command(policy: str | None, as_json: bool) -> None:
    """List every clause with its checks; clauses without a check are listed, too."""
    from audit.authoring.coverage import clause_coverage
    from audit.checks.load import load_policy
    from audit.checks.targets import find_policy

    coverage = clause_coverage(load_policy(find_policy(policy)))
    if as_json:
        click.echo(json.dumps(coverage, ensure_ascii=False, indent=2))
        return
    for clause in coverage["clauses"]:
        say(f"{clause['id']}: {', '.join(clause['checks']) or 'no check yet'}")


def _folders(policies: tuple[str, ...]) -> list[Path]:
    from audit.checks.shipped import shipped_policies
    from audit.checks.targets import find_policy

    return [find_policy(name) for name in policies] or list(shipped_policies())
