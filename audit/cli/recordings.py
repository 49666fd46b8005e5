"""What ``audit record`` and ``audit demo`` share: recording a client, pass by pass."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from audit.cli.output import progress
from audit.cli.place import cache_folder
from audit.errors import UsageError
from audit.tables.vocabulary import Pass

if TYPE_CHECKING:
    from audit.checks.policy import Policy, Target
    from audit.record.browser import BrowserPlan
    from audit.record.plan import RecordPlan, RecordReport

Rung = Literal["auto", "netns", "proxy"]


def lab_command() -> list[str]:
    """Return the command line of the stand-in network."""
    return [sys.executable, "-m", "audit.lab"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A client to record, before passes and folders are decided."""

    policy: Policy
    target: Target
    command: Sequence[str] = ()
    """The client's command line; empty: the target's driver, in its own environment."""
    in_lab: bool = False
    lab_logs: Path | None = None
    vantage: Rung = "auto"
    identity: Path | None = None
    timeout_s: float | None = None
    tunnel: bool = False
    drop_tunnel: str | float | None = None
    install: str = "install-1"
    """Id of the client's install; passes of one call share it."""
    browser: BrowserPlan | None = None
    """The client is a browser on a website."""
    companion: str | None = None
    extra_commands: Sequence[Sequence[str]] = field(default_factory=tuple)


def prepare_driver(target: Target) -> tuple[list[str], list[str]]:
    """Return the command lines of client and peer, installing the client if it is not yet.

    Raises :class:`UsageError` for a target without a driver, :class:`SetupError` where the client
    cannot be installed.
    """
    from audit.record.environment import prepare_environment

    if target.driver is None or target.folder is None:
        raise UsageError(
            f"the target '{target.name}' has no driver",
            hint="give the client's command after --, such as: audit record -- my-client",
        )
    if target.requirements is None:
        python = str(Path(sys.base_prefix) / "bin" / "python3")
    else:
        python = str(prepare_environment(target.folder, cache_folder() / "targets"))
    driver = str(target.driver.absolute())
    return [python, driver, "client"], [python, driver, "peer"]


def record_pass(request: Request, pass_: Pass, folder: Path, name: str) -> RecordReport:
    """Record one pass into ``folder``; raises what :func:`audit.record.recorder.record` raises."""
    from audit.record.recorder import record

    progress(f"recording {name}")
    return record(_plan(request, pass_, folder, name))


def _plan(request: Request, pass_: Pass, folder: Path, name: str) -> RecordPlan:
    from audit.record.plan import LabNetwork, NetworkPlan, OutsideNetwork, RecordPlan

    target = request.target
    client, peer = list(request.command), None
    if request.browser:
        client = request.browser.command()
    elif not client:
        client, peer = prepare_driver(target)
    network: NetworkPlan = OutsideNetwork()
    if request.in_lab:
        network = LabNetwork(command=lab_command(), logs=request.lab_logs)
    return RecordPlan(
        id=name,
        folder=folder,
        pass_=pass_,
        client_command=client,
        network=network,
        vantage=request.vantage,
        policy=request.policy.id,
        target_name=target.name,
        target=target.file,
        speaks_protocol=peer is not None or request.browser is not None,
        peer_command=peer,
        browser=request.browser,
        companion=request.companion,
        extra_commands=[list(command) for command in request.extra_commands],
        identity=request.identity,
        install=request.install,
        tunnel=request.tunnel,
        drop_tunnel=request.drop_tunnel,
        timeout_s=request.timeout_s or float(target.file.timeout_s),
        announce=progress,
    )
