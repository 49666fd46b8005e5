"""``audit policy new``: a policy folder out of a text, or a check out of a finding."""

from __future__ import annotations

from pathlib import Path

import click

from audit.cli.output import say
from audit.errors import UsageError


@click.command(name="new")
@click.argument("text", required=False, type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder of the policy.")
@click.option("--id", "identity", help="Id of the policy; default: from the file's name.")
@click.option("--url", help="Where the text was published.")
@click.option(
    "--from-finding",
    nargs=2,
    metavar="RESULT FINGERPRINT",
    help="Start a check from a finding of a result.json; -o is its policy's folder.",
)
def command(
    text: Path | None,
    out: Path | None,
    identity: str | None,
    url: str | None,
    from_finding: tuple[str, str] | None,
) -> None:
    """Cut the TEXT of a privacy policy into clauses, and write a folder that lints and tests.

    The text is pinned by its digest; every sentence is numbered; what promises or discloses
    something becomes a clause with a suggested id; a first check stands ready to be changed.
    """
    if from_finding is not None:
        if text is not None:
            raise UsageError("a check starts from a text or from a finding, not from both")
        _from_finding(Path(from_finding[0]), from_finding[1], out)
        return
    if text is None:
        raise UsageError("name the file with the policy's text", hint="audit policy new TEXT")
    from audit.authoring.starting import start_policy

    started = start_policy(text, out, identity, url)
    say(f"{started.sentences} sentences, {started.clauses} of them clauses: {started.folder}")
    say(f"a first check: {started.check}")
    say(f"next: audit policy lint {started.folder}; audit policy test --mutate {started.folder}")


def _from_finding(result: Path, fingerprint: str, out: Path | None) -> None:
    from audit.authoring.from_finding import start_check

    path = start_check(result, fingerprint, out)
    say(f"a check of this finding: {path}")
    say("it is experimental; read its reading and its examples, then make it yours")
