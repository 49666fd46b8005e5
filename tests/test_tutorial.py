"""The tutorial runs as it stands: its files are written, its commands give what it says."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# file: (\S+)\n")
EXIT = re.compile(r"  # exit (\d+)$")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which ``audit`` is a command, and the project's captures lie."""
    command = tmp_path / "bin" / "audit"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m audit.cli.main "$@"\n')
    command.chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()
    (work / "captures").symlink_to(ROOT / "captures")
    return work


def run(folder: Path, script: str) -> str:
    """Run the commands of a block as a shell would; return what they print."""
    expected = [int(code) for line in script.splitlines() for code in EXIT.findall(line)] or [0]
    done = subprocess.run(
        ["sh", "-ec" if expected == [0] else "-c", script],
        cwd=folder,
        env={
            **os.environ,
            "PATH": f"{folder.parent / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    printed = done.stdout + done.stderr
    assert done.returncode == expected[-1], f"{script}\n{printed}"
    return printed


def test_the_tutorial_runs_and_prints_what_it_says(folder: Path) -> None:
    printed = ""
    checked = 0
    for language, body in BLOCKS:
        if language == "yaml" and (named := FILE.match(body)):
            path = folder / named[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(body[named.end() :], encoding="utf-8")
        elif language == "sh" and "FINGERPRINT" not in body:
            printed = run(folder, body)
        elif language == "text":
            for line in body.splitlines():
                words = " ".join(line.split())
                assert words in " ".join(printed.split()), f"{line!r} is not in:\n{printed}"
                checked += 1
    assert checked > 20


def test_every_authoring_command_is_in_the_tutorial() -> None:
    from audit.cli.policy import COMMANDS

    assert not [name for name in COMMANDS if f"audit policy {name}" not in TEXT]
