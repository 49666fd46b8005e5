"""Records one client in one pass: plan in, bundle out."""

from __future__ import annotations

import contextlib
import time

from audit.bundle.manifest import Rung
from audit.bundle.whole_records import FULL, cannot_write
from audit.errors import AuditError, CaptureError
from audit.record.client import describe_client, resolve_command
from audit.record.ladder import climb
from audit.record.machine import machine_identifiers
from audit.record.new_bundle import NewBundle, shown_command
from audit.record.performance import Performance
from audit.record.persona import EVERY_KIND, Persona, draw_persona
from audit.record.plan import RecordPlan, RecordReport
from audit.record.stage import Setting, Stage, Tapped
from audit.record.workspace import Workspace
from audit.sandbox.waiting import Watch


def record(plan: RecordPlan) -> RecordReport:
    """Record as planned and return what came of it.

    Raises :class:`~audit.errors.SetupError` where machine or client do not allow it,
    :class:`~audit.errors.CaptureError` where evidence cannot be kept, and
    :class:`~audit.errors.UsageError` where the folder holds something already. Whatever was
    recorded until then is kept, in a bundle that names what is missing; nothing else remains.
    """
    started = time.monotonic()
    argv = resolve_command(plan.client_command)
    peer = resolve_command(plan.peer_command, "peer") if plan.peer_command else None
    persona = draw_persona(plan.identity)
    client = describe_client(plan, argv, shown_command(argv))
    try:
        bundle = NewBundle(plan, client, persona["time_zone"])
        return _record(plan, bundle, persona, argv, peer, started)
    except OSError as error:
        raise _unwritable(error, plan) from error


def _unwritable(error: OSError, plan: RecordPlan) -> CaptureError:
    return CaptureError(
        cannot_write("the recording", error),
        source=str(error.filename or plan.folder),
        hint="make room and record again; what was recorded so far is kept"
        if error.errno in FULL
        else None,
    )


def _record(
    plan: RecordPlan,
    bundle: NewBundle,
    persona: Persona,
    argv: list[str],
    peer: list[str] | None,
    started: float,
) -> RecordReport:
    failure: BaseException | None = None
    tapped = Tapped()
    with contextlib.ExitStack() as stack:

        def prepare(attempt: contextlib.ExitStack) -> Setting:
            watch = Watch()
            attempt.callback(watch.close)
            space = Workspace.create()
            attempt.callback(space.remove)
            return Setting(
                plan=plan,
                folder=bundle.folder,
                space=space,
                persona=persona,
                watch=watch,
                stack=attempt,
            )

        try:
            stage, rungs = climb(plan, prepare, stack)
        except (AuditError, OSError):
            bundle.discard()
            raise
        bundle.update(vantage=stage.vantage, ladder=rungs, network=stage.network())
        _learn_subject(bundle, persona, stage)
        show = Performance(stage, bundle, argv, peer)
        try:
            stage.start()
            bundle.write_onion_keys(stage.facts.onion_keys)
            show.run()
        except (AuditError, KeyboardInterrupt, OSError) as error:
            failure = error
        try:
            tapped = stage.stop()
        except AuditError as error:
            failure = failure or error
        truncated = _why_incomplete(failure, tapped)
        bundle.complete(stage, tapped, rungs, truncated, show.exit_code)
    if failure is not None:
        raise failure
    return _report(plan, stage, rungs, truncated, tapped, started, show.client_s)


def _learn_subject(bundle: NewBundle, persona: Persona, stage: Stage) -> None:
    told = EVERY_KIND if stage.plan.speaks_protocol else frozenset()
    bundle.learn(persona.identifiers(stage.addresses, told | stage.planted_kinds()))
    if stage.vantage == "proxy":
        bundle.learn(machine_identifiers())


def _why_incomplete(failure: BaseException | None, tapped: Tapped) -> tuple[str, ...]:
    reasons = list(tapped.truncated)
    if isinstance(failure, AuditError):
        reasons.insert(0, failure.message)
    elif isinstance(failure, OSError):
        reasons.insert(0, cannot_write("the recording", failure))
    elif failure is not None:
        reasons.insert(0, "the recording was interrupted")
    return tuple(dict.fromkeys(reasons))


def _report(
    plan: RecordPlan,
    stage: Stage,
    rungs: tuple[Rung, ...],
    truncated: tuple[str, ...],
    tapped: Tapped,
    started: float,
    client_s: float,
) -> RecordReport:
    if truncated:
        raise CaptureError(
            truncated[0], source=str(plan.folder), hint="the bundle is kept, but cannot give a pass"
        )
    return RecordReport(
        folder=plan.folder,
        vantage=stage.vantage,
        ladder=rungs,
        truncated=truncated,
        duration_s=time.monotonic() - started,
        client_s=client_s,
        packets=tapped.packets,
    )
