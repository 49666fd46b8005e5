"""What the recorder tells mitmproxy's add-on, as a JSON file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, Self

CONFIG_VARIABLE: Final = "AUDIT_PROXY_CONFIG"
"""Environment variable that holds the file's path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyConfig:
    """What the recorder tells the add-on, as a JSON file."""

    flows: str
    """File for the flows."""
    tls: str
    """File for the TLS attempts."""
    echo: str | None = None
    """Address whose requests the add-on answers itself (proxy rung)."""
    map: dict[str, str] = field(default_factory=dict)
    """Announced ``host:port`` -> the stand-in's own (lab on loopback)."""
    only_mapped: bool = False
    """Whether every other address is refused, so that nothing leaves the machine."""
    intercept: bool = True
    """Whether TLS is opened; the control's always is."""

    def write(self, path: Path) -> None:
        """Write the file."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))
