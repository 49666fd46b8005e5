"""``audit mark``: a person notes an action in the recording that runs."""

from __future__ import annotations

from pathlib import Path

import click

from audit.bundle.journal import JournalLine, JournalWriter, now
from audit.bundle.layout import MANIFEST
from audit.bundle.manifest import read_manifest
from audit.cli.output import say
from audit.cli.place import CAPTURES
from audit.errors import UsageError
from audit.tables.vocabulary import ACTIONS


@click.command(name="mark", help="Note an action in the recording that runs.")
@click.argument("action", type=click.Choice(ACTIONS))
@click.option("--note", default="", help="Free detail.")
@click.option("--failed", is_flag=True, help="The action was tried and did not work.")
@click.option(
    "--capture",
    type=click.Path(path_type=Path),
    help="The recording's folder; default: the one under captures/ that runs.",
)
def command(action: str, note: str, failed: bool, capture: Path | None) -> None:
    """Append one line of driver ``manual`` to the journal."""
    folder = capture or _running()
    if read_manifest(folder).status != "recording":
        raise UsageError("this recording has ended", source=str(folder))
    writer = JournalWriter(folder)
    writer.write(JournalLine(ts=now(), driver="manual", action=action, ok=not failed, note=note))
    writer.close()
    say(f"noted {action} in {folder}")


def _running() -> Path:
    folders = [
        path.parent
        for path in CAPTURES.glob(f"**/{MANIFEST}")
        if read_manifest(path.parent).status == "recording"
    ]
    if len(folders) != 1:
        raise UsageError(
            f"{len(folders) or 'no'} recordings run under {CAPTURES}/",
            hint="name one with --capture",
        )
    return folders[0]
