"""Where the shipped policies lie: inside the installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

import audit

POLICY_FILE = "policy.yaml"


def shipped_root() -> Path | None:
    """Return the folder that holds the shipped policies, ``None`` where there is none."""
    package = Path(audit.__file__).resolve().parent
    for root in (package / "_policies", package.parent / "policies"):
        if root.is_dir():
            return root
    return None


def shipped_policies() -> tuple[Path, ...]:
    """Return the folder of every shipped policy, sorted by name."""
    root = shipped_root()
    if root is None:
        return ()
    return tuple(sorted(path.parent for path in root.glob(f"*/{POLICY_FILE}")))
