"""``audit report``: a result becomes any of its outputs; nothing is judged anew."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audit.cli.judging import write_whole
from audit.cli.output import note, say
from audit.cli.place import policy_place
from audit.errors import UsageError
from audit.report.formats import DEFAULT, FORMATS, Format, PolicyPlace, chosen_formats
from audit.report.handover import SUMS, renewed

if TYPE_CHECKING:
    from audit.model.result import Result

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
@click.option("--reveal", is_flag=True, help="Show the subject's values; needs --capture.")
@click.option(
    "--capture",
    "captures",
    multiple=True,
    type=click.Path(path_type=Path),
    help="With --reveal: a bundle of the result (repeatable).",
)
def command(
    result: Path,
    formats: str,
    out: str | None,
    policy: str | None,
    reveal: bool,
    captures: tuple[Path, ...],
) -> None:
    """Render everything before anything is written."""
    from audit.model.reading import read_result

    chosen = chosen_formats(formats.split(","))
    if out == STANDARD_OUTPUT and len(chosen) > 1:
        raise UsageError("standard output takes one format", hint="name a folder with --out")
    place = policy_place(policy)
    if policy is not None and place is None:
        raise UsageError("there is no policy here", source=policy, hint="name the policy's folder")
    found = read_result(result)
    if bool(captures) != reveal:
        raise UsageError("--reveal and --capture go together")
    if reveal:
        _reveal(result, found, chosen, place, out, captures)
        return
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


def _reveal(
    path: Path,
    result: Result,
    chosen: Sequence[Format],
    place: PolicyPlace | None,
    out: str | None,
    captures: Sequence[Path],
) -> None:
    """Write a report that shows the subject's values, readable by its owner alone."""
    from audit.bundle.folder import open_bundle
    from audit.cli.revealing import WARNING, private_folder, reveal

    if out == STANDARD_OUTPUT:
        raise UsageError("a report with values shown goes into a file, not to standard output")
    if FORMATS["json"] in chosen:
        raise UsageError(
            "result.json is always redacted: what is made of it is for anybody",
            hint="--reveal writes html, csv, sarif, ...",
        )
    folder = private_folder(path, out)
    shown = reveal(result, [open_bundle(capture) for capture in captures])
    for name, data in {one.file: one.render(shown, place) for one in chosen}.items():
        say(str(write_whole(folder / name, data, is_private=True)))
    note(WARNING)
