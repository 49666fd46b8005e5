"""``audit policy schema``: JSON Schemas of the YAML files and of results."""

from __future__ import annotations

import json
from pathlib import Path

import click

from audit.cli.output import say
from audit.errors import UsageError


@click.command(name="schema")
@click.argument("kind", required=False)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Write all schemas there.")
@click.option(
    "--write-vscode", is_flag=True, help="Write them below .vscode here, and its settings."
)
def command(kind: str | None, out: Path | None, write_vscode: bool) -> None:
    """Print the JSON Schema of a KIND of file (default: check), or write all of them.

    Kinds: policy pack check list target gate waivers attestations steps sources,
    and result.
    """
    from audit.authoring import schema

    if out is not None:
        for path in schema.write_schemas(out):
            say(str(path))
        return
    if write_vscode:
        try:
            for path in schema.write_vscode(Path()):
                say(str(path))
        except ValueError as problem:
            raise UsageError(
                f"the editor's settings cannot be read: {problem}", source=".vscode/settings.json"
            ) from None
        return
    name = kind or "check"
    known = (*schema.MODELS, *schema.OUTPUTS)
    if name not in known:
        raise UsageError(f"there is no kind of file {name!r}", hint=" ".join(known))
    click.echo(json.dumps(schema.schema_of(name), ensure_ascii=False, indent=2))
