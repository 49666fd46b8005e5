"""The packet tap as a program of its own: its start, its readiness, what it counted."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any, Final

from audit.bundle.manifest import Drops
from audit.errors import CaptureError
from audit.record.stage import Tapped
from audit.sandbox.channel import JobSpec
from audit.sandbox.program import Program, describe_exit
from audit.sandbox.sandbox import Sandbox, own_environment, own_program

_READY_LIMIT_S: Final = 20.0
_END_LIMIT_S: Final = 300.0
"""Gigabytes of packets are copied once to put their secrets first."""


class PacketTap:
    """A running :mod:`audit.record.tap`."""

    def __init__(self, sandbox: Sandbox, packets: Path, key_logs: tuple[Path, ...]) -> None:
        """Start it on the sandbox's packet socket; raises :class:`SetupError`."""
        assert sandbox.tap is not None  # noqa: S101 - a sandbox with namespaces has one
        self._said: list[bytes] = []
        argv = own_program("audit.record.tap", str(packets), *map(str, key_logs))
        self._program = Program(
            sandbox,
            "the packet tap",
            JobSpec(argv=argv, env=own_environment(), cwd="/", place="gateway"),
            on_line=self._said.append,
            descriptors=(sandbox.tap,),
        )

    def wait_ready(self) -> None:
        """Wait until it writes; raises :class:`CaptureError` where it cannot."""
        self._program.watch.until(
            lambda: bool(self._said) or not self._program.running,
            _READY_LIMIT_S,
            "the packet tap to listen",
        )
        if not self._said:
            raise CaptureError(self.trouble() or "the packet tap did not start")

    def trouble(self) -> str | None:
        """Return why it stopped listening, ``None`` while it does."""
        if self._program.running:
            return None
        return self._last_words() or "the packet tap ended too early"

    def _last_words(self) -> str:
        return self._program.last_words().removeprefix(": ")

    def stop(self, found: Tapped) -> None:
        """Have it write what the socket still holds, and add what it counted."""
        program = self._program
        program.job.signal(signal.SIGTERM)
        code = program.wait(_END_LIMIT_S, "the packet tap to write its last packets")
        if code != 0:
            found.failed.append(self._last_words() or f"the packet tap {describe_exit(code)}")
        else:
            _count(json.loads(self._said[-1]), found)
        program.close()


def _count(counted: dict[str, Any], found: Tapped) -> None:
    found.packets = counted["packets"]
    found.interfaces = tuple(counted["interfaces"])
    found.drops["packets"] = Drops(received=counted["received"], dropped=counted["dropped"])
    if counted["dropped"]:
        found.truncated.append(f"the kernel dropped {counted['dropped']} packets of the tap")
    if counted["packets"] == 0:
        found.failed.append("the packet tap saw no packet at all")
    found.truncated += [
        f"interface {name} is of an unknown link type" for name in counted["unknown_links"]
    ]
