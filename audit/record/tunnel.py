"""The tunnel that a client is recorded behind: up before it starts, dropped when asked."""

from __future__ import annotations

from typing import Final

from audit.errors import SetupError
from audit.sandbox.channel import JobSpec
from audit.sandbox.network import REFUSED
from audit.sandbox.program import Program, describe_exit
from audit.sandbox.sandbox import RefusedError, Sandbox, own_environment, own_program
from audit.sandbox.tunnel import CLIENT_TUNNEL, Ends

_LIMIT_S: Final = 20.0


class Tunnel:
    """A running :mod:`audit.sandbox.tunnel`."""

    interface = CLIENT_TUNNEL

    def __init__(self, sandbox: Sandbox, ends: Ends) -> None:
        """Start it in a sandbox that is wired; raises :class:`SetupError`."""
        self.address = ends.client
        """Address of the client inside the tunnel: what servers see."""
        self._said: list[bytes] = []
        self._program = Program(
            sandbox,
            "the tunnel",
            JobSpec(
                argv=own_program("audit.sandbox.tunnel"),
                env=own_environment(),
                cwd="/",
                place="gateway",
            ),
            stdin=ends.to_json().encode(),
            keep_stdin=True,
            on_line=self._said.append,
            descriptors=tuple(sandbox.namespaces[name] for name in ("client", "gateway")),
        )

    def wait_ready(self) -> None:
        """Wait until packets can pass; raises :class:`RefusedError` where the machine refuses."""
        self._wait_for(1, "the tunnel to come up")

    def drop(self) -> None:
        """Take the tunnel's interface away from the client; raises :class:`SetupError`."""
        self._program.say(b"drop\n")
        self._wait_for(2, "the tunnel to drop")

    def _wait_for(self, lines: int, what: str) -> None:
        program = self._program
        program.watch.until(lambda: len(self._said) >= lines or not program.running, _LIMIT_S, what)
        if len(self._said) >= lines:
            return
        words = program.last_words()
        if program.job.code == REFUSED:
            raise RefusedError(words.removeprefix(": "))
        raise SetupError(f"the tunnel {describe_exit(program.job.code or 0)}{words}")
