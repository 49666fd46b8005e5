"""``audit tables``: the evidence tables of a capture, for a notebook or a second opinion."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audit.cli.output import say
from audit.errors import UsageError
from audit.tables.rows import TABLES

if TYPE_CHECKING:
    import pandas as pd


@click.command(name="tables", help="Print the evidence tables of a capture.")
@click.argument("capture", type=click.Path(path_type=Path))
@click.argument("table", required=False)
@click.option("--format", "format_", type=click.Choice(["csv", "json"]), default="csv")
@click.option("--policy", help="Policy whose roles name the servers; default: the capture's.")
@click.option("--target", help="Target: a name or a path; default: the capture's.")
@click.option("--identity", type=click.Path(path_type=Path), help="File of the subject's values.")
def command(
    capture: Path,
    table: str | None,
    format_: str,
    policy: str | None,
    target: str | None,
    identity: Path | None,
) -> None:
    """Print one table, or without TABLE the name and row count of each.

    The rows hold the subject's own values: they are evidence, not a report.
    """
    from audit.checks.targets import locate_target
    from audit.cli.judging import open_captures, read_all, read_subject
    from audit.evidence.context import EvidenceContext

    if table is not None and table not in TABLES:
        raise UsageError(f"there is no table {table!r}", hint="tables: " + " ".join(TABLES))
    opened = open_captures([capture])
    recorded = next(iter(opened.targets), (None, None))
    loaded, chosen = locate_target(target or recorded[1], policy or recorded[0])
    subject = read_subject(identity, loaded) if identity else None
    context = EvidenceContext.of(loaded, chosen.file, identity=subject)
    frames = read_all(opened, context)[0].tables
    if table is None:
        for name, frame in frames.items():
            say(f"{name} {len(frame)}")
        return
    click.echo(_text(frames[table], format_), nl=False)


def _text(frame: pd.DataFrame, format_: str) -> str:
    if format_ == "json":
        return (
            json.dumps(
                json.loads(frame.to_json(orient="records", date_format="iso", date_unit="us")),
                indent=1,
            )
            + "\n"
        )
    return frame.to_csv(index=False)
