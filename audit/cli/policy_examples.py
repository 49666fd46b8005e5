"""``audit policy test``: the examples of each check, and the mutants that none of them notices."""

from __future__ import annotations

from pathlib import Path

import click

from audit.cli.output import error, say
from audit.cli.policy import policy_folders


@click.command(name="test")
@click.argument("policies", nargs=-1)
@click.option(
    "--mutate", is_flag=True, help="Drop each part of each check in turn; an example must notice."
)
@click.option("--propose", is_flag=True, help="With --mutate: print rows that would notice.")
def command(policies: tuple[str, ...], mutate: bool, propose: bool) -> int:
    """Run the examples that stand in each check; exit 2 if one gives another verdict.

    With --mutate also exit 2 if more parts of a check go unnoticed than its 'max_survivors'.
    Proposed rows are for the author to judge: they say what the check does, not what it should.
    """
    failed = 0
    for folder in policy_folders(policies):
        failed += _run(folder)
        if mutate or propose:
            failed += _mutate(folder, show_rows=propose)
    return 2 if failed else 0


def _run(folder: Path) -> int:
    from audit.authoring.examples import run_examples
    from audit.checks.load import load_policy

    results = run_examples(load_policy(folder))
    wrong = [result for result in results if result.problems]
    for result in wrong:
        for problem in result.problems:
            error(problem.render())
    say(f"{folder.name}: {len(results)} examples, {len(wrong)} failed")
    return len(wrong)


def _mutate(folder: Path, *, show_rows: bool) -> int:
    from audit.authoring.mutation import mutate
    from audit.authoring.proposals import propose
    from audit.checks.load import load_policy

    policy = load_policy(folder)
    tried = survived = excused = failed = 0
    for found in mutate(policy):
        tried += found.tried
        survived += len(found.survivors)
        excused += len(found.allowed)
        failed += found.too_many
        for survivor in found.survivors:
            error(survivor.problem.render())
            if show_rows:
                say(propose(policy, survivor) or "  no row was found that would notice")
    say(f"{folder.name}: {tried} mutants, {survived} survive, {excused} allowed")
    return failed
