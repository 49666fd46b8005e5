"""``audit diff``: release against release, finding by finding."""

from __future__ import annotations

from pathlib import Path

import click

from audit.cli.output import say

FORMATS = ("text", "json", "markdown")


@click.command(
    name="diff",
    help="Compare two results (result.json, or its folder) of one client, the older first.",
)
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(FORMATS), default=FORMATS[0], show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def command(old: Path, new: Path, form: str, as_json: bool) -> int:
    """Exit 1 for a new violation, 4 where less is proven than before, 0 for neither."""
    from audit.gate.compare import compare
    from audit.model.reading import read_result
    from audit.report import difference

    comparison = compare(read_result(old), read_result(new))
    if as_json or form == "json":
        click.echo(difference.render_json(comparison))
    elif form == "markdown":
        click.echo(difference.render_markdown(comparison), nl=False)
    else:
        for line in difference.render_text(comparison):
            say(line)
    return comparison.exit_code
