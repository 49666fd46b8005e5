"""``audit import``: makes a bundle of capture files that exist."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from audit.cli.judging import read_subject
from audit.cli.output import say
from audit.errors import UsageError

if TYPE_CHECKING:
    from audit.checks.policy import Policy, Target


_NO_CONTROL = (
    "An import has no control of its own taps: it can show violations and cannot prove a pass."
)


@click.command(name="import", help="Make a bundle of capture files that exist.")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="The bundle.")
@click.option("--target", help="Target: a name or a path.")
@click.option("--policy", help="Policy of the target.")
@click.option("--identity", type=click.Path(path_type=Path), help="File of the subject's values.")
@click.option("--journal", type=click.Path(path_type=Path), help="What was done; proves nothing...")
@click.option(
    "--vouched-by", help="... unless somebody vouches for it; the report prints the name."
)
@click.option("--tls-keys", type=click.Path(path_type=Path), help="Key log for the packets.")
@click.option(
    "--sources",
    type=click.Path(path_type=Path),
    help="What servers keep: logs, databases, exports and configuration that a YAML file names.",
)
@click.option("--client", "clients", multiple=True, help="Address of the client (repeatable).")
@click.option("--install", default="unknown", help="Id of the client's install.")
@click.option("--mixed", is_flag=True, help="The files hold other programs' traffic too.")
def command(
    files: tuple[Path, ...],
    out: Path,
    target: str | None,
    policy: str | None,
    identity: Path | None,
    journal: Path | None,
    vouched_by: str | None,
    tls_keys: Path | None,
    sources: Path | None,
    clients: tuple[str, ...],
    install: str,
    mixed: bool,
) -> None:
    """Copy the evidence into a bundle with digests; nothing is judged."""
    from audit.checks.targets import locate_target
    from audit.cli.importing import ImportPlan, import_captures

    if not files and not sources:
        raise UsageError("name capture files, or '--sources' of server records")
    loaded, chosen = locate_target(target, policy)
    if identity:
        read_subject(identity, loaded)
    manifest = import_captures(
        ImportPlan(
            files=files,
            folder=out,
            policy=loaded.id,
            target=chosen.name,
            platform=chosen.file.app.platform,
            client_name=chosen.file.app.name,
            identity=identity,
            journal=journal,
            vouched_by=vouched_by,
            tls_keys=tls_keys,
            sources=sources,
            client_addresses=clients,
            mixed=mixed,
            install=install,
        )
    )
    say(f"imported {out}: {', '.join(sorted(manifest.files))}")
    if files:
        say(_NO_CONTROL)
    if sources:
        from audit.cli.server_records import told_of_records

        for line in told_of_records(out):
            say(line)
    named = f" --target {target}" if target and chosen.folder != _own(loaded, chosen) else ""
    say(f"judge it: audit run {out}{named}")


def _own(policy: Policy, target: Target) -> Path:
    """Return the folder in which a target of the policy itself lies."""
    return policy.folder / "targets" / target.name
