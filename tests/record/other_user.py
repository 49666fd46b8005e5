"""Running as an ordinary user, where the tests run as root."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from audit.record.doctor import closed_folder
from tests.record.recordings import ROOT

UID = 1001
BECOME = f"import os, sys; os.setgroups([]); os.setresgid({UID}, {UID}, {UID}); os.setresuid({UID}, {UID}, {UID}); os.execv(sys.argv[1], sys.argv[1:])"


def ordinary_python() -> tuple[list[str], dict[str, str]]:
    """Return the beginning of a command line that is Python for an ordinary user, and its environment.

    The environment's own Python may lie below a closed folder; then one of the same version in
    /usr/bin takes the environment's packages.
    """
    path = [str(ROOT), *filter(None, sys.path)]
    env = {"PATH": "/usr/sbin:/usr/bin:/bin", "HOME": "/tmp", "PYTHONDONTWRITEBYTECODE": "1"}
    python = sys.executable
    if os.geteuid() != 0:
        return [python], env | {"PYTHONPATH": os.pathsep.join(path)}
    if closed_folder(Path(python)):
        found = shutil.which(f"python3.{sys.version_info.minor}", path="/usr/bin")
        if not found or closed_folder(ROOT):
            pytest.skip(f"no Python 3.{sys.version_info.minor} that an ordinary user may run")
        python, path = found, [str(ROOT), *(entry for entry in path if "site-packages" in entry)]
    return [python, "-c", BECOME, python], env | {"PYTHONPATH": os.pathsep.join(path)}
