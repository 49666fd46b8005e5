"""A second process that opens conversations of a large capture while this one opens the others.

Opening is Python's work, one core at a time. The companion is started before the capture is read,
so that it is ready when it is needed. Where it cannot be had, everything is done here.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Final, Self

from audit.readers.bytesource import ByteSource
from audit.readers.openingjob import Opened, OpeningJob, perform

WORTHWHILE: Final = 96 << 20
"""Bytes of a capture from which on a second process pays."""


class Companion:
    """One companion for one capture; a context manager that leaves no process behind."""

    def __init__(self, path: Path, *, wanted: bool) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        if wanted and len(os.sched_getaffinity(0)) > 1:
            environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
            try:
                self._child = subprocess.Popen(
                    [sys.executable, "-m", __name__, str(path)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    env=environment,
                )
            except OSError:
                self._child = None

    @property
    def is_there(self) -> bool:
        """Whether a job can be given to it."""
        return self._child is not None and self._child.poll() is None

    def give(self, job: OpeningJob) -> None:
        """Give it a job; it takes one."""
        if self._child is not None and self._child.stdin is not None:
            try:
                pickle.dump(job, self._child.stdin, protocol=5)
                self._child.stdin.close()
            except OSError:
                self._child.kill()

    def result(self) -> Opened | None:
        """Return what the job gave; ``None``: it failed."""
        if self._child is None or self._child.stdout is None:
            return None
        try:
            found = pickle.load(self._child.stdout)  # noqa: S301 - our own process wrote it
        except (EOFError, pickle.UnpicklingError):
            return None
        return found if isinstance(found, Opened) else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._child is not None:
            self._child.kill()
            for pipe in (self._child.stdin, self._child.stdout):
                if pipe is not None and not pipe.closed:
                    try:
                        pipe.close()
                    except OSError:  # what was not sent needs not to be
                        continue
            self._child.wait()


def main() -> None:
    """Do the one job that standard input holds on the file that the argument names."""
    job = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by the process that started this one
    with ByteSource(Path(sys.argv[1])) as source:
        result = perform(job, source.read)
    pickle.dump(result, sys.stdout.buffer, protocol=5)
    sys.stdout.buffer.flush()
    os._exit(0)  # nothing is left to be tidied up, and tidying takes long


if __name__ == "__main__":
    main()
