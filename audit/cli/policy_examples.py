"""``audit policy test``: the examples of each check, and the mutants that none of them notices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from audit.cli.output import error, say
from audit.cli.policy import policy_folders

if TYPE_CHECKING:
    from audit.checks.policy import Policy


@click.command(name="test")
@click.argument("policies", nargs=-1)
@click.option(
    "--mutate", is_flag=True, help="Drop each part of each check in turn; an example must notice."
)
@click.option("--propose", is_flag=True, help="With --mutate: print rows that would notice.")
@click.option("--update", is_flag=True, help="Keep what failing examples say, in messages.txt.")
def command(policies: tuple[str, ...], mutate: bool, propose: bool, update: bool) -> int:
    """Run the examples that stand in each check; exit 2 if one gives another verdict.

    With --mutate also exit 2 if more parts of a check go unnoticed than its 'max_survivors'.
    Where the policy keeps its messages (messages.txt, written by --update), they must be the same.
    Proposed rows are for the author to judge: they say what the check does, not what it should.
    """
    from audit.checks.load import load_policy

    failed = 0
    for folder in policy_folders(policies):
        policy = load_policy(folder)
        failed += _run(folder, policy, update=update)
        if mutate or propose:
            failed += _mutate(folder.name, policy, show_rows=propose)
    return 2 if failed else 0


def _run(folder: Path, policy: Policy, *, update: bool) -> int:
    from audit.authoring.examples import run_examples
    from audit.authoring.wording import changed_wording, write_wording

    results = run_examples(policy)
    wrong = [result for result in results if result.problems]
    for result in wrong:
        for problem in result.problems:
            error(problem.render())
    say(f"{folder.name}: {len(results)} examples, {len(wrong)} failed")
    if update and not wrong:
        say(str(write_wording(folder, results)))
        return 0
    changed = [] if wrong else list(changed_wording(folder, results))
    for problem in changed:
        error(problem.render())
    return len(wrong) + len(changed)


def _mutate(name: str, policy: Policy, *, show_rows: bool) -> int:
    from audit.authoring.mutation import mutate
    from audit.authoring.proposals import propose

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
    say(f"{name}: {tried} mutants, {survived} survive, {excused} allowed")
    return failed
