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
    from audit.checks.lint import lint
    from audit.checks.load import load_policy

    failed = False
    for folder in _folders(policies):
        problems = lint(load_policy(folder))
        for problem in problems:
            error(str(problem))
        failed |= bool(problems)
        say(f"{folder.name}: {len(problems) or 'no'} problem{'' if len(problems) == 1 else 's'}")
    return 2 if failed else 0


@command.command(name="test")
@click.argument("policies", nargs=-1)
def test_command(policies: tuple[str, ...]) -> int:
    """Run the examples that stand in each check; exit 2 if one gives another verdict."""
    from audit.checks.examples import run_examples
    from audit.checks.load import load_policy

    failed = 0
    for folder in _folders(policies):
        results = run_examples(load_policy(folder))
        for result in results:
            if not result.ok:
                failed += 1
                error(str(result))
        say(f"{folder.name}: {len(results)} examples, {sum(not r.ok for r in results)} failed")
    return 2 if failed else 0


@command.command(name="coverage")
@click.argument("policy", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def coverage_command(policy: str | None, as_json: bool) -> None:
    """List every clause with its checks; clauses without a check are listed, too."""
    from audit.checks.load import load_policy
    from audit.checks.targets import find_policy

    loaded = load_policy(find_policy(policy))
    clauses = []
    for clause in loaded.file.clauses:
        checks = [check.file for check in loaded.checks if check.file.clause.id == clause.id]
        clauses.append(
            {
                "id": clause.id,
                "quote": clause.quote,
                "checks": [check.id for check in checks],
                "attest": any(check.attest is not None for check in checks),
            }
        )
    if as_json:
        click.echo(json.dumps({"clauses": clauses}, ensure_ascii=False, indent=2))
        return
    for entry in clauses:
        names = entry["checks"]
        say(f"{entry['id']}: {', '.join(names) if names else 'no check yet'}")  # type: ignore[arg-type]


def _folders(policies: tuple[str, ...]) -> list[Path]:
    from audit.checks.shipped import shipped_policies
    from audit.checks.targets import find_policy

    return [find_policy(name) for name in policies] or list(shipped_policies())
