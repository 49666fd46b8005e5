"""Documentation that cannot fall behind."""

import re
import subprocess
import sys
from pathlib import Path

from audit.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_generated_pages_are_current() -> None:
    run = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout


def test_readme_opens_with_the_two_commands() -> None:
    top = README[: README.index("\n## ", README.index("make demo"))]
    assert "make demo" in top
    assert "make test" in top


def test_readme_names_every_command() -> None:
    assert not [name for name in COMMANDS if f"audit {name}" not in README]


def test_links_between_documents_resolve() -> None:
    broken = []
    for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            if not (path.parent / link).exists():
                broken.append(f"{path.relative_to(ROOT)}: {link}")
    assert not broken


def test_every_dependency_has_a_reason() -> None:
    reasons = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8").lower()
    names = {
        re.split(r"[=<>;\s]", line)[0].lower()
        for file in ("requirements.in", "requirements-setup.in", "requirements-dev.in")
        for line in (ROOT / file).read_text(encoding="utf-8").splitlines()
        if line.strip() and not line.startswith(("#", "-"))
    }
    assert not [name for name in names if name not in reasons]
