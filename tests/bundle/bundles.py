"""Small bundles for tests, with fixed times and example values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audit.bundle.folder import digest_file, files_in
from audit.bundle.journal import JournalLine, JournalWriter
from audit.bundle.manifest import Client, Manifest

STARTED = "2026-01-02T03:04:05.000006Z"


def make_manifest(**changes: Any) -> Manifest:
    values: dict[str, Any] = {
        "id": "sample-passive",
        "status": "recording",
        "pass": "passive",
        "vantage": "netns",
        "device": "device-1",
        "install": "install-1",
        "started_at": STARTED,
        "client": Client(name="sample"),
    }
    return Manifest(**values | changes)


def make_line(**changes: Any) -> JournalLine:
    values: dict[str, Any] = {"ts": STARTED, "driver": "recorder", "action": "app.first-launch"}
    return JournalLine(**values | changes)


def make_bundle(folder: Path, *lines: JournalLine, **manifest: Any) -> Path:
    """Write a complete bundle with a journal and return its folder."""
    folder.mkdir(parents=True)
    writer = JournalWriter(folder)
    for line in lines or (make_line(),):
        writer.write(line)
    writer.close()
    files = {name: digest_file(folder / name) for name in files_in(folder)}
    make_manifest(status="complete", files=files, **manifest).write(folder)
    return folder
