"""``audit probe``: what is given to a party today, to ask later whether it is still there."""

from __future__ import annotations

from typing import Final

import click

from audit.cli.lazy import LazyGroup

COMMANDS: Final = {
    "send": ("audit.cli.probe_send", "Send a probe to a URL and note it in the journal."),
}
"""Name -> module (its command is called ``command``) and one line of help."""


@click.group(name="probe", cls=LazyGroup, modules=COMMANDS)
def command() -> None:
    """Seed what a later import of records is searched for."""
