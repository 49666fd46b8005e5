"""``capture.json``: what a recording is. Written first, replaced atomically at the end."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from audit.bundle.layout import MANIFEST
from audit.errors import CaptureError
from audit.tables.vocabulary import Pass, Vantage

SCHEMA: Final = "audit/capture@1"
CAPTURE_ID: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
"""Regular expression of a capture's id."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Client(_Part):
    """The program that was audited."""

    name: str
    """Name of the program, such as the target's ``app.name``."""
    version: str | None = None
    """Version that the client or its package states."""
    digest: str | None = None
    """sha256 of the installed program (for Python packages: of their sorted file digests)."""
    command: tuple[str, ...] = ()
    """Command line as started, without paths of the machine."""
    companion: str | None = None
    """What else ran in the client's sandbox, in words that reports print; ``None``: nothing."""
    exit_code: int | None = None
    """Exit code; negative: ended by that signal; ``None``: not ended."""


class Network(_Part):
    """Who is who in the recording's network."""

    client: tuple[str, ...] = ()
    """Addresses of the client, IPv4 and IPv6."""
    client_mac: str | None = None
    gateway: tuple[str, ...] = ()
    """Addresses of the recorder's gateway."""
    resolvers: tuple[str, ...] = ()
    """Addresses of the name servers given to the client."""
    tunnel: tuple[str, ...] = ()
    """Names of tunnel interfaces."""
    interfaces: tuple[str, ...] = ()
    """Interfaces of the client that the packet tap listened on."""
    echo: str | None = None
    """Address of the gateway's control echo."""
    proxy: str | None = None
    """``host:port`` of an explicit recording proxy (proxy rung only)."""


class Rung(_Part):
    """One step of the ladder that was tried."""

    name: Literal["netns", "socket-tap", "proxy"]
    works: bool
    reason: str | None = None
    """Why it was refused: call and errno name, in words."""


class Drops(_Part):
    """Counters of one tap."""

    received: int = 0
    dropped: int = 0


class Manifest(_Part):
    """The whole of ``capture.json``."""

    schema_: Literal["audit/capture@1"] = Field(default=SCHEMA, alias="schema")
    id: str = Field(pattern=rf"^{CAPTURE_ID}$")
    status: Literal["recording", "complete"]
    """Found in state ``recording``, a bundle is truncated."""
    policy: str | None = None
    """Id of the policy that the target belongs to."""
    target: str | None = None
    """Name of the target's folder."""
    platform: str | None = None
    pass_: Pass = Field(alias="pass")
    vantage: Vantage
    device: str
    install: str
    started_at: str
    """UTC, ISO 8601 with microseconds and ``Z``."""
    ended_at: str | None = None
    client: Client
    network: Network = Network()
    stand_ins: bool = False
    """Whether the servers were the lab's stand-ins, under the real ones' names."""
    ladder: tuple[Rung, ...] = ()
    tools: dict[str, str] = Field(default_factory=dict)
    """Tool -> version: audit, python, mitmproxy, kernel."""
    drops: dict[str, Drops] = Field(default_factory=dict)
    """Tap -> kernel drop counters."""
    clock: str = "CLOCK_REALTIME"
    time_zone: str | None = None
    """Time zone given to the client."""
    vouched_by: str | None = None
    """Imports only: whose word the journal is."""
    mixed: bool = False
    """Imports only: the capture holds other programs' traffic."""
    truncated: tuple[str, ...] = ()
    """Why the recorder calls its own recording incomplete, a sentence each."""
    redacted_from: str | None = None
    """Digest of the bundle that this one was cut from by ``audit redact``; ``None``: it is what
    was recorded. ``truncated`` says what was cut."""
    files: dict[str, str] = Field(default_factory=dict)
    """Path of every other file -> sha256; filled when complete."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    _sha256: str | None = PrivateAttr(default=None)

    @property
    def sha256(self) -> str | None:
        """Digest of the file of the bundle that it was opened with; ``None``: of no bundle."""
        return self._sha256

    def of_file(self, sha256: str) -> Manifest:
        """Return the same manifest, which knows the digest of its file."""
        opened = self.model_copy()
        opened._sha256 = sha256  # noqa: SLF001 - of this very class
        return opened

    def write(self, folder: Path) -> None:
        """Replace ``capture.json`` in ``folder`` atomically and durably."""
        path = folder / MANIFEST
        temporary = path.with_suffix(".json.part")
        with temporary.open("w", encoding="utf-8") as file:
            file.write(self.model_dump_json(by_alias=True, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)


def read_manifest(folder: Path) -> Manifest:
    """Read ``capture.json``; raises :class:`CaptureError` with the place of what is wrong."""
    path = folder / MANIFEST
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CaptureError(
            "this folder is no capture: it has no capture.json",
            source=str(folder),
            hint="name a folder made by 'audit record' or 'audit import', or a bare capture file",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise CaptureError(f"the manifest cannot be read: {error}", source=str(path)) from None
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise CaptureError(
            f"the manifest is not of schema {SCHEMA}: {where}: {first['msg']}",
            source=str(path),
            hint="older bundle formats are refused by name, record again",
        ) from None
