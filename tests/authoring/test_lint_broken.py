"""A corpus of broken files: each is told in one sentence at its place, and nothing is judged.

``broken/base`` is a sound policy; every other folder holds files that take the place of one of its
files (checks: beside the sound one). ``broken/expected.txt`` says what is told of each: the place,
the code, the sentence, and the hint or the words that may stand there.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from audit.authoring.lint import lint_folder
from audit.yamlfile.problem import Problem
from tests.conftest import ROOT, run_audit

BROKEN = Path(__file__).parent / "broken"
PLACES = {
    "check": "checks/broken.yaml",
    "policy": "policy.yaml",
    "pack": "pack.yaml",
    "target": "targets/broken/target.yaml",
    "gate": "gate.yaml",
    "waivers": "waivers.yaml",
    "attestations": "attestations.yaml",
    "list": "lists/trackers.yaml",
}
FILES = sorted(path for kind in PLACES for path in (BROKEN / kind).glob("*.yaml"))


def name_of(path: Path) -> str:
    return path.relative_to(BROKEN).with_suffix("").as_posix()


def broken_policy(folder: Path, kind: str, data: bytes) -> Path:
    shutil.copytree(BROKEN / "base", folder)
    place = folder / PLACES[kind]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    return folder


def told(problem: Problem, folder: Path) -> str:
    source = Path(problem.source)
    place = source.resolve().relative_to(folder.resolve()).as_posix()
    remarks = " | ".join(problem.remarks())
    text = f"{place}:{problem.line}:{problem.column} {problem.code} {problem.message}"
    return f"{text} | {remarks}" if remarks else text


def expected() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    name = ""
    for line in (BROKEN / "expected.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("  "):
            found[name].append(line.strip())
        elif line:
            name = line
            found[name] = []
    return found


@pytest.fixture(scope="module", autouse=True)
def golden(tmp_path_factory):
    """With ``GOLDEN=1`` what is told is written, to be read before committing."""
    if "GOLDEN" not in os.environ:
        return
    lines = []
    for path in FILES:
        folder = tmp_path_factory.mktemp("golden") / "example"
        broken_policy(folder, path.parent.name, path.read_bytes())
        lines.append(name_of(path))
        lines += [f"  {told(problem, folder)}" for problem in lint_folder(folder)]
    (BROKEN / "expected.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_the_base_is_sound():
    assert lint_folder(BROKEN / "base") == []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_broken_file_is_told_at_its_place(tmp_path, path):
    folder = broken_policy(tmp_path / "example", path.parent.name, path.read_bytes())
    problems = lint_folder(folder)
    assert any(problem.level == "error" for problem in problems)
    assert [told(problem, folder) for problem in problems] == expected()[name_of(path)]


def test_the_corpus_is_large_and_every_file_of_it_is_expected():
    assert len(FILES) >= 60
    assert {name_of(path) for path in FILES} == set(expected())


SOUND = (BROKEN / "base/checks/sound.yaml").read_text().replace("example.sound", "example.broken")
HUGE = {
    "10 MB": SOUND + "# " + "x" * 10_000_000 + "\n",
    "10 MB in one line": "schema: audit/check@1\ntitle: " + "x" * 10_000_000,
    "deep flow": "a: " + "[" * 100_000,
    "deep braces": "a: " + "{a: " * 50_000,
    "deep block": "".join(f"{' ' * depth}a:\n" for depth in range(500)),
    "many keys": "\n".join(f"k{number}: 1" for number in range(20_000)),
    "many anchors": "a: &a [x]\n" + "".join(f"k{number}: *a\n" for number in range(9_000)),
    "many conditions": SOUND.replace(
        "match: {", "match: {any: [" + ", ".join("{layer: 1}" for _ in range(15_000)) + "], hots: x, "
    ),
    "long pattern": SOUND.replace("host|list: trackers", "recipient|re: '" + "(a|b)*" * 20_000 + "'"),
    "many patterns": SOUND.replace(
        "host|list: trackers", "recipient|re: [" + ", ".join("'(a{1,900}){1,900}'" for _ in range(500)) + "]"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HUGE)
def test_what_is_made_to_exhaust_is_told_at_once(tmp_path, name):
    folder = broken_policy(tmp_path / "example", "check", HUGE[name].encode())
    errors = [problem for problem in lint_folder(folder) if problem.level == "error"]
    assert errors
    assert all("broken.yaml" in problem.source for problem in errors)
    assert max(len(problem.render()) for problem in errors) < 4000


@pytest.mark.parametrize("kind", ["check", "policy", "pack", "target", "gate"])
def test_with_a_broken_file_nothing_is_judged(tmp_path, kind):
    path = next(path for path in FILES if path.parent.name == kind)
    folder = broken_policy(tmp_path / "example", kind, path.read_bytes())
    if kind == "target":
        shutil.copy(folder / PLACES["target"], folder / "targets" / "any" / "target.yaml")
    sample = ROOT / "captures" / "sample"
    ran = run_audit("run", sample, "--policy", folder, "--target", "any", "--out", tmp_path / "out")
    assert ran.code == 2, ran.out + ran.err
    assert not (tmp_path / "out").exists()
    assert "Traceback" not in ran.err
