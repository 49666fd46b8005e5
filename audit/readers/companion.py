"""A second process that takes a share of the work on a large capture.

It looks at the packets of the later part of the file, and opens conversations: one core at a time
is Python's way. It is started before the capture is read, so that it is ready when it is needed.
Where it cannot be had, or dies, everything is done here.
"""

from __future__ import annotations

import os
import pickle
import select
import subprocess
import sys
from pathlib import Path
from typing import Protocol, Self


class Job(Protocol):
    """Work that can be sent to another process."""

    def perform(self, path: Path) -> object:
        """Do it on the capture file; what is returned is sent back."""


class Companion:
    """One companion for one capture; a context manager that leaves no process behind."""

    def __init__(self, path: Path, *, wanted: bool) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._was_ready = False
        if wanted and len(os.sched_getaffinity(0)) > 1:
            environment = os.environ | {
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                "OPENBLAS_NUM_THREADS": "1",  # threads that would wait for nothing
            }
            try:
                self._child = subprocess.Popen(
                    [sys.executable, "-m", "audit.readers.companion", str(path)],
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

    @property
    def is_ready(self) -> bool:
        """Whether it has started up and waits for its first job."""
        if not self._was_ready and self._child is not None and self._child.stdout is not None:
            self._was_ready = bool(select.select([self._child.stdout], [], [], 0)[0])
            if self._was_ready:
                self._load()
        return self._was_ready and self.is_there

    def give(self, job: Job) -> None:
        """Give it a job; its :meth:`result` is to be taken before the next."""
        if self._child is not None and self._child.stdin is not None:
            try:
                pickle.dump(job, self._child.stdin, protocol=5)
                self._child.stdin.flush()
            except (OSError, ValueError):
                self._child.kill()

    def result(self) -> object:
        """Return what the job gave; ``None``: it failed."""
        if not self._was_ready:
            self._was_ready = True
            self._load()
        return self._load()

    def _load(self) -> object:
        if self._child is None or self._child.stdout is None:
            return None
        try:
            return pickle.load(self._child.stdout)  # noqa: S301 - our own process wrote it
        except (EOFError, OSError, ValueError, pickle.UnpicklingError):
            self._child.kill()
            return None

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
    """Do the jobs that standard input holds on the file that the argument names."""
    import gc

    import audit.readers.opening  # noqa: F401 - loaded while the other process looks at packets

    gc.disable()  # what is made here is sent and done with
    path, results = Path(sys.argv[1]), sys.stdout.buffer
    jobs = os.fdopen(sys.stdin.fileno(), "rb", closefd=False)
    pickle.dump(True, results)
    results.flush()
    while jobs.peek(1):
        job: Job = pickle.load(jobs)  # noqa: S301 - written by the process that started this one
        pickle.dump(job.perform(path), results, protocol=5)
        results.flush()
    os._exit(0)  # nothing is left to be tidied up, and tidying takes long


if __name__ == "__main__":
    main()
