"""What is installed under a distribution's name: its version and the digest of its files."""

from __future__ import annotations

import email.parser
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from audit.bundle.folder import digest_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """An installed Python distribution."""

    version: str
    digest: str
    """sha256 of the sorted ``sha256  path`` lines of its files, compiled ones left out."""


def find_distribution(python: Path, name: str) -> Distribution | None:
    """Return a distribution of the environment whose Python is given, ``None`` if it has none."""
    root = python.parent.parent
    wanted = _normal(name)
    for packages in sorted(root.glob("lib/python3.*/site-packages")):
        for info in packages.glob("*.dist-info"):
            metadata = info / "METADATA"
            if _normal(info.name.partition("-")[0]) != wanted or not metadata.is_file():
                continue
            fields = email.parser.HeaderParser().parsestr(
                metadata.read_text(encoding="utf-8", errors="replace")
            )
            return Distribution(
                version=str(fields.get("Version", "")), digest=_digest(packages, info)
            )
    return None


def _normal(name: str) -> str:
    """Return a distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _digest(packages: Path, info: Path) -> str:
    record = (info / "RECORD").read_text(encoding="utf-8", errors="replace")
    lines = []
    for entry in record.splitlines():
        name = entry.rsplit(",", 2)[0].strip('"')
        path = packages / name
        ours = name.startswith(info.name) and not name.endswith("METADATA")
        if name.startswith("..") or name.endswith(".pyc") or ours or not path.is_file():
            continue  # compiled files, scripts and installer's notes differ from place to place
        lines.append(f"{digest_file(path)}  {name}\n")
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()
