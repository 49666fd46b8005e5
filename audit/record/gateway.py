"""What runs in the gateway's place beside the taps: the wiring, then the control echo."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from audit.errors import SetupError
from audit.record.stage import ECHO_PORTS
from audit.sandbox.channel import JobSpec
from audit.sandbox.network import REFUSED, Wiring
from audit.sandbox.program import Program, describe_exit
from audit.sandbox.sandbox import RefusedError, Sandbox, own_environment, own_program

_WIRING_LIMIT_S: Final = 20.0
_READY_LIMIT_S: Final = 20.0


def _job(argv: list[str]) -> JobSpec:
    return JobSpec(argv=argv, env=own_environment(), cwd="/", place="gateway")


def wire(sandbox: Sandbox, wiring: Wiring) -> bool:
    """Connect the sandbox's namespaces; return whether they speak IPv6.

    Raises :class:`RefusedError` where the machine refuses a step.
    """
    answer: list[bytes] = []
    program = Program(
        sandbox,
        "the wiring of the sandbox",
        _job(own_program("audit.sandbox.network")),
        stdin=wiring.to_json().encode(),
        on_line=answer.append,
        descriptors=tuple(sandbox.namespaces[name] for name in ("client", "gateway", "internet")),
    )
    try:
        code = program.wait(_WIRING_LIMIT_S)
        if code == REFUSED:
            raise RefusedError(program.last_words().removeprefix(": "))
        if code != 0:
            raise SetupError(f"{program.name} {describe_exit(code)}{program.last_words()}")
        return bool(json.loads(answer[0])["ipv6"])
    finally:
        program.close()


class Echo:
    """A running :mod:`audit.record.echo`."""

    def __init__(self, sandbox: Sandbox, address: str, folder: Path) -> None:
        """Start it; ``folder`` is private to the recording."""
        self._heard: list[bytes] = []
        ports = (str(port) for port in ECHO_PORTS.values())
        self._program = Program(
            sandbox,
            "the control echo",
            _job(own_program("audit.record.echo", address, *ports, str(folder))),
            on_line=self._heard.append,
        )

    def wait_ready(self) -> None:
        """Wait until it listens; raises :class:`SetupError` with its last words."""
        program = self._program
        program.watch.until(
            lambda: bool(self._heard) or not program.running,
            _READY_LIMIT_S,
            "the control echo to listen",
        )
        if not self._heard:
            raise SetupError(f"the control echo did not start{program.last_words()}")
