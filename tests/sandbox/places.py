"""Sandboxes for tests: started for real, skipped with the machine's own reason where refused."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from audit.errors import SetupError
from audit.sandbox.addresses import Addresses, draw_addresses
from audit.sandbox.channel import JobSpec, Mount
from audit.sandbox.network import Wiring
from audit.sandbox.program import Program
from audit.sandbox.sandbox import RefusedError, Sandbox, own_environment, own_program
from audit.sandbox.waiting import Watch


@functools.cache
def refusal() -> str | None:
    """Return why this machine refuses a sandbox, ``None`` where it does not."""
    try:
        with sandbox() as place:
            wire(place)
    except RefusedError as error:
        return error.reason
    except SetupError as error:
        return error.message
    return None


def require_namespaces() -> None:
    if sys.platform != "linux" or refusal():
        pytest.skip(f"this machine refuses namespaces: {refusal() or sys.platform}")


@contextlib.contextmanager
def sandbox(mode: str = "namespaces", host_name: str = "test-host") -> Iterator[Sandbox]:
    watch = Watch()
    with contextlib.closing(watch), Sandbox(watch, mode, host_name) as place:
        yield place


def job(argv: list[str], place: str = "client", **changes) -> JobSpec:
    values = {
        "env": own_environment(),
        "cwd": "/",
        "powers": "all" if place != "outside" else "kept",
    }
    return JobSpec(argv=argv, place=place, **values | changes)


def python(code: str) -> list[str]:
    return [sys.executable, "-B", "-c", code]


def output(box: Sandbox, code: str, place: str = "client", **changes) -> str:
    """Run Python code in a place and return what it printed; it must end with 0."""
    lines: list[bytes] = []
    program = Program(
        box, "a test program", job(python(code), place, **changes), on_line=lines.append
    )
    try:
        program.require_success(30)
    finally:
        program.close()
    return b"\n".join(lines).decode()


def wire(box: Sandbox, *, proxy_port: int | None = None, has_internet: bool = True) -> Addresses:
    """Connect the places of a sandbox and return their addresses."""
    addresses = draw_addresses()
    wiring = Wiring(addresses=addresses, has_internet=has_internet, proxy_port=proxy_port)
    program = Program(
        box,
        "the wiring",
        job(own_program("audit.sandbox.network"), "gateway"),
        stdin=wiring.to_json().encode(),
        descriptors=tuple(box.namespaces[name] for name in ("client", "gateway", "internet")),
    )
    try:
        program.require_success(30)
    finally:
        program.close()
    return addresses


def family(pid: int) -> list[int]:
    """Return the pids of all descendants of a process."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for child in map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
            found += [child, *family(child)]
    return found


def namespaces_of(pids: Iterable[int]) -> set[str]:
    """Return the namespaces of processes but our own."""
    return _names(pids) - _names([os.getpid()])


def _names(pids: Iterable[int]) -> set[str]:
    found = set()
    for pid in pids:
        for kind in ("net", "pid", "mnt", "user"):
            with contextlib.suppress(OSError):
                found.add(str(Path(f"/proc/{pid}/ns/{kind}").readlink()))
    return found


def require_gone(namespaces: set[str], limit_s: float = 20.0) -> None:
    """Fail unless no process and no mount holds one of these namespaces.

    The kernel gives their numbers out again, to the sandbox of a neighbouring test for one: what
    is in use is looked at until it goes.
    """
    deadline = time.monotonic() + limit_s
    assert "nsfs" not in Path("/proc/self/mountinfo").read_text()
    while held := namespaces & _names(_everybody()):
        if time.monotonic() > deadline:
            pytest.fail(f"still held: {held}")
        time.sleep(0.1)


def _everybody() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


@contextlib.contextmanager
def adopting_orphans() -> Iterator[Callable[[], None]]:
    """Be the parent of every process whose own parent dies.

    Yields a function that waits until no new child is left and fails after eight seconds. What
    runs already (a browser of another test of this worker) is none of ours.
    """
    before = set(family(os.getpid()))
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER

    def wait_for_all() -> None:
        deadline = time.monotonic() + 8
        while ours := set(family(os.getpid())) - before:
            if time.monotonic() > deadline:
                pytest.fail(f"still there: {sorted(ours)}")
            for pid in ours:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
            time.sleep(0.01)

    try:
        yield wait_for_all
    finally:
        ctypes.CDLL(None).prctl(36, 0, 0, 0, 0)


PROC = [Mount(kind="proc", target="/proc")]


def open_files() -> list[str]:
    """Return the descriptors of this process."""
    return sorted(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names alone
