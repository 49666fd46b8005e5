"""Names of the files in a bundle (design §3)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

MANIFEST: Final = "capture.json"
JOURNAL: Final = "journal.jsonl"
IDENTITY: Final = "identity.json"
FLOWS: Final = "flows.mitm"
ARCHIVE: Final = "flows.har"
"""Imports only: an HTTP archive in place of mitmproxy's dump."""
TLS: Final = "tls.jsonl"
PACKETS: Final = "packets.pcapng"
ONION_KEYS: Final = "onion-keys.json"
STORAGE: Final = "storage"
SERVER: Final = "server"
SECRET_FILES: Final = (IDENTITY, ONION_KEYS)
"""Written with mode 0600."""
BROWSER: Final = f"{STORAGE}/browser.jsonl"
"""What a recorded browser stored, called and asked for, a line a fact."""
BROWSER_SCHEMA: Final = "audit/browser@1"
CONTROL_HOST: Final = "audit-control.invalid"
"""Host of the recorder's own page, which a browser is given without any network (RFC 6761)."""


def browser_file(folder: Path) -> Path:
    """Return the path of :data:`BROWSER` in a folder that takes the place of ``storage/``."""
    return folder / BROWSER.removeprefix(f"{STORAGE}/")
