"""``audit tables``: the evidence tables of a capture, for a notebook or a second opinion."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from audit.cli.output import say
from audit.errors import UsageError
from audit.tables.rows import TABLES

if TYPE_CHECKING:
    import pandas as pd

FORMATS: Final = ("csv", "json", "parquet")


@click.command(name="tables", help="Print the evidence tables of a capture, or write them.")
@click.argument("capture", type=click.Path(path_type=Path))
@click.argument("table", required=False)
@click.option("--format", "format_", type=click.Choice(FORMATS), default="csv", show_default=True)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="Folder for TABLE.FORMAT, or for all."
)
@click.option("--policy", help="Policy whose roles name the servers; default: the capture's.")
@click.option("--target", help="Target: a name or a path; default: the capture's.")
@click.option("--identity", type=click.Path(path_type=Path), help="File of the subject's values.")
def command(
    capture: Path,
    table: str | None,
    format_: str,
    out: Path | None,
    policy: str | None,
    target: str | None,
    identity: Path | None,
) -> None:
    """Print one table; without TABLE the name and row count of each, or with --out all of them.

    The rows hold the subject's own values: they are evidence, not a report.
    """
    if table is not None and table not in TABLES:
        raise UsageError(f"there is no table {table!r}", hint="tables: " + " ".join(TABLES))
    if table and out is None and format_ == "parquet" and sys.stdout.isatty():
        raise UsageError("Parquet is no text for a terminal", hint="name a folder with --out")
    frames = _frames(capture, policy, target, identity)
    if table is not None:
        frames = {table: frames[table]}
    if out is not None:
        _write(frames, format_, out)
    elif table is None:
        for name, frame in frames.items():
            say(f"{name} {len(frame)}")
    else:
        click.echo(_encoded(table, frames[table], format_), nl=False)


def _frames(
    capture: Path, policy: str | None, target: str | None, identity: Path | None
) -> dict[str, pd.DataFrame]:
    from audit.checks.targets import locate_judged
    from audit.cli.judging import open_captures, read_all, read_subject
    from audit.evidence.context import EvidenceContext

    opened = open_captures([capture])
    loaded, chosen, _ = locate_judged(target, policy, opened.recorded)
    subject = read_subject(identity, loaded) if identity else None
    context = EvidenceContext.of(loaded, chosen.file, identity=subject)
    return dict(read_all(opened, context)[0].tables)


def _encoded(table: str, frame: pd.DataFrame, format_: str) -> bytes:
    from audit.cli.exporting import WRITERS

    return WRITERS[format_](table, frame)


def _write(frames: dict[str, pd.DataFrame], format_: str, out: Path) -> None:
    from audit.cli.judging import write_whole

    for name, frame in frames.items():
        path = write_whole(out / f"{name}.{format_}", _encoded(name, frame, format_))
        say(f"{path} {len(frame)}")
