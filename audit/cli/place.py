"""Where things lie: caches, captures, reports; relative to the working folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from audit.checks.shipped import POLICY_FILE
from audit.errors import UsageError
from audit.report.formats import PolicyPlace

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


def policy_place(policy: str | None, target: str | None = None) -> PolicyPlace | None:
    """Return where the policy that a call names by a path lies in its repository.

    ``None``: the policy is a shipped one, or lies outside, see :func:`path_in_repository`.
    """
    folder = _policy_folder(policy, target)
    inside = None if folder is None else path_in_repository(folder)
    return None if inside is None else PolicyPlace(folder=inside)


def path_in_repository(path: Path) -> str | None:
    """Return a path from the root of its repository, with forward slashes; ``''``: the root.

    The repository is the nearest folder above with a ``.git``, else the working folder; ``None``
    outside of both.
    """
    whole = path.resolve()
    root = next((up for up in (whole, *whole.parents) if (up / ".git").exists()), None)
    root = root or Path.cwd().resolve()
    return "/".join(whole.relative_to(root).parts) if whole.is_relative_to(root) else None


def _policy_folder(policy: str | None, target: str | None) -> Path | None:
    if policy is not None:
        path = Path(policy).resolve()
        path = path.parent if path.name == POLICY_FILE else path
        return path if (path / POLICY_FILE).is_file() else None
    return None if target is None else policy_above(Path(target))


def policy_above(path: Path) -> Path | None:
    """Return the folder of the policy that a file or folder lies in; ``None``: in none."""
    return next((up for up in path.resolve().parents if (up / POLICY_FILE).is_file()), None)
