"""The private folder of a recording: homes, keys, the interception authority; gone afterwards."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """Folders of mode 0700 below the machine's folder for temporary files."""

    root: Path

    @classmethod
    def create(cls) -> Self:
        """Make the folders; raises ``OSError``."""
        base = tempfile.gettempdir()
        if Path(base).resolve().is_relative_to("/run"):
            base = "/var/tmp"  # noqa: S108 - the client does not see the machine's /run
        made = cls(root=Path(tempfile.mkdtemp(prefix="audit-", dir=base)).resolve())
        for folder in (
            made.home.parent, made.home, made.client_tmp,
            made.own, made.authority, made.peer_home.parent, made.peer_home, made.peer_tmp,
        ):  # fmt: skip
            folder.mkdir(mode=0o700)
        return made

    @property
    def home(self) -> Path:
        """Return the client's home and working folder: a fresh profile."""
        return self.root / "client" / "home"

    @property
    def client_tmp(self) -> Path:
        """Return the client's folder for temporary files."""
        return self.root / "client" / "tmp"

    @property
    def client_keys(self) -> Path:
        """Return the client's TLS key log."""
        return self.root / "client" / "keys.log"

    @property
    def own(self) -> Path:
        """Return the part that the client does not see."""
        return self.root / "own"

    @property
    def peer_home(self) -> Path:
        """Return the peer's home and working folder."""
        return self.own / "peer" / "home"

    @property
    def peer_tmp(self) -> Path:
        """Return the peer's folder for temporary files."""
        return self.own / "peer" / "tmp"

    @property
    def authority(self) -> Path:
        """Return mitmproxy's folder with the interception authority."""
        return self.own / "authority"

    @property
    def proxy_keys(self) -> Path:
        """Return mitmproxy's TLS key log."""
        return self.own / "proxy-keys.log"

    @property
    def control_keys(self) -> Path:
        """Return the control's TLS key log."""
        return self.own / "control-keys.log"

    def write(self, name: str, text: str, mode: int = 0o600) -> Path:
        """Write a small file below the root, in place of an older one, and return its path."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.unlink(missing_ok=True)  # without root, a file of mode 0444 cannot be opened again
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        path.chmod(mode)
        return path

    def write_json(self, name: str, data: Any) -> Path:
        """Write a JSON file, mode 0600."""
        return self.write(name, json.dumps(data, ensure_ascii=False) + "\n")

    def remove(self) -> None:
        """Remove everything, whatever the client did to its files."""
        shutil.rmtree(self.root, ignore_errors=True)
