"""The recorder's handle on a sandbox: start it, start jobs in it, wait for them, end it."""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Literal, Self

import audit
from audit.errors import SetupError
from audit.sandbox.channel import Channel, Closed, JobSpec
from audit.sandbox.jobs import SIGNALLED
from audit.sandbox.waiting import Watch

START_LIMIT_S: Final = 20.0
"""Longest wait for the launcher or a job to start, on a busy machine."""
END_LIMIT_S: Final = 10.0


def own_environment() -> dict[str, str]:
    """Return the environment in which our own helper programs run, whatever the caller's is."""
    return {
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join([str(Path(audit.__file__).parent.parent), *_module_path()]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "LC_ALL": "C.UTF-8",
    }


def _module_path() -> list[str]:
    """Return where this interpreter finds its modules, so that a helper finds the same."""
    return [entry for entry in sys.path if entry and Path(entry).is_absolute()]


def own_program(module: str, *arguments: str) -> list[str]:
    """Return the command line of a module of this package."""
    return [sys.executable, "-m", module, *arguments]


class Job:
    """A program in the sandbox, or beside it."""

    def __init__(self, sandbox: Sandbox, number: int, name: str, spec: JobSpec) -> None:
        self._sandbox = sandbox
        self._number = number
        self._spec = spec
        self.name = name
        """What error messages call it."""
        self.pid: int | None = None
        """As the launcher's process namespace counts; ``None``: not started."""
        self.code: int | None = None
        """Exit code; negative: ended by that signal; ``None``: it runs."""
        self.refused: str | None = None
        """Why it could not be started."""
        self.stdin: IO[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self.pid is not None and self.code is None

    def signal(self, number: int) -> None:
        """Send a signal to its process group; ``SIGKILL`` ends all that it started, if nested."""
        if self.running:
            self._sandbox.send_signal(self._spec.place, self._number, number)

    def wait(self, limit_s: float, what: str | None = None) -> int:
        """Return the exit code; raises :class:`SetupError` after ``limit_s`` seconds."""
        what = what or f"{self.name} to end"
        self._sandbox.watch.until(lambda: self.code is not None, limit_s, what)
        assert self.code is not None  # noqa: S101 - the wait's condition
        return self.code

    def handle(self, event: dict[str, Any]) -> None:
        """Take a message of the launcher about this job."""
        if event["event"] == "started":
            self.pid = event["pid"]
        elif event["event"] == "not-started":
            self.refused = event["error"]
        elif event["event"] == "exited":
            code = int(event["code"])
            nested = self._spec.own_pids and code > SIGNALLED
            self.code = SIGNALLED - code if nested else code


class SandboxGoneError(SetupError):
    """The launcher ended by itself."""


class RefusedError(SetupError):
    """The machine refuses namespaces; ``reason`` names call and errno."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"this machine refuses a sandbox: {reason}",
            hint="'audit doctor' says how to allow it; '--vantage proxy' records without",
        )
        self.reason = reason


class Sandbox:
    """A running launcher. Leaving the context ends every job and every namespace."""

    def __init__(
        self,
        watch: Watch,
        mode: Literal["plain", "namespaces"],
        host_name: str = "localhost",
        scratch: Path | None = None,
    ) -> None:
        """Start it.

        ``scratch`` is removed at the end, also where the recorder was killed. Raises
        :class:`RefusedError` where the machine refuses the namespaces.
        """
        self.watch = watch
        self._jobs: dict[int, Job] = {}
        self._channels: list[Channel] = []
        self._callbacks: list[Callable[[], None]] = []
        self._outside: Channel
        self._inside: Channel | None = None
        self.tap: int | None = None
        """Packet socket of the client's namespace."""
        self.namespaces: dict[str, int] = {}
        """Network namespace -> descriptor: ``client``, ``gateway``, ``internet``."""
        self._sandbox_pid = 0
        self._launch(mode, host_name, scratch)

    def _launch(self, mode: str, host_name: str, scratch: Path | None) -> None:
        ours, theirs = socket.socketpair()
        command = own_program(
            "audit.sandbox.launcher",
            mode,
            str(theirs.fileno()),
            host_name,
            str(scratch) if scratch else "",
        )
        self._process = subprocess.Popen(
            command,
            env=own_environment(),
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        theirs.close()
        ours.settimeout(START_LIMIT_S)
        self._outside = Channel(ours)
        self._channels.append(self._outside)
        try:
            self._greet(mode)
        except (Closed, TimeoutError):
            self.close()
            raise SandboxGoneError(
                "the sandbox's launcher did not start",
                hint=f"look at what '{' '.join(command[:3])}' prints",
            ) from None
        except SetupError:
            self.close()
            raise
        for channel in self._channels:
            self.watch.add(channel, functools.partial(self._take, channel))

    def _greet(self, mode: str) -> None:
        message, descriptors = self._outside.receive()
        if mode != "namespaces":
            return
        self._sandbox_pid = int(message["sandbox"])
        end = socket.socket(fileno=descriptors[0])
        end.settimeout(START_LIMIT_S)
        self._inside = Channel(end)
        self._channels.append(self._inside)
        message, descriptors = self._inside.receive()
        if message["event"] == "failed":
            raise RefusedError(message["reason"])
        self.tap, *spaces = descriptors
        self.namespaces = dict(zip(("client", "gateway", "internet"), spaces, strict=True))

    def user_namespace(self) -> int:
        """Return a new descriptor of the sandbox's user namespace."""
        return os.open(f"/proc/{self._sandbox_pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)

    def _take(self, channel: Channel) -> None:
        try:
            message, _ = channel.receive()
        except (Closed, TimeoutError):
            raise SandboxGoneError("the sandbox's launcher ended during the recording") from None
        self._jobs[message["id"]].handle(message)

    def start(
        self, name: str, spec: JobSpec, descriptors: list[int], *, limit_s: float = START_LIMIT_S
    ) -> Job:
        """Start a job with these descriptors as its 0, 1, 2, ....

        Raises :class:`SetupError` naming the job where it cannot be started.
        """
        job = Job(self, len(self._jobs) + 1, name, spec)
        number = len(self._jobs) + 1
        self._jobs[number] = job
        channel = self._channel(spec.place)
        try:
            channel.send({"op": "start", "id": number, "job": spec.to_message()}, descriptors)
        except Closed:
            raise SandboxGoneError("the sandbox's launcher ended during the recording") from None
        self.watch.until(
            lambda: job.pid is not None or job.refused is not None, limit_s, f"{name} to start"
        )
        if job.refused is not None:
            raise SetupError(f"{name} cannot be started: {job.refused}", source=spec.argv[0])
        return job

    def _channel(self, place: str) -> Channel:
        if place == "outside" or self._inside is None:
            return self._outside
        return self._inside

    def send_signal(self, place: str, number: int, signal_number: int) -> None:
        """Pass a signal on to a job; one that ended is left alone."""
        with contextlib.suppress(Closed):
            self._channel(place).send({"op": "kill", "id": number, "signal": signal_number})

    def at_close(self, callback: Callable[[], None]) -> None:
        """Have ``callback`` called before everything ends; it may have been called before."""
        self._callbacks.append(callback)

    def close(self) -> None:
        """End everything that was started and wait until it is gone."""
        while self._callbacks:
            self._callbacks.pop()()
        for channel in self._channels:
            with contextlib.suppress(KeyError, ValueError):
                self.watch.remove(channel)
            channel.close()
        self._channels.clear()
        for descriptor in (self.tap, *self.namespaces.values()):
            if descriptor is not None:
                os.close(descriptor)
        self.tap, self.namespaces = None, {}
        try:
            self._process.wait(END_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
