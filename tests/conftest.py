"""What the tests of several rooms share: the demo, run once, and a way to call the command line."""

import contextlib
import fcntl
import io
import os
import shutil
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):  # one commit, one outcome; at a desk every run draws anew
    settings.load_profile("ci")


@dataclass(frozen=True)
class Ran:
    """A finished command."""

    code: int
    out: str
    err: str


def run_audit(
    *arguments: object, cwd: Path = ROOT, timeout_s: float = 300, **environment: str
) -> Ran:
    """Run ``audit`` as a user would, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "audit.cli.main", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def call_audit(*arguments: object) -> Ran:
    """Run ``audit`` in this process: for tests of many calls, which need no process of their own."""
    from audit.cli import main

    out, err, code = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setattr(sys, "argv", ["audit", *map(str, arguments)])
        patch.setattr(main, "_save_time", lambda: None)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main.main()
            except SystemExit as ended:
                code = int(ended.code or 0)
    return Ran(code, out.getvalue(), err.getvalue())


@dataclass(frozen=True)
class Demo:
    """Where the demo's captures and reports lie, and what it printed."""

    captures: Path
    reports: Path
    out: str


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo, recorded once for all workers of this test run."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    folder = shared / "demo"
    with (shared / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder / "out.txt"
        if not done.exists():
            ran = run_audit("demo", "--out", folder / "reports", "--captures", folder / "captures")
            assert ran.code == 0, ran.out + ran.err
            done.write_text(ran.out)
    return Demo(folder / "captures", folder / "reports", done.read_text())


@pytest.fixture
def bundle_copy(demo: Demo, tmp_path: Path):
    """Copies one bundle of the demo, to be broken."""

    def copy(name: str) -> Path:
        return Path(shutil.copytree(demo.captures / name, tmp_path / name))

    return copy
