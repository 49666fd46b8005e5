"""Records one client in one pass: plan in, bundle out."""

from __future__ import annotations

import contextlib
import time

from audit.bundle.whole_records import FULL, cannot_write
from audit.errors import AuditError, CaptureError
from audit.record.browser import TOLD_KINDS, keep_evidence
from audit.record.client import describe_client, resolve_command
from audit.record.ladder import climb
from audit.record.machine import machine_identifiers
from audit.record.new_bundle import NewBundle, shown_command
from audit.record.performance import Performance
from audit.record.persona import EVERY_KIND, draw_persona
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
    recording = _Recording(plan)
    try:
        return recording.run()
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


class _Recording:
    """One recording, from its plan to its bundle."""

    def __init__(self, plan: RecordPlan) -> None:
        self._started = time.monotonic()
        self._plan = plan
        self._argv = resolve_command(plan.client_command)
        self._peer = resolve_command(plan.peer_command, "peer") if plan.peer_command else None
        self._persona = draw_persona(plan.identity)
        self._client = describe_client(plan, self._argv, shown_command(self._argv))
        self._failure: BaseException | None = None
        self._left_out: list[str] = []

    def run(self) -> RecordReport:
        """Record; what goes wrong is raised when the bundle is as complete as it gets."""
        bundle = NewBundle(self._plan, self._client, self._persona["time_zone"])
        with contextlib.ExitStack() as stack:
            try:
                stage, rungs = climb(self._plan, lambda own: self._prepare(bundle, own), stack)
            except (AuditError, OSError):
                bundle.discard()
                raise
            bundle.update(vantage=stage.vantage, ladder=rungs, network=stage.network())
            self._learn_subject(bundle, stage)
            show = Performance(stage, bundle, self._argv, self._peer)
            self._perform(bundle, stage, show)
            tapped = self._stop_taps(stage)
            truncated = self._why_incomplete(tapped)
            bundle.complete(stage, tapped, rungs, truncated, show.exit_code)
        if self._failure is not None:
            raise self._failure
        return RecordReport(
            folder=self._plan.folder,
            vantage=stage.vantage,
            ladder=rungs,
            truncated=truncated,
            duration_s=time.monotonic() - self._started,
            client_s=show.client_s,
            packets=tapped.packets,
        )

    def _prepare(self, bundle: NewBundle, stack: contextlib.ExitStack) -> Setting:
        """Make what one attempt at a rung needs."""
        watch = Watch()
        stack.callback(watch.close)
        space = Workspace.create()
        stack.callback(space.remove)
        return Setting(
            plan=self._plan,
            folder=bundle.folder,
            space=space,
            persona=self._persona,
            watch=watch,
            stack=stack,
        )

    def _learn_subject(self, bundle: NewBundle, stage: Stage) -> None:
        told = EVERY_KIND if self._plan.tells_persona else frozenset()
        if self._plan.browser:
            told = TOLD_KINDS
        planted = told | stage.planted_kinds()
        bundle.learn(self._persona.identifiers(stage.addresses, planted))
        if stage.vantage == "proxy":
            bundle.learn(machine_identifiers())

    def _perform(self, bundle: NewBundle, stage: Stage, show: Performance) -> None:
        try:
            stage.start()
            bundle.write_onion_keys(stage.facts.onion_keys)
            show.run()
        except (AuditError, KeyboardInterrupt, OSError) as error:
            self._failure = error
        if self._plan.browser:
            self._left_out = keep_evidence(stage.setting.space, bundle.folder)

    def _stop_taps(self, stage: Stage) -> Tapped:
        try:
            tapped = stage.stop()
        except AuditError as error:
            tapped = Tapped(failed=[error.message])
        if tapped.failed and self._failure is None:
            self._failure = CaptureError(
                tapped.failed[0],
                source=str(self._plan.folder),
                hint="the bundle is kept, but cannot give a pass",
            )
        return tapped

    def _why_incomplete(self, tapped: Tapped) -> tuple[str, ...]:
        reasons = []
        if isinstance(self._failure, AuditError):
            reasons.append(self._failure.message)
        elif isinstance(self._failure, OSError):
            reasons.append(cannot_write("the recording", self._failure))
        elif self._failure is not None:
            reasons.append("the recording was interrupted")
        return tuple(dict.fromkeys([*reasons, *tapped.failed, *tapped.truncated, *self._left_out]))
