"""A job together with its standard input, output and error."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from typing import BinaryIO, Final

from audit.errors import SetupError
from audit.sandbox.channel import JobSpec
from audit.sandbox.sandbox import Job, Sandbox
from audit.sandbox.waiting import Lines, Tail, Watch

_KILL_LIMIT_S: Final = 5.0


class Program:
    """A running program whose output is taken as lines, or kept as a tail for error messages."""

    def __init__(
        self,
        sandbox: Sandbox,
        name: str,
        spec: JobSpec,
        *,
        stdin: bytes | None = None,
        keep_stdin: bool = False,
        given_stdin: int | None = None,
        on_line: Callable[[bytes], None] | None = None,
        on_output: Callable[[bytes], None] | None = None,
        descriptors: tuple[int, ...] = (),
    ) -> None:
        """Start it.

        ``stdin`` is written to its standard input, which stays open if ``keep_stdin``; or it gets
        the descriptor ``given_stdin``. Lines of its standard output go to ``on_line``; without
        one they are kept beside standard error, and both go to ``on_output`` as they come.
        Raises :class:`SetupError`.
        """
        self.name = name
        self.watch: Watch = sandbox.watch
        self.job, self.stdin, out, err = _start(sandbox, name, spec, given_stdin, descriptors)
        self._lines: Lines | None = None
        self._tails = [Tail(self.watch, err, on_output)]
        if on_line is None:
            self._tails.append(Tail(self.watch, out, on_output))
        else:
            self._lines = Lines(self.watch, out, on_line)
        sandbox.at_close(self.close)
        if stdin:
            self.say(stdin)
        if not keep_stdin:
            self.hang_up()

    def say(self, data: bytes) -> None:
        """Write to its standard input; a program that stopped listening is no error here."""
        if self.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self.stdin.write(data)

    def hang_up(self) -> None:
        """Close its standard input."""
        if self.stdin is not None:
            self.stdin.close()
            self.stdin = None

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.job.running

    def wait(self, limit_s: float, what: str | None = None) -> int:
        """Return the exit code when all its output is taken; raises :class:`SetupError`."""
        code = self.job.wait(limit_s, what)
        if self._lines is not None:
            self._lines.drain()
        return code

    def require_success(self, limit_s: float) -> None:
        """Wait and raise :class:`SetupError` with its last words unless it ended with 0."""
        code = self.wait(limit_s)
        if code != 0:
            raise SetupError(f"{self.name} {describe_exit(code)}{self.last_words()}")

    def last_words(self) -> str:
        """Return ``: `` and the last line of what it complained, ``''`` where it said nothing."""
        for tail in self._tails:
            if line := tail.last_line():
                return f": {line[:300]}"
        return ""

    def end(self, limit_s: float) -> int | None:
        """Ask it to end (closed input, SIGTERM), kill it after ``limit_s``; return its code."""
        self.hang_up()
        if self.job.running:
            self.job.signal(signal.SIGTERM)
            try:
                self.wait(limit_s)
            except SetupError:
                self.job.signal(signal.SIGKILL)
                self.wait(_KILL_LIMIT_S)
        if self._lines is not None and not self._lines.ended:
            self._lines.drain()
        return self.job.code

    def close(self) -> None:
        """Close our ends of its pipes."""
        self.hang_up()
        for tail in self._tails:
            tail.close()
        if self._lines is not None:
            self._lines.close()


def _start(
    sandbox: Sandbox,
    name: str,
    spec: JobSpec,
    given_stdin: int | None,
    descriptors: tuple[int, ...],
) -> tuple[Job, BinaryIO | None, BinaryIO, BinaryIO]:
    """Start a job; return it with our ends of its standard input, output and error."""
    (given, mine), out, err = os.pipe(), os.pipe(), os.pipe()
    theirs = [given if given_stdin is None else given_stdin, out[1], err[1], *descriptors]
    try:
        job = sandbox.start(name, spec, theirs)
    except BaseException:
        for number in (mine, out[0], err[0]):
            os.close(number)
        raise
    finally:
        for number in (given, out[1], err[1]):
            os.close(number)
    ours, complaints = (os.fdopen(end[0], "rb", buffering=0) for end in (out, err))
    return job, os.fdopen(mine, "wb", buffering=0), ours, complaints


def describe_exit(code: int) -> str:
    """Return how a program ended, in words."""
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"was ended by {signal.Signals(-code).name}"
        return f"was ended by signal {-code}"
    return f"ended with exit code {code}"
