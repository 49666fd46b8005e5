"""``audit history``: results kept in one file, and the trend across releases."""

from __future__ import annotations

import json
from pathlib import Path

import click

from audit.cli.output import say
from audit.errors import UsageError


@click.command(
    name="history",
    help="Keep RESULTS (result.json, or its folder) in a file and show the trend across releases.",
)
@click.argument("results", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--db",
    type=click.Path(path_type=Path),
    default=Path("history.sqlite"),
    show_default=True,
    help="The file, made where it is not there.",
)
@click.option("--target", help="Show this target alone.")
@click.option("--svg", type=click.Path(path_type=Path), help="Draw the trend of one target here.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    results: tuple[Path, ...], db: Path, target: str | None, svg: Path | None, as_json: bool
) -> None:
    """Add what is named, then show every client's releases in the order of their recordings."""
    from audit.cli.judging import write_whole
    from audit.report.history import History
    from audit.report.trend import releases, trend_data, trend_lines, trend_svg
    from audit.report.visible import for_terminal

    if not results and not db.is_file():
        raise UsageError("there is no history yet", source=str(db), hint="name results to keep")
    history = History(db)
    for file in results:
        history.add(file)
    clients = [one for one in history.clients() if target in (None, one[1])]
    if target is not None and not clients:
        raise UsageError(f"this history holds nothing of a target '{target}'", source=str(db))
    if svg is not None and len(clients) != 1:
        raise UsageError("one picture shows one target", hint="name it with --target")
    found = {client: releases(history.of(*client)) for client in clients}
    for (policy, name), rows in found.items():
        title = for_terminal(f"{name} against the policy {policy}")
        if svg is not None:
            write_whole(svg, trend_svg(rows, title).encode("utf-8"))
        if not as_json:
            for line in (title, *trend_lines(rows), ""):
                say(line)
    if as_json:
        data = [
            {"policy": policy, "target": name, "releases": trend_data(rows)}
            for (policy, name), rows in found.items()
        ]
        click.echo(json.dumps({"schema": "audit/history@1", "clients": data}, indent=2))
