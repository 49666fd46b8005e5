"""Starting programs in their places, and the loop that watches over them.

This code runs in the launcher, between ``fork`` and ``exec``: no thread, no heavy import.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import Final, NoReturn

from audit.sandbox import kernel
from audit.sandbox.channel import Channel, Closed, JobSpec, Mount, job_from_message

_FIRST_FREE: Final = 100
"""Descriptors are lifted above this number before they are put in their places."""
_INERT: Final = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
_LOOK_UP_MS: Final = 1000
_PAUSE_S: Final = 0.01
_CANNOT_START: Final = 127
SIGNALLED: Final = 128
"""A program with its own process namespace that a signal ended exits with this plus the signal."""


class JobKeeper:
    """Starts, watches and ends jobs as the other end of the channel asks."""

    def __init__(self, channel: Channel, places: dict[str, dict[int, int]]) -> None:
        """``places``: name -> {namespace flag: descriptor}; none for a keeper without a sandbox."""
        self._channel = channel
        self._places = places
        self._running: dict[int, int] = {}
        """pid -> job id."""
        self._stopping = False
        self._own_pids = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC) if places else -1

    def stop(self) -> None:
        """Have :meth:`serve` return; safe in a signal handler."""
        self._stopping = True

    def serve(self, dies_with: tuple[int, ...] = ()) -> None:
        """Work until the other end closes or a descriptor of ``dies_with`` reports a hang-up."""
        wake, waker = os.pipe()
        os.set_blocking(waker, False)
        os.set_blocking(wake, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        poll = select.poll()
        poll.register(self._channel.fileno(), select.POLLIN)
        poll.register(wake, select.POLLIN)
        for descriptor in dies_with:
            poll.register(descriptor, 0)
        while not self._stopping:
            ready = {descriptor for descriptor, _ in poll.poll(_LOOK_UP_MS)}
            if ready & set(dies_with):
                return
            try:
                if wake in ready:
                    with contextlib.suppress(BlockingIOError):
                        os.read(wake, 4096)
                    self._reap()
                if self._channel.fileno() in ready:
                    self._serve_one()
            except Closed:
                return

    def _serve_one(self) -> None:
        message, descriptors = self._channel.receive()
        try:
            if message["op"] == "start":
                self._start(message["id"], job_from_message(message["job"]), descriptors)
            elif message["op"] == "kill":
                self._kill(message["id"], message["signal"])
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _start(self, number: int, job: JobSpec, descriptors: list[int]) -> None:
        told, teller = os.pipe()
        nested = job.own_pids and self._own_pids >= 0
        try:
            if nested:
                kernel.unshare(kernel.NEWPID)
            pid = os.fork()
        except OSError as error:
            os.close(told)
            os.close(teller)
            self._channel.send({"event": "not-started", "id": number, "error": str(error)})
            return
        if pid == 0:
            _become(job, self._places.get(job.place, {}), descriptors, teller, nested=nested)
        os.close(teller)
        if nested:
            kernel.setns(self._own_pids, kernel.NEWPID)
        with os.fdopen(told, "rb") as file:
            error_text = file.read().decode(errors="replace")
        if error_text:
            os.waitpid(pid, 0)
            self._channel.send({"event": "not-started", "id": number, "error": error_text})
            return
        self._running[pid] = number
        self._channel.send({"event": "started", "id": number, "pid": pid})

    def _kill(self, number: int, signal_number: int) -> None:
        for pid, job in self._running.items():
            if job == number:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal_number)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            number = self._running.pop(pid, None)
            if number is not None:
                code = os.waitstatus_to_exitcode(status)
                self._channel.send({"event": "exited", "id": number, "code": code})

    def end_all(self, grace_s: float = 1.0, limit_s: float = 5.0) -> None:
        """Ask every job to end, then kill every descendant until none is left.

        Orphans come to us. Jobs that took something of the machine give it back in the grace.
        """
        self._signal_jobs(signal.SIGTERM)
        deadline = time.monotonic() + grace_s
        while self._running and time.monotonic() < deadline:
            with contextlib.suppress(Closed):
                self._reap()
            time.sleep(_PAUSE_S)
        self._signal_jobs(signal.SIGKILL)
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            for pid in _children():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            try:
                os.waitpid(-1, 0)
            except ChildProcessError:
                return

    def _signal_jobs(self, number: int) -> None:
        for pid in list(self._running):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, number)


def _children() -> list[int]:
    """Return the pids of the caller's children; empty where there is no ``/proc``."""
    try:
        text = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(word) for word in text.split()]


def _become(
    job: JobSpec, place: dict[int, int], descriptors: list[int], teller: int, *, nested: bool
) -> NoReturn:
    """Turn the forked child into the program; what goes wrong is told through ``teller``."""
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        for flag, descriptor in place.items():
            kernel.setns(descriptor, flag)
        if job.mounts and place:
            kernel.unshare(kernel.NEWNS)
            for mount in job.mounts:
                _mount(mount)
        teller = _arrange(descriptors, teller)
        if nested:
            _keep_watch_over_the_program()
        if not place and sys.platform == "linux":
            kernel.die_with_parent(signal.SIGKILL)
        if job.powers == "all":
            kernel.pass_on_capabilities()
        elif job.powers == "client":
            keep = kernel.ROOT_CLIENT_CAPABILITIES if os.geteuid() == 0 else frozenset()
            kernel.drop_capabilities(keep)
        os.chdir(job.cwd)
        for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        os.execve(job.argv[0], job.argv, job.env)  # noqa: S606 - no shell is what we want
    except OSError as error:
        text = str(error) if isinstance(error, kernel.CallError) else error.strerror or str(error)
        os.write(teller, text.encode())
    except BaseException as error:  # noqa: BLE001 - a forked child must never run on
        os.write(teller, repr(error).encode())
    os._exit(_CANNOT_START)


def _arrange(descriptors: list[int], teller: int) -> int:
    """Put the job's descriptors at 0, 1, 2, ...; return where ``teller`` lies now.

    All others close at ``execve``.
    """
    teller = fcntl.fcntl(teller, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE)
    lifted = [fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE) for number in descriptors]
    for place, number in enumerate(lifted):
        os.dup2(number, place, inheritable=True)
    return teller


def _keep_watch_over_the_program() -> None:
    """Become the first process of the new namespace; returns only in the program itself."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        return
    os.closerange(0, os.sysconf("SC_OPEN_MAX"))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: os.killpg(pid, received))
    while True:
        found, status = os.wait()
        if found == pid:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else SIGNALLED - code)


def _mount(mount: Mount) -> None:
    try:
        if mount.kind == "bind":
            _make_target(mount.target)
            kernel.mount(mount.source, mount.target, None, kernel.MS_BIND)
        elif mount.kind == "hide":
            _hide(mount.target)
        elif mount.kind == "sysfs":
            _mount_sysfs(mount.target)
        else:
            kernel.mount("proc", mount.target, "proc", _INERT)
    except OSError:
        if not mount.optional:
            raise


def _hide(target: str) -> None:
    kernel.mount("none", target, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=755")


def _mount_sysfs(target: str) -> None:
    """Show the namespace's own links; where that is refused show none, never the machine's."""
    try:
        kernel.mount("none", target, "sysfs", _INERT)
    except OSError:
        _hide(target)


def _make_target(target: str) -> None:
    """Make an empty file to mount over, where the folder is one of ours (a hidden ``/run``)."""
    real = Path(target).resolve()
    if not real.exists() and real.is_relative_to("/run"):
        real.parent.mkdir(parents=True, exist_ok=True)
        real.touch()
