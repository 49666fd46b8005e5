"""``audit policy explain``: a check, or a clause with its checks, in prose."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Final

import click

from audit.cli.output import say
from audit.errors import UsageError

_WIDTH: Final = 100


@click.command(name="explain")
@click.argument("name", metavar="ID")
@click.option("--policy", help="Policy: a name or a path; default: whichever shipped one has ID.")
def command(name: str, policy: str | None) -> None:
    """Say what a check (or each check of a clause) tests, read from the check itself."""
    from audit.authoring.explain import explain
    from audit.checks.load import load_policy
    from audit.cli.policy import policy_folders
    from audit.yamlfile.problem import did_you_mean

    known: list[str] = []
    for folder in policy_folders((policy,) if policy else ()):
        loaded = load_policy(Path(folder))
        blocks = explain(loaded, name)
        if blocks is not None:
            for heading, lines in blocks:
                _print(heading, lines)
            return
        known += [*loaded.clauses, *(check.file.id for check in loaded.checks)]
    raise UsageError(
        f"there is no check or clause '{name}'",
        hint=did_you_mean(name, tuple(known)) or "'audit policy coverage' lists them",
    )


def _print(heading: str, lines: list[str]) -> None:
    if heading:
        say()
        say(heading)
    for line in lines:
        say(
            textwrap.fill(
                line, _WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False
            )
        )
