"""A mitmdump of our own with the add-on, and the records that come out of it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

from audit.errors import SetupError
from audit.live.flowpipe import LOST, PIPE_VARIABLE, READY, Assembly, Frames
from audit.sandbox.sandbox import own_environment

USER: Final = "audit"
_ADDON: Final = Path(__file__).with_name("addon.py")
_MITMDUMP: Final = "from mitmproxy.tools.main import mitmdump; mitmdump()"
MANY: Final = 40
"""Flows that make a busy proxy, and that are judged at a time while it is."""
AT_EASE: Final = 500
"""Flows that are judged at a time while it is quiet."""
MOST_WAITING: Final = 20_000
"""Flows that wait for a quiet moment, at most."""
RESTS: Final = 6.0
"""Rest of the judge while the proxy is busy, in times of what the last batch took."""
LONGEST_REST_S: Final = 4.0
_READY_LIMIT_S: Final = 30.0
_PIPE_SIZE: Final = 1024 * 1024
_SET_PIPE_SIZE: Final = 1031
"""``F_SETPIPE_SZ`` (fcntl.h of Linux); elsewhere pipes keep their size."""
_OPTIONS: Final = {
    "flow_detail": "0",
    "termlog_verbosity": "error",
    "ssl_insecure": "true",  # whether the client checks certificates is its own matter
    "onboarding": "false",
}


class LiveProxy:
    """A running mitmdump; ends with the ``with`` block, handing over what is left before."""

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        mode: str = "regular",
        secret: str | None = None,
        replay: Path | None = None,
    ) -> None:
        self.port: int | None = None
        """Port that it listens on, once it does; ``None`` where flows are replayed."""
        self.lost = 0
        """Flows that were not handed over, known at the end."""
        self._came = False
        """Whether anything came when it was last waited for."""
        self._frames = Frames()
        self._assembly = Assembly()
        self._stack = ExitStack()
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="audit-live-")))
        self.certificate = folder / "mitmproxy-ca-cert.pem"
        """The interception authority, made for this run."""
        if secret is not None:
            (folder / "config.yaml").write_text(f"proxyauth: '{USER}:{secret}'\n")
        self._read, write = os.pipe()
        self._stack.callback(os.close, self._read)
        _widen(self._read)
        command = [sys.executable, "-c", _MITMDUMP, "-s", str(_ADDON)]
        command += ["--set", f"confdir={folder}"]
        command += [part for item in _OPTIONS.items() for part in ("--set", "=".join(item))]
        if replay is not None:
            command += ["-n", "-r", str(replay)]
        else:
            command += ["--mode", mode, "--listen-host", host, "--listen-port", str(port)]
        self._errors = folder / "errors.txt"
        errors = self._errors.open("wb")
        try:
            self._process = subprocess.Popen(
                command,
                env=own_environment() | {PIPE_VARIABLE: str(write), "HOME": str(folder)},
                pass_fds=(write,),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
        finally:
            errors.close()
            os.close(write)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._stack.close()

    def wait_ready(self) -> None:
        """Wait until it listens; raises :class:`SetupError` with its last words."""
        limit = time.monotonic() + _READY_LIMIT_S
        while self.port is None and time.monotonic() < limit:
            if self._next(0.2) is None:
                break
        if self.port is None:
            self._process.kill()
            self._process.wait()
            said = self._errors.read_text("utf-8", "replace").strip()
            hint = said.splitlines()[-1] if said else None
            raise SetupError("the proxy does not listen", hint=hint)

    @property
    def pid(self) -> int:
        """Process id of the proxy."""
        return self._process.pid

    def stop(self) -> None:
        """Ask it to end; what it holds still comes out of :meth:`batches`."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def batches(self, pause_s: float = 0.25) -> Iterator[list[bytes]]:
        """Yield records of flows as they come, at least an empty list every ``pause_s`` seconds.

        While the proxy is busy it needs the machine: then batches are small and the judge rests
        between them, and what waits (up to :data:`MOST_WAITING` flows) is judged when it is quiet.
        Ends when the proxy has, and all is handed over.
        """
        waiting: list[bytes] = []
        rest_s = pause_s
        ended = False
        while not ended or waiting:
            ended = self._gather(waiting, rest_s, pause_s) or ended
            is_busy = self._came and not ended and len(waiting) > MANY
            size = len(waiting) if len(waiting) > MOST_WAITING else MANY if is_busy else AT_EASE
            batch, waiting[:size] = waiting[:size], []
            before = time.monotonic()
            yield batch
            worked_s = time.monotonic() - before
            rest_s = (
                min(LONGEST_REST_S, RESTS * worked_s) if is_busy else 0.0 if waiting else pause_s
            )

    def _gather(self, waiting: list[bytes], rest_s: float, quiet_s: float) -> bool:
        """Add what comes within a time, or until nothing does; return whether it is the end."""
        until = time.monotonic() + rest_s
        while True:
            records = self._next(max(0.0, min(until - time.monotonic(), quiet_s)))
            if records is None:
                return True
            waiting += records
            if not self._came or time.monotonic() >= until:
                return False

    def _next(self, wait_s: float) -> list[bytes] | None:
        """Return the records that came within a time; ``None`` when no more will come."""
        self._came = bool(select.select([self._read], [], [], wait_s)[0])
        if not self._came:
            return []
        data = os.read(self._read, _PIPE_SIZE)
        if not data:
            return None
        records = []
        for frame in self._frames.feed(data):
            if frame[0] == READY:
                self.port = frame[1]
            elif frame[0] == LOST:
                self.lost = frame[1]
            else:
                record = self._assembly.take(frame)
                if record is not None:
                    records.append(record)
        return records


def _widen(pipe: int) -> None:
    if sys.platform == "linux":
        import fcntl

        try:
            fcntl.fcntl(pipe, _SET_PIPE_SIZE, _PIPE_SIZE)
        except OSError:
            return  # a limit of this machine: smaller writes, nothing else


def judge_quietly() -> None:
    """Let proxy, client and servers go first where all want the processor.

    On Linux the judge runs in what they leave over (``SCHED_IDLE``); elsewhere it is only nicer.
    """
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    elif hasattr(os, "nice"):
        os.nice(19)
