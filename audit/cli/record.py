"""``audit record``: one or two bundles of a client."""

from __future__ import annotations

import math
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from audit.cli.judging import read_subject
from audit.cli.output import say
from audit.cli.place import CAPTURES
from audit.cli.record_browser import CONSENTS, each_consent, plan_browser, stem_of
from audit.cli.recordings import Request, Rung, record_pass
from audit.errors import UsageError
from audit.tables.vocabulary import Pass

if TYPE_CHECKING:
    from audit.checks.policy import Target


@click.command(
    name="record",
    help="Record a client into a bundle (or two): audit record --name mine -- CLIENT ARGS...",
    context_settings={"ignore_unknown_options": True},
)
@click.option("--name", help="Name of the capture; default: the target's or the program's.")
@click.option("--target", help="Target: a name or a path. With a driver, no command is needed.")
@click.option("--policy", help="Policy of the target: a name or a path.")
@click.option("--identity", type=click.Path(path_type=Path), help="File of the subject's values.")
@click.option(
    "--pass",
    "which",
    type=click.Choice([*get_args(Pass), "both"]),
    help="passive: packets and TLS keys; intercepted: through mitmproxy. "
    "Default: both; of a website intercepted.",
)
@click.option("--vantage", type=click.Choice(get_args(Rung)), default="auto", show_default=True)
@click.option("--install", help="Id of the install that is recorded; default: a new one.")
@click.option("--tunnel", is_flag=True, help="Start the client behind a tunnel (a VPN).")
@click.option(
    "--drop-tunnel",
    metavar="WHEN",
    help="Take the tunnel away in mid-run: after an action of the driver, or after seconds.",
)
@click.option("--browser", metavar="URL", help="Record a website: a browser that visits it.")
@click.option("--steps", type=click.Path(path_type=Path), help="What the browser does: steps.yaml.")
@click.option(
    "--consent",
    type=click.Choice([*CONSENTS, "both"]),
    help="Answer where a page asks for consent; both: one recording each. Default: both.",
)
@click.option("--test", type=click.Path(path_type=Path), help="Test file that drives the browser.")
@click.option("--browser-program", metavar="PATH", help="Browser to use; default: chromium.")
@click.option("--lab", is_flag=True, help="Record in the stand-in network of the demo.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, 86400, min_open=True),
    help="Longest run of the client, seconds.",
)
@click.option("--out", type=click.Path(path_type=Path), default=CAPTURES, show_default=True)
@click.option("--force", is_flag=True, help="Replace captures of the same name.")
@click.argument("client", nargs=-1, type=click.UNPROCESSED)
def command(
    name: str | None,
    target: str | None,
    policy: str | None,
    identity: Path | None,
    which: str | None,
    vantage: Rung,
    install: str | None,
    tunnel: bool,
    drop_tunnel: str | None,
    browser: str | None,
    steps: Path | None,
    consent: str | None,
    test: Path | None,
    browser_program: str | None,
    lab: bool,
    timeout: float | None,
    out: Path,
    force: bool,
    client: tuple[str, ...],
) -> None:
    """Record each pass of a fresh profile and say where the bundles lie."""
    from audit.checks.targets import locate_target

    if timeout is not None and not math.isfinite(timeout):
        raise UsageError("--timeout is a number of seconds")
    loaded, chosen = locate_target(target, policy)
    if identity:
        read_subject(identity, loaded)
    site = plan_browser(
        browser, steps=steps, test=test, program=browser_program, in_lab=lab, command=client
    )
    if site is None and not client and chosen.driver is None:
        raise UsageError(
            "there is no client to record",
            hint="name one: audit record --name mine -- CLIENT, or a --target with a driver",
        )
    stem = name or (stem_of(browser) if browser else target_stem(target, client))
    request = Request(
        policy=loaded,
        target=chosen,
        command=client,
        browser=site,
        in_lab=lab,
        vantage=vantage,
        identity=identity,
        timeout_s=timeout,
        tunnel=tunnel or drop_tunnel is not None,
        drop_tunnel=_drop_moment(drop_tunnel, chosen, driven=not client),
        install=install or f"install-{secrets.token_hex(4)}",
    )
    which = which or ("intercepted" if site else "both")
    if request.tunnel and which != "passive":
        raise UsageError(
            "behind a tunnel nothing is intercepted", hint="record with --pass passive"
        )
    passes = get_args(Pass) if which == "both" else (which,)
    folders = []
    runs = [(one, each, more) for each in passes for one, more in each_consent(request, consent)]
    for one, each, more in runs:
        label = f"{stem}{more}" + (f"-{each}" if len(passes) > 1 else "")
        folder = out / label
        if force and folder.is_dir():
            shutil.rmtree(folder)
        if folder.is_dir() and any(folder.iterdir()):
            raise UsageError(
                "there is a capture of this name already",
                source=str(folder),
                hint="give another --name, or replace it with --force",
            )
        report = record_pass(one, each, folder, label)
        folders.append(folder)
        seen = f", {report.packets} packets" if report.packets else ""
        say(
            f"recorded {folder}: vantage {report.vantage}{seen}, client ran {report.client_s:.1f} s"
        )
        for reason in report.truncated:
            say(f"  incomplete: {reason}")
    how = f" --target {target}" if target and len(Path(target).parts) > 1 else ""
    say("judge it: audit run " + " ".join(map(str, folders)) + how)


def _drop_moment(text: str | None, target: Target, *, driven: bool) -> str | float | None:
    """Read when the tunnel drops: seconds, or an action that the target's driver reports."""
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if math.isfinite(seconds) and seconds >= 0:
        return seconds
    known = [str(action) for action in target.file.can or ()]
    if not driven or text not in known:
        raise UsageError(
            f"--drop-tunnel takes seconds, or an action of the target's driver: {text!r}",
            hint=f"actions of this one: {' '.join(known)}" if driven else "give seconds",
        )
    return text


def target_stem(target: str | None, client: tuple[str, ...]) -> str:
    """Return a name for captures where none was given."""
    return Path(target or client[0]).name
