"""Where things lie: caches, captures, reports; relative to the working folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from audit.errors import UsageError
from audit.report.formats import PolicyPlace

CAPTURES: Final = Path("captures")
REPORTS: Final = Path("reports")
_POLICY_FILE: Final = "policy.yaml"


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

    The repository is the nearest folder above with a ``.git``, else the working folder. ``None``:
    the policy is a shipped one, or lies outside of both.
    """
    folder = _policy_folder(policy, target)
    if folder is None:
        return None
    roots = [parent for parent in (folder, *folder.parents) if (parent / ".git").exists()]
    root = roots[0] if roots else Path.cwd().resolve()
    if not folder.is_relative_to(root):
        return None
    return PolicyPlace(folder="/".join(folder.relative_to(root).parts))


def _policy_folder(policy: str | None, target: str | None) -> Path | None:
    if policy is not None:
        path = Path(policy).resolve()
        path = path.parent if path.name == _POLICY_FILE else path
        return path if (path / _POLICY_FILE).is_file() else None
    if target is None:
        return None
    path = Path(target).resolve()
    return next((up for up in path.parents if (up / _POLICY_FILE).is_file()), None)
