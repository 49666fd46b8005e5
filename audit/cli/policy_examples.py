"""``audit policy test``: the examples of each check, and the mutants that none of them notices."""

from __future__ import annotations

import click

from audit.cli.output import error, say
from audit.cli.policy import policy_folders


@click.command(name="test")
@click.argument("policies", nargs=-1)
def command(policies: tuple[str, ...]) -> int:
    """Run the examples that stand in each check; exit 2 if one gives another verdict."""
    from audit.authoring.examples import run_examples
    from audit.checks.load import load_policy

    failed = 0
    for folder in policy_folders(policies):
        results = run_examples(load_policy(folder))
        wrong = [result for result in results if result.problems]
        for result in wrong:
            for problem in result.problems:
                error(problem.render())
        failed += len(wrong)
        say(f"{folder.name}: {len(results)} examples, {len(wrong)} failed")
    return 2 if failed else 0
