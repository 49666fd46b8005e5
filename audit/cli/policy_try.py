"""``audit policy try``: which rows of a capture each key of a check holds for."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audit.cli.output import note, say
from audit.cli.place import policy_above
from audit.errors import UsageError

if TYPE_CHECKING:
    from audit.checks.policy import LoadedCheck, Policy


@click.command(name="try")
@click.argument("check")
@click.argument("captures", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--policy", help="Policy: a name or a path; default: the capture's.")
@click.option("--target", help="Target: a name or a path; default: the capture's.")
@click.option("--identity", type=click.Path(path_type=Path), help="File of the subject's values.")
def command(
    check: str,
    captures: tuple[Path, ...],
    policy: str | None,
    target: str | None,
    identity: Path | None,
) -> None:
    """Show, key by key, how many rows a check's conditions hold for; writes no report.

    CHECK is an id, or the path of a check's file.
    """
    from audit.authoring.trying import try_check
    from audit.checks.targets import locate_judged
    from audit.cli.judging import open_captures, read_all, read_subject, redactor_for
    from audit.evidence.context import EvidenceContext

    opened = open_captures(captures)
    meant = policy or _policy_of(Path(check))
    loaded, chosen, said = locate_judged(target, meant, opened.recorded)
    if said:
        note(said)
    found = _check(loaded, check)
    moment = datetime.now(UTC)
    subject = read_subject(identity, loaded) if identity else None
    context = EvidenceContext.of(loaded, chosen.file, as_of=moment, identity=subject)
    evidence = read_all(opened, context)
    redact = redactor_for(opened, subject).text
    for line in try_check(loaded, chosen, found, evidence, moment, redact):
        say(line)


def _policy_of(path: Path) -> str | None:
    """Return the folder of the policy that a check's file lies in."""
    folder = policy_above(path) if path.is_file() else None
    return None if folder is None else str(folder)


def _check(policy: Policy, name: str) -> LoadedCheck:
    from audit.yamlfile.problem import did_you_mean

    for check in policy.checks:
        is_file = Path(name).is_file() and (policy.folder / check.path).resolve()
        if check.file.id == name or (is_file and is_file == Path(name).resolve()):
            return check
    ids = tuple(check.file.id for check in policy.checks)
    raise UsageError(
        f"policy '{policy.id}' has no check '{name}'",
        hint=did_you_mean(name, ids) or "'audit policy coverage' lists them",
    )
