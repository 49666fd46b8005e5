"""Names of the files in a bundle (design §3)."""

from __future__ import annotations

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
