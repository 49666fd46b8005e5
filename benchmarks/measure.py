"""Measuring: programs run one after the other in turn, their time and the most memory they held."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

CACHE = Path(__file__).parents[1] / ".cache/bench"
"""Generated inputs lie here, never in git."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a program."""

    seconds: float
    """By the clock on the wall."""
    cpu_seconds: float
    """Of all its threads and of the processes that it waited for."""
    peak_mib: float
    """The most memory that it, or one of its processes, held at a time."""


def run(command: Sequence[str], *, environment: dict[str, str] | None = None) -> Run:
    """Run a program to its end; raises ``CalledProcessError`` where it fails."""
    begin = perf_counter()
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | (environment or {}),
    ) as child:
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    seconds = perf_counter() - begin
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def in_turn(commands: dict[str, Sequence[str]], times: int) -> dict[str, list[Run]]:
    """Run the programs alternately, so that what else the machine does meets all of them."""
    found: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(times):
        for name, command in commands.items():
            found[name].append(run(command))
    return found


def middle(runs: Sequence[Run]) -> Run:
    """Return the medians."""
    return Run(
        median(one.seconds for one in runs),
        median(one.cpu_seconds for one in runs),
        max(one.peak_mib for one in runs),
    )
