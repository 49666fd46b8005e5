"""The ladder of vantages: the first rung that works, tried whole."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from audit.bundle import layout
from audit.bundle.journal import JournalWriter
from audit.bundle.manifest import Rung
from audit.errors import AuditError
from audit.record.client_environment import client_environment
from audit.record.netns_stage import NetnsStage
from audit.record.persona import draw_persona
from audit.record.plan import LabNetwork, RecordPlan
from audit.record.proxy_stage import LIMITS, ProxyStage
from audit.record.stage import Setting, Stage
from audit.record.workspace import Workspace
from audit.sandbox.program import Program
from audit.sandbox.sandbox import RefusedError
from audit.sandbox.waiting import Watch

_NOTHING: Final = "import sys; print('{\"ready\": true}', flush=True); sys.stdin.read()"
"""A lab without stand-ins."""
_CLIENT_LIMIT_S: Final = 20.0

Prepare = Callable[[contextlib.ExitStack], Setting]
"""Makes the setting of one attempt; its clean-up goes into the stack."""


def climb(
    plan: RecordPlan, prepare: Prepare, stack: contextlib.ExitStack
) -> tuple[Stage, tuple[Rung, ...]]:
    """Enter the first rung that the plan allows and the machine supports.

    Returns the stage and every rung that was tried. Raises :class:`RefusedError` where the plan
    asks for a rung that the machine refuses.
    """
    tried: list[Rung] = []
    if plan.vantage != "proxy":
        try:
            return enter_rung(NetnsStage, prepare, stack), (Rung(name="netns", works=True),)
        except RefusedError as error:
            if plan.vantage == "netns":
                raise
            tried.append(Rung(name="netns", works=False, reason=error.reason))
            plan.announce(f"no sandbox here ({error.reason}): recording through a proxy instead")
            for limit in LIMITS:
                plan.announce(f"not seen on this rung: {limit}")
    stage = enter_rung(ProxyStage, prepare, stack)
    return stage, (*tried, Rung(name="proxy", works=True))


def enter_rung(
    kind: type[NetnsStage | ProxyStage], prepare: Prepare, stack: contextlib.ExitStack
) -> Stage:
    """Enter one rung; a refused attempt is cleaned up whole and raises :class:`RefusedError`."""
    if kind is NetnsStage and sys.platform != "linux":
        raise RefusedError(f"{sys.platform} has no namespaces")
    attempt = contextlib.ExitStack()
    setting: Setting | None = None
    try:
        setting = prepare(attempt)
        stage = kind(setting)
        stage.enter()
    except RefusedError:
        attempt.close()
        if setting:
            for name in (layout.PACKETS, layout.FLOWS, layout.TLS):
                (setting.folder / name).unlink(missing_ok=True)
        raise
    except BaseException:
        attempt.close()
        raise
    stack.push(attempt)
    return stage


def probe_ladder(*, all_rungs: bool = True) -> list[Rung]:
    """Try the rungs whole, in a process forked for each: sandbox, taps, controls, a program.

    Returns each with the reason why it does not work, the one that sees most first; with
    ``all_rungs`` off nothing below the first that works is tried.
    """
    tried: list[Rung] = []
    for kind in (NetnsStage, ProxyStage):
        if all_rungs or not any(rung.works for rung in tried):
            reason = _refusal(kind)
            tried.append(Rung(name=kind.vantage, works=reason is None, reason=reason))
    return tried


def _refusal(kind: type[NetnsStage | ProxyStage]) -> str | None:
    try:
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="audit-probe-")))
            stage = enter_rung(kind, lambda attempt: _setting(folder, attempt), stack)
            _rehearse(stage, folder)
    except RefusedError as error:
        return error.reason
    except AuditError as error:
        return error.message
    return None


def _setting(folder: Path, stack: contextlib.ExitStack) -> Setting:
    watch = Watch()
    stack.callback(watch.close)
    space = Workspace.create()
    stack.callback(space.remove)
    plan = RecordPlan(
        id="probe",
        folder=folder,
        pass_="intercepted",  # noqa: S106 - a pass of a recording
        client_command=_program(),
        network=LabNetwork(command=[sys.executable, "-c", _NOTHING]),
    )
    return Setting(
        plan=plan, folder=folder, space=space, persona=draw_persona(), watch=watch, stack=stack
    )


def _program() -> list[str]:
    return [sys.executable, "-c", "pass"]


def _rehearse(stage: Stage, folder: Path) -> None:
    """Do what a recording does, with a client that does nothing; raises :class:`AuditError`."""
    stage.start()
    journal = JournalWriter(folder)
    try:
        stage.send_controls(journal, "install")
    finally:
        journal.close()
    argv, setting = _program(), stage.setting
    env = client_environment(argv[0], setting.space, setting.persona) | stage.client_variables()
    client = Program(stage.sandbox, "a program in the sandbox", stage.client_job(argv, env))
    try:
        client.require_success(_CLIENT_LIMIT_S)
    finally:
        client.close()
    stage.stop()
