"""A wheel built from the tree works outside the checkout, shipped policies included."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked where pip puts it; the dependencies are those of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    tree = folder / "tree"
    tree.mkdir()
    for name in ("audit", "policies"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "requirements.in"):
        shutil.copy(ROOT / name, tree / name)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, tree]
    subprocess.run(command, check=True, capture_output=True, timeout=240)
    wheel = next(folder.glob("*.whl"))
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--target",
        folder / "site",
        wheel,
    ]
    subprocess.run(pip, check=True, capture_output=True, timeout=240)
    return folder / "site"


def run(installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "audit.cli.main", *arguments],
        cwd=installed.parent,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_installed_package_is_the_one_that_runs(installed: Path) -> None:
    where = subprocess.run(
        [sys.executable, "-c", "import audit; print(audit.__file__)"],
        cwd=installed.parent, env={**os.environ, "PYTHONPATH": str(installed)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert where.stdout.startswith(str(installed))


def test_the_shipped_policies_are_in_the_wheel(installed: Path) -> None:
    ran = run(installed, "policy", "test")
    assert ran.returncode == 0, ran.stderr
    assert len(json.loads(run(installed, "policy", "coverage", "--json").stdout)["clauses"]) == 26


def test_the_schema_of_results_is_in_the_wheel(installed: Path) -> None:
    shipped = json.loads((installed / "audit" / "model" / "result.schema.json").read_text())
    ran = run(installed, "policy", "schema", "result")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == shipped


def test_targets_with_their_drivers_are_in_the_wheel(installed: Path) -> None:
    targets = installed / "audit" / "_policies" / "session" / "targets"
    for name in ("session-python", "sessionpy-messenger"):
        assert {"driver.py", "requirements.txt", "target.yaml"} <= {
            p.name for p in (targets / name).iterdir()
        }


def test_a_capture_is_judged_outside_the_checkout(installed: Path) -> None:
    ran = run(installed, "run", str(ROOT / "captures" / "sample"), "--out", "report")
    assert ran.returncode in {0, 1, 4}, ran.stderr
    assert (installed.parent / "report" / "index.html").exists()
