"""Real files of other projects, where this machine has them: never part of this one."""

import os
from pathlib import Path

FOLDER = Path(
    os.environ.get("AUDIT_SAMPLE_CAPTURES", Path(__file__).parents[3] / "shared/captures")
)


def samples(*patterns: str) -> list[Path]:
    """Return the sample files whose names match, sorted."""
    return sorted(path for pattern in patterns for path in FOLDER.glob(pattern))
