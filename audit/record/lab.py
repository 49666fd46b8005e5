"""The stand-in network as a program beside the recording: its start and what it says of itself."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from audit.errors import SetupError
from audit.record.plan import LabNetwork
from audit.record.workspace import Workspace
from audit.sandbox.channel import JobSpec
from audit.sandbox.program import Program, describe_exit
from audit.sandbox.sandbox import Sandbox, own_environment

READY_LIMIT_S: Final = 30.0
_END_LIMIT_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LabFacts:
    """The lab's first line, see ``docs/targets.md``; fields that it leaves out stay empty."""

    resolver: str | None = None
    """Address of the lab's name server."""
    onion_keys: tuple[dict[str, Any], ...] = ()
    """Private keys of the stand-in nodes, verbatim."""
    trust: dict[str, str] = field(default_factory=dict)
    """Trust anchors by name, for drivers."""
    peer_proxy: str | None = None
    """Proxy through which a peer outside reaches the stand-ins (loopback only)."""
    map: dict[str, str] = field(default_factory=dict)
    """Announced ``host:port`` -> loopback ``host:port``."""


class Lab:
    """A running lab."""

    def __init__(
        self, sandbox: Sandbox, space: Workspace, plan: LabNetwork, *, loopback: bool
    ) -> None:
        self._said: LabFacts | None = None
        self._broken: str | None = None
        command = list(plan.command)
        if "--logs" not in command:
            logs = plan.logs or space.own / "lab"
            logs.mkdir(parents=True, exist_ok=True)
            command += ["--logs", str(logs.resolve())]
        if loopback and "--loopback" not in command:
            command.append("--loopback")
        self.program = Program(
            sandbox,
            "the lab",
            JobSpec(
                argv=command,
                env=own_environment() | plan.environment | {"HOME": str(space.own)},
                cwd=str(Path.cwd()),
                place="outside" if loopback else "internet",
                powers="kept" if loopback else "all",
            ),
            keep_stdin=True,
            on_line=self._take,
        )

    def _take(self, line: bytes) -> None:
        if self._said is not None:
            return
        try:
            said = json.loads(line)
            if not isinstance(said, dict) or said.get("ready") is not True:
                raise ValueError  # noqa: TRY301 - one message for all
            known = {name: said[name] for name in LabFacts.__slots__ if name in said}
            known["onion_keys"] = tuple(known.get("onion_keys", ()))
            self._said = LabFacts(**known)
        except (ValueError, TypeError):
            self._broken = f"the lab's first line is not as agreed: {line[:80]!r}"

    def wait_ready(self) -> LabFacts:
        """Wait until every stand-in listens; raises :class:`SetupError` with its last words."""
        self.program.watch.until(
            lambda: bool(self._said or self._broken) or not self.program.running,
            READY_LIMIT_S,
            "the lab's stand-ins to listen",
        )
        if self._said is None:
            if self._broken is None:
                code = self.program.wait(_END_LIMIT_S)
                self._broken = (
                    f"the lab {describe_exit(code)} before it was ready{self.program.last_words()}"
                )
            raise SetupError(self._broken)
        return self._said

    def stop(self) -> None:
        """End it."""
        self.program.end(_END_LIMIT_S)
        self.program.close()
