"""``audit run``: judges captures; the exit code is the gate's."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from audit.cli.calling import judging_options
from audit.cli.judging import Call, judge, write_reports, write_whole
from audit.cli.output import say
from audit.cli.place import REPORTS, policy_place
from audit.errors import UsageError
from audit.report.formats import DEFAULT, FORMATS, chosen_formats
from audit.yamlfile.units import parse_time


@click.command(name="run", help="Judge captures against a policy and write the report.")
@click.argument("captures", nargs=-1, required=True, type=click.Path(path_type=Path))
@judging_options()
@click.option("--as-of", help="Moment of judging, ISO 8601 UTC; default: now.")
@click.option("--out", type=click.Path(path_type=Path), help="Default: reports/NAME.")
@click.option(
    "--format",
    "formats",
    default=",".join(DEFAULT),
    show_default=True,
    metavar="F[,F]",
    help=f"Of: {' '.join(FORMATS)}. 'json' is always written.",
)
@click.option("--timestamp", metavar="URL", help="Get a time stamp (RFC 3161) from this server.")
def command(
    captures: tuple[Path, ...],
    as_of: str | None,
    out: Path | None,
    formats: str,
    timestamp: str | None,
    **given: Any,
) -> int:
    """Write result.json and index.html, print what was kept, broken and not proven."""
    from audit.report.difference import gate_lines
    from audit.report.summary import summarise

    chosen = [one.name for one in chosen_formats(formats.split(","))]
    result = judge(captures, Call(**given, as_of=_moment(as_of)))
    folder = out or REPORTS / _name(captures)
    place = policy_place(given["policy"], given["target"])
    written = write_reports(result, folder, chosen, place)
    if timestamp is not None:
        from audit.cli.timestamps import BESIDE, stamp

        write_whole(folder / BESIDE, stamp((folder / "result.json").read_bytes(), timestamp))
    look_at = next((path for path in written if path.name == "index.html"), written[0])
    for line in summarise(result, look_at=str(look_at)):
        say(line)
    for line in gate_lines(result):
        say(line)
    return 0 if given["exit_zero"] else result.gate.exit_code


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return parse_time(text)
    except ValueError:
        raise UsageError(
            f"--as-of is no ISO 8601 time: {text!r}", hint="such as 2026-11-24T12:00:00Z"
        ) from None


def _name(captures: tuple[Path, ...]) -> str:
    """Return the report's name: the capture's, without the pass where both were given."""
    name = captures[0].resolve().name
    if len(captures) > 1:
        for ending in ("-passive", "-intercepted"):
            name = name.removesuffix(ending)
    return name
