from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from audit.checks.load import load_policy
from audit.checks.policy import Policy, Target
from audit.checks.targets import load_target

WORKED = Path(__file__).parent / "worked"
SESSION = Path(__file__).parents[2] / "policies" / "session"


@pytest.fixture(scope="session")
def worked_folder(tmp_path_factory) -> Path:
    """The ten worked checks, beside the document of the shipped policy."""
    folder = tmp_path_factory.mktemp("worked") / "session"
    shutil.copytree(WORKED, folder)
    for name in ("policy.yaml", "source.txt"):
        shutil.copy(SESSION / name, folder / name)
    return folder


@pytest.fixture(scope="session")
def worked(worked_folder: Path) -> Policy:
    return load_policy(worked_folder)


@pytest.fixture(scope="session")
def example_target(worked: Policy) -> Target:
    return load_target(worked, "example")
