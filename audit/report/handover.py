"""What lies beside every report so that an opponent can check it without this toolkit.

``audit-verify.py`` is one file of standard library (Python 3.9 or newer) that re-derives the bytes
behind every finding; ``SHA256SUMS`` lists the files of the report as ``sha256sum -c`` reads them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Final

from audit.bundle.folder import digest_file, digest_lines

VERIFIER: Final = "audit-verify.py"
SUMS: Final = "SHA256SUMS"
_LINE: Final = re.compile(r"(?P<digest>[0-9a-f]{64})  (?P<name>[^/\\\n]+)\Z")
_LONGEST: Final = 1 << 20
"""Bytes of a list of digests that are read."""


def verifier() -> bytes:
    """Return the verifier's source."""
    return resources.files("audit.report").joinpath("verifier", VERIFIER).read_bytes()


def sums(contents: Mapping[str, bytes]) -> bytes:
    """Return the digests of files by name, sorted, a line each (coreutils ``sha256sum``)."""
    return digest_lines(_digests(contents))


def read_sums(path: Path) -> dict[str, str]:
    """Return name -> digest; lines that are none are left out, a missing file is empty."""
    try:
        with path.open("rb") as file:
            text = file.read(_LONGEST).decode("utf-8", "replace")
    except OSError:
        return {}
    found = filter(None, map(_LINE.match, text.splitlines()))
    return {match["name"]: match["digest"] for match in found}


def handover(contents: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files that go beside those of a report, their digests last."""
    files = {VERIFIER: verifier()}
    return files | {SUMS: sums({**contents, **files})}


def renewed(folder: Path, contents: Mapping[str, bytes]) -> bytes | None:
    """Return the list of digests with files that were written anew beside a report.

    ``None`` where the folder has none, or where it is the list of another result.
    """
    known = read_sums(folder / SUMS)
    result = folder / "result.json"
    if not result.is_file() or known.get("result.json") != digest_file(result):
        return None
    return digest_lines(known | _digests(contents))


def _digests(contents: Mapping[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
