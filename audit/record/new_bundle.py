"""A bundle that is being written: manifest first, manifest last."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

import audit
from audit.bundle import layout
from audit.bundle.folder import digest_file, files_in
from audit.bundle.identity import Identifier, make_identity
from audit.bundle.journal import JournalWriter, now
from audit.bundle.manifest import CAPTURE_ID, Client, Manifest, Rung
from audit.errors import UsageError
from audit.record.plan import LabNetwork, RecordPlan
from audit.record.stage import Stage, Tapped


class NewBundle:
    """The folder of a recording and what it will say of itself."""

    def __init__(self, plan: RecordPlan, client: Client, time_zone: str) -> None:
        """Make the folder and write the manifest with ``status: recording``.

        Raises :class:`UsageError` for an id that is none and where the folder holds something.
        """
        if not re.fullmatch(CAPTURE_ID, plan.id):
            raise UsageError(
                f"{plan.id[:60]!r} cannot be the name of a capture",
                hint="letters, digits, '.', '_' and '-', the first one a letter or digit",
            )
        self.folder = plan.folder.absolute()
        if self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            raise UsageError(
                "there is something already where the capture should go",
                source=str(plan.folder),
                hint="give the recording another name, or remove the folder",
            )
        self.identifiers: list[Identifier] = []
        target = plan.target
        aliased: Any = {"pass": plan.pass_}
        self.manifest = Manifest(
            id=plan.id,
            status="recording",
            policy=plan.policy,
            target=plan.target_name,
            platform=target.app.platform if target else None,
            **aliased,
            vantage="proxy" if plan.vantage == "proxy" else "netns",
            device=plan.device,
            install=plan.install,
            started_at=now(),
            client=client,
            tools=tool_versions(),
            time_zone=time_zone,
            stand_ins=isinstance(plan.network, LabNetwork),
        )
        self._appear()
        self.journal = JournalWriter(self.folder)

    def _appear(self) -> None:
        """Have the folder come into being with its manifest in it, whenever we are killed."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        nascent = Path(tempfile.mkdtemp(prefix=f".{self.folder.name}-", dir=self.folder.parent))
        try:
            nascent.chmod(0o755)
            self.manifest.write(nascent)
            nascent.replace(self.folder)
        except BaseException:
            shutil.rmtree(nascent, ignore_errors=True)
            raise

    def update(self, **changes: Any) -> None:
        """Replace fields of the manifest, on disk too."""
        self.manifest = self.manifest.model_copy(update=changes)
        self.manifest.write(self.folder)

    def learn(self, identifiers: list[Identifier]) -> None:
        """Add identifiers of the subject and keep them at once."""
        fresh = [item for item in identifiers if item not in self.identifiers]
        if fresh:
            self.identifiers += fresh
            make_identity(self.identifiers).write(self.folder)

    def blank(self, text: str) -> str:
        """Replace the subject's values in a note by their kind."""
        for item in sorted(self.identifiers, key=lambda item: -len(item.value)):
            if len(item.value) > 3:
                text = text.replace(item.value, f"[{item.kind}]")
        return text

    def write_onion_keys(self, keys: tuple[dict[str, Any], ...]) -> None:
        """Write the private keys of the lab's nodes, mode 0600; nothing where there are none."""
        if not keys:
            return
        data = {"schema": "audit/onion-keys@1", "keys": list(keys)}
        descriptor = os.open(
            self.folder / layout.ONION_KEYS, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600
        )
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(data, file, indent=1)

    def discard(self) -> None:
        """Remove the folder again: nothing was recorded."""
        self.journal.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def complete(
        self, stage: Stage, tapped: Tapped, rungs: tuple[Rung, ...], truncated: tuple[str, ...],
        exit_code: int | None,
    ) -> None:  # fmt: skip
        """Write the final manifest with the digests of all other files."""
        self.journal.close()
        network = stage.network().model_copy(update={"interfaces": tapped.interfaces})
        self.update(
            status="complete",
            vantage=stage.vantage,
            ended_at=now(),
            ladder=rungs,
            network=network,
            drops=tapped.drops,
            truncated=truncated,
            client=self.manifest.client.model_copy(update={"exit_code": exit_code}),
            files={name: digest_file(self.folder / name) for name in files_in(self.folder)},
        )


def tool_versions() -> dict[str, str]:
    """Return what recorded: our version, Python's, mitmproxy's and the kernel's."""
    return {
        "audit": audit.__version__,
        "python": platform.python_version(),
        "mitmproxy": metadata.version("mitmproxy"),
        "kernel": f"{platform.system()} {platform.release()}",
        "machine": f"{platform.machine()} {sys.byteorder}-endian",
    }


def shown_command(argv: list[str]) -> tuple[str, ...]:
    """Return a command line without paths of the machine."""
    return tuple(Path(word).name if word.startswith("/") else word for word in argv)
