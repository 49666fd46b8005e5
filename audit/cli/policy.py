"""``audit policy``: the authoring commands, one file each, loaded when they are called."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from audit.cli.lazy import LazyGroup

COMMANDS: Final = {
    "new": ("audit.cli.policy_new", "Start a policy from its text, or a check from a finding."),
    "lint": ("audit.cli.policy_lint", "Say every mistake of a policy, each at its place."),
    "test": ("audit.cli.policy_examples", "Run the examples of each check."),
    "explain": ("audit.cli.policy_explain", "Say in prose what a check tests."),
    "try": ("audit.cli.policy_try", "Show which rows of a capture a check matches, key by key."),
    "schema": ("audit.cli.policy_schema", "Print JSON Schemas of the files, for editors."),
    "coverage": ("audit.cli.policy_coverage", "List every clause with its checks."),
}
"""Name -> module (its command is called ``command``) and one line of help."""


@click.group(name="policy", cls=LazyGroup, modules=COMMANDS)
def command() -> None:
    """Write, lint, test and explain the checks of a policy.

    Without a path, 'lint' and 'test' take every shipped policy.
    """


def policy_folders(policies: tuple[str, ...]) -> list[Path]:
    """Return the folders that a call means: paths or ids of shipped policies, or all of these."""
    from audit.checks.shipped import shipped_policies
    from audit.checks.targets import find_policy

    return [find_policy(name) for name in policies] or list(shipped_policies())
