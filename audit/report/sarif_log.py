"""What every SARIF 2.1.0 log shares: the envelope, message texts, levels, paths as URIs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from audit.report.json import render_shown
from audit.report.visible import visible

SCHEMA_URI: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
VERSION: Final = "2.1.0"
FINGERPRINT: Final = "audit/v1"
"""Key of ``partialFingerprints``: the finding's own fingerprint, equal in every recording."""
LEVELS: Final = {
    "critical": "error",
    "high": "error",
    "medium": "warning",
    "low": "note",
    "info": "note",
}
"""Severity -> level of a fail."""


def level_of(severity: str, status: str = "stable") -> str:
    """Return the level of a fail; a check that is not stable decides nothing, so ``note``."""
    return LEVELS.get(severity, "warning") if status == "stable" else "note"


def message(text: str) -> dict[str, Any]:
    """Return a plain text message that means itself.

    Braces are doubled (§3.11.5: they are placeholders), and what would make an embedded link
    (§3.11.6, ``[text](target)``) is taken apart by a space.
    """
    whole = visible(text).strip() or "–"
    inert = whole.replace("](", "] (")
    return {"text": inert.replace("{", "{{").replace("}", "}}")}


def uri_path(path: str) -> str:
    """Return a relative path as a relative URI reference that cannot leave its base."""
    parts = visible(path).replace("\\", "/").split("/")
    kept = [part for part in parts if part not in {"", ".", ".."}]
    return "/".join(quote(part, safe=",") for part in kept) or "-"


def in_repository(path: str, region: Mapping[str, Any]) -> dict[str, Any]:
    """Return a physical location: a region of a file, its path from the repository's root."""
    location = {"uri": uri_path(path), "uriBaseId": "%SRCROOT%"}
    return {"artifactLocation": location, "region": region}


def render_log(run: Mapping[str, Any]) -> bytes:
    """Return a log of one run."""
    return render_shown({"$schema": SCHEMA_URI, "version": VERSION, "runs": [run]})
