"""``audit redact``: a bundle that can be handed to a stranger."""

from __future__ import annotations

from pathlib import Path

import click

from audit.cli.output import say


@click.command(
    name="redact", help="Write a copy of a bundle without the subject's values and secrets."
)
@click.argument("capture", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder, or a file that ends in .zip.",
)
@click.option(
    "--identity",
    type=click.Path(path_type=Path),
    help="File of the subject's values, beside those that the bundle names.",
)
def command(capture: Path, out: Path, identity: Path | None) -> None:
    """Redact, search the copy with every decoder on, and keep it only if nothing is found."""
    from audit.bundle.folder import open_bundle
    from audit.bundle.identity import make_identity, read_identity
    from audit.cli.place import existing_file
    from audit.cli.redacting import redact_bundle

    bundle = open_bundle(capture)
    named = read_identity(existing_file(identity)).identifiers if identity else ()
    subject = make_identity([*bundle.identity.identifiers, *named])
    done = redact_bundle(bundle, subject, out)
    say(f"{out}: redacted from {bundle.manifest.id}, digest {bundle.digest[:16]}…")
    for note in done.notes:
        say(f"  {note}")
    say("It was searched with every decoder and nothing of the subject was found. It can show")
    say("violations that are not about the subject's own values; no promise passes on it.")
