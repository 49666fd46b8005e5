"""What a vantage gives a recording: a place for the client, taps that listen, controls."""

from __future__ import annotations

import abc
import contextlib
import secrets
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from audit.bundle import layout
from audit.bundle.journal import JournalLine, JournalWriter, now
from audit.bundle.manifest import Drops, Network
from audit.record.lab import LabFacts
from audit.record.persona import Persona
from audit.record.plan import RecordPlan
from audit.record.proxy import ProxyTap
from audit.record.tunnel import Tunnel
from audit.record.workspace import Workspace
from audit.sandbox.addresses import Addresses
from audit.sandbox.channel import JobSpec
from audit.sandbox.program import Program
from audit.sandbox.sandbox import Sandbox, own_environment, own_program
from audit.sandbox.waiting import Watch

CONTROL_LIMIT_S: Final = 30.0
ECHO_PORTS: Final = {"http": 80, "https": 443}
TOKEN_BYTES: Final = 16
"""A one-time token of 128 bits."""


@dataclass(slots=True, kw_only=True)
class Tapped:
    """What the taps say at their end."""

    drops: dict[str, Drops] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    """Why a tap did not do its work to the end, a sentence each: the recording failed."""
    truncated: list[str] = field(default_factory=list)
    """What a tap that worked could not keep, a sentence each: the recording is incomplete."""
    packets: int = 0
    interfaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Everything that a stage needs to know."""

    plan: RecordPlan
    folder: Path
    """The bundle's folder, absolute."""
    space: Workspace
    persona: Persona
    watch: Watch
    stack: contextlib.ExitStack
    """Where the stage puts its clean-up."""


class Stage(abc.ABC):
    """One rung of the ladder, in use."""

    vantage: Literal["netns", "proxy"]

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.plan = setting.plan
        self.sandbox: Sandbox
        self.addresses: Addresses | None = None
        self.facts = LabFacts()
        """What the lab said; empty on a real network."""
        self.proxy: ProxyTap | None = None

    @abc.abstractmethod
    def enter(self) -> None:
        """Build what the machine may refuse; raises :class:`.sandbox.RefusedError`."""

    @abc.abstractmethod
    def start(self) -> None:
        """Start taps and network and wait until all listen; raises :class:`SetupError`."""

    @abc.abstractmethod
    def client_job(self, argv: list[str], env: dict[str, str]) -> JobSpec:
        """Return how a program of the client is started."""

    @abc.abstractmethod
    def peer_job(self, argv: list[str], env: dict[str, str]) -> JobSpec:
        """Return how the peer is started: outside the audited sandbox."""

    @abc.abstractmethod
    def control_job(self, argv: list[str], env: dict[str, str]) -> JobSpec:
        """Return how the recorder's own control is started, in the client's network."""

    @abc.abstractmethod
    def network(self) -> Network:
        """Return who is who, for the manifest."""

    @abc.abstractmethod
    def stop(self) -> Tapped:
        """End the taps in the order that loses nothing."""

    @property
    @abc.abstractmethod
    def echo(self) -> str:
        """Return the address of the control echo."""

    @property
    @abc.abstractmethod
    def taps(self) -> tuple[str, ...]:
        """Return the taps that are present."""

    @abc.abstractmethod
    def planted_kinds(self) -> frozenset[str]:
        """Return the kinds of identifier that any client finds in this place."""

    @property
    def tunnel(self) -> Tunnel | None:
        """Return the tunnel that the client is behind, ``None`` where it is behind none."""
        return None

    def client_variables(self) -> dict[str, str]:
        """Return what the vantage adds to the client's environment."""
        return {}

    def peer_variables(self) -> dict[str, str]:
        """Return what the vantage adds to the peer's environment."""
        return {}

    def control_variables(self) -> dict[str, str]:
        """Return what the vantage adds to the control's environment."""
        return {}

    def working_folder(self) -> str:
        """Return where the client is started."""
        if self.plan.working_folder:
            return str(self.plan.working_folder.absolute())
        return str(self.setting.space.home if self.plan.speaks_protocol else Path.cwd())

    def proxy_files(self) -> tuple[str, str]:
        """Return where the proxy's add-on writes flows and TLS attempts."""
        folder = self.setting.folder
        return str(folder / layout.FLOWS), str(folder / layout.TLS)

    def tap_trouble(self) -> str | None:
        """Return why a tap stopped listening, ``None`` while all do."""
        if self.proxy and (self.proxy.errors or not self.proxy.program.running):
            return (self.proxy.errors or ["the recording proxy ended during the recording"])[0]
        return None

    def send_controls(self, journal: JournalWriter, phase: str) -> None:
        """Send a one-time token by each scheme and note it; raises :class:`SetupError`."""
        urls = []
        for scheme, port in ECHO_PORTS.items():
            token = secrets.token_hex(TOKEN_BYTES)
            urls.append(f"{scheme}://{self.echo}:{port}/{token}")
            control = {
                "token": token,
                "scheme": scheme,
                "echo": f"{self.echo}:{port}",
                "taps": ",".join(self.taps),
            }
            journal.write(JournalLine(ts=now(), driver="recorder", phase=phase, control=control))
        program = Program(
            self.sandbox,
            "the tap control",
            self.control_job(
                own_program("audit.record.control", *urls),
                own_environment() | self.control_variables(),
            ),
        )
        try:
            program.require_success(CONTROL_LIMIT_S)
        finally:
            program.job.signal(signal.SIGKILL)
            program.close()
