"""``audit report``: a result becomes any of its outputs; nothing is judged anew."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from audit.cli.judging import write_whole
from audit.cli.output import say
from audit.cli.place import policy_place
from audit.errors import UsageError
from audit.report.formats import DEFAULT, FORMATS, chosen_formats
from audit.report.handover import SUMS, renewed

STANDARD_OUTPUT = "-"


@click.command(name="report", help="Render RESULT (a result.json, or its folder) in any format.")
@click.argument("result", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "formats",
    default=DEFAULT[0],
    show_default=True,
    metavar="F[,F]",
    help=f"Of: {' '.join(FORMATS)}.",
)
@click.option("--out", help="Folder, or - for standard output; default: beside the result.")
@click.option(
    "--policy",
    help="Folder of the policy, where an output points to its lines; default: policies/NAME.",
)
def command(result: Path, formats: str, out: str | None, policy: str | None) -> None:
    """Render everything before anything is written."""
    from audit.model.reading import read_result

    chosen = chosen_formats(formats.split(","))
    if out == STANDARD_OUTPUT and len(chosen) > 1:
        raise UsageError("standard output takes one format", hint="name a folder with --out")
    place = policy_place(policy)
    if policy is not None and place is None:
        raise UsageError("there is no policy here", source=policy, hint="name the policy's folder")
    found = read_result(result)
    contents = {one.file: one.render(found, place) for one in chosen}
    if out == STANDARD_OUTPUT:
        sys.stdout.buffer.write(contents[chosen[0].file])
        return
    folder = Path(out) if out else result if result.is_dir() else result.parent
    for name, data in contents.items():
        say(str(write_whole(folder / name, data)))
    sums = renewed(folder, contents)
    if sums is not None:
        write_whole(folder / SUMS, sums)
