"""TLS secrets in the NSS key log format (SSLKEYLOGFILE; draft-ietf-tls-keylogfile)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

_LINE: Final = re.compile(
    rb"^[ \t]*([A-Z0-9_]+) ([0-9A-Fa-f]{64}) ([0-9A-Fa-f]{2,256})[ \t]*\r?$", re.MULTILINE
)


@dataclass(slots=True)
class KeyLog:
    """Secrets by client random and label; of a repeated line the last one counts."""

    secrets: dict[bytes, dict[str, bytes]] = field(default_factory=dict)

    def add(self, text: bytes) -> None:
        """Take the lines of a key log; lines of any other shape are passed over."""
        for label, random, secret in _LINE.findall(text):
            if len(secret) % 2 == 0:
                labels = self.secrets.setdefault(bytes.fromhex(random.decode()), {})
                labels[label.decode()] = bytes.fromhex(secret.decode())

    def of(self, client_random: bytes) -> dict[str, bytes]:
        """Return the secrets of one connection by label, empty where there are none."""
        return self.secrets.get(client_random, {})
