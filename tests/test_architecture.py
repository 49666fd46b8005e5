"""The architecture is a test: layers, types, style, lengths, names, mirrors."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted(path for path in (ROOT / "audit").rglob("*.py") if path.parent.name != "verifier")
"""Modules; the verifier is one file of data, that opponents read and run alone."""
LONGEST_MODULE = 400
"""Lines; the hint is 300 (docs/architecture.md), this is where it stops being a hint."""


def tool(*command: str) -> None:
    found = Path(sys.executable).parent / command[0]
    if not found.exists():
        pytest.skip(f"{command[0]} is not installed in this environment")
    run = subprocess.run(
        [found, *command[1:]], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]


def test_rooms_import_only_what_lies_below() -> None:
    tool("lint-imports", "--no-cache")


def test_types_hold() -> None:
    """Against the libraries that the lock gives the Python at hand."""
    tool("mypy", "--no-incremental")


def test_style_holds() -> None:
    tool("ruff", "check", "--no-cache", ".")


def test_format_holds() -> None:
    tool("ruff", "format", "--no-cache", "--check", ".")


def test_modules_stay_readable() -> None:
    long = {
        str(path.relative_to(ROOT)): n
        for path in SOURCES
        if (n := len(path.read_text().splitlines())) > LONGEST_MODULE
    }
    assert not long


def test_the_core_names_no_audited_app() -> None:
    """Hosts, calls, clients and salts of a policy's app stand in its folder, never in the code."""
    words = re.compile(
        r"getsession|session-?python|session_python|sessionpy|pysession|storage_rpc|onion_req|oxen|loki|whatsapp|service_node",
        re.IGNORECASE,
    )
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sorted((ROOT / "audit").rglob("*"))
        if path.is_file()
        and "__pycache__" not in path.parts
        and "lab" not in path.relative_to(ROOT / "audit").parts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if words.search(line)
    ]
    assert not found


def test_no_module_is_named_for_nothing() -> None:
    vague = [
        path.name for path in SOURCES if re.search(r"util|helper|manager|common|misc", path.stem)
    ]
    assert not vague


def test_tests_mirror_modules() -> None:
    """A test file below tests/<room>/ is named for a module of that room."""
    strays = []
    for path in (ROOT / "tests").rglob("test_*.py"):
        room = path.relative_to(ROOT / "tests").parent
        if room == Path() or not (ROOT / "audit" / room).is_dir():
            continue
        modules = {source.stem for source in (ROOT / "audit" / room).glob("*.py")} | {
            "properties",
            "system",
            "worked",
            "hostile",
            room.name,
        }
        name = path.stem.removeprefix("test_")
        if not any(name == module or name.startswith(module + "_") for module in modules):
            strays.append(str(path.relative_to(ROOT)))
    assert not strays


def test_no_unfinished_marks() -> None:
    marks = re.compile(
        "|".join(["TO" + "DO", "FIX" + "ME", r"\b" + "X" * 3 + r"\b", "NotImplemented" + "Error"])
    )
    found = [str(path.relative_to(ROOT)) for path in SOURCES if marks.search(path.read_text())]
    assert not found


def test_no_file_names_a_registry_or_a_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    if not listed:
        pytest.skip("not a git checkout")
    hosts = re.compile(
        r"pypi\.org|files\.pythonhosted|registry\.npmjs|" + re.escape(str(ROOT)) + r"\b"
    )
    found = [
        name
        for name in listed
        if (ROOT / name).suffix
        in {".py", ".md", ".txt", ".toml", ".yaml", ".in", ".j2", ".json", ""}
        and (ROOT / name).is_file()
        and hosts.search((ROOT / name).read_text(encoding="utf-8", errors="replace"))
    ]
    assert not found


def test_every_room_is_packaged() -> None:
    import tomllib

    listed = set(
        tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    )
    found = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in (ROOT / "audit").rglob("__init__.py")
    }
    assert listed == found | {"audit._policies"}
