"""The ladder of vantages: the first rung that works, tried whole."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable

from audit.bundle import layout
from audit.bundle.manifest import Rung
from audit.record.netns_stage import NetnsStage
from audit.record.plan import RecordPlan
from audit.record.proxy_stage import LIMITS, ProxyStage
from audit.record.stage import Setting, Stage
from audit.sandbox.sandbox import RefusedError

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
            return _enter(NetnsStage, prepare, stack), (Rung(name="netns", works=True),)
        except RefusedError as error:
            if plan.vantage == "netns":
                raise
            tried.append(Rung(name="netns", works=False, reason=error.reason))
            plan.announce(f"no sandbox here ({error.reason}): recording through a proxy instead")
            for limit in LIMITS:
                plan.announce(f"not seen on this rung: {limit}")
    stage = _enter(ProxyStage, prepare, stack)
    return stage, (*tried, Rung(name="proxy", works=True))


def _enter(
    kind: type[NetnsStage | ProxyStage], prepare: Prepare, stack: contextlib.ExitStack
) -> Stage:
    """Enter one rung; a refused attempt is cleaned up whole."""
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
