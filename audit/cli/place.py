"""Where things lie: caches, captures, reports; relative to the working folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from audit.errors import UsageError

CAPTURES: Final = Path("captures")
REPORTS: Final = Path("reports")


def cache_folder() -> Path:
    """Return the folder for target environments.

    ``AUDIT_CACHE`` if set, ``.cache`` of a checkout, else ``privacy-audit`` in the user's own.
    """
    if named := os.environ.get("AUDIT_CACHE"):
        return Path(named).absolute()
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "pyproject.toml").is_file() and os.access(checkout, os.W_OK):
        return checkout / ".cache"
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "privacy-audit"


def existing_file(path: Path) -> Path:
    """Return a path that the call names; raises :class:`UsageError` where no file is there."""
    if path.is_dir():
        raise UsageError("this is a folder, not a file", source=str(path))
    if not path.is_file():
        raise UsageError("there is no such file", source=str(path))
    return path
