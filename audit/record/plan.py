"""What to record, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from audit.bundle.manifest import Rung
from audit.tables.vocabulary import Pass

if TYPE_CHECKING:
    from audit.record.browser import BrowserPlan
    from audit.yamlfile.target import TargetFile

Announce = Callable[[str], None]
"""Takes a sentence for the person who waits, such as a step that begins."""


def _say_nothing(_: str) -> None:
    return


@dataclass(frozen=True, slots=True, kw_only=True)
class LabNetwork:
    """A stand-in network, started for the recording and ended with it."""

    command: list[str]
    """Command line of the lab without ``--logs`` and ``--loopback``, which the recorder adds."""
    logs: Path | None = None
    """Where the stand-ins keep what they learned; ``None``: thrown away with the recording."""
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideNetwork:
    """The real network, reached through the machine."""


NetworkPlan = LabNetwork | OutsideNetwork


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPlan:
    """One recording."""

    id: str
    """Id of the capture, by default the name of its folder."""
    folder: Path
    """Becomes the bundle; must not exist or be empty."""
    pass_: Pass
    client_command: list[str]
    """Program and arguments; the program is a path or a name on the caller's ``PATH``."""
    network: NetworkPlan
    vantage: Literal["auto", "netns", "proxy"] = "auto"
    policy: str | None = None
    target_name: str | None = None
    target: TargetFile | None = None
    speaks_protocol: bool = False
    """Whether the client writes driver lines on its standard output."""
    peer_command: list[str] | None = None
    extra_commands: list[list[str]] = field(default_factory=list)
    """Run one after the other in the client's place when the client has ended."""
    companion: str | None = None
    """How reports name the extra commands, such as ``beside a program that ...``."""
    identity: Path | None = None
    """File of the subject's identifiers; kinds that it lacks are drawn."""
    timeout_s: float = 120.0
    """Longest run of the client, seconds."""
    idle_s: float = 0.0
    """How long to let the client run on after its last action; a journal line says so."""
    tunnel: bool = False
    """Whether the client starts behind a tunnel (``netns`` and the passive pass alone)."""
    drop_tunnel: str | float | None = None
    """When the tunnel drops: after an action that the client reports, or so many seconds after its
    start; ``None``: it stays up."""
    device: str = "device-1"
    install: str = "install-1"
    announce: Announce = _say_nothing
    working_folder: Path | None = None
    """Where the client is started; ``None``: a driver in its empty home, any other client in the
    caller's own working folder, because its arguments may name files there."""
    client_input: int | None = None
    """Descriptor that a client without driver protocol gets as its standard input."""
    browser: BrowserPlan | None = None
    """The client is a browser on a website, which the recorder drives."""
    client_output: Callable[[bytes], None] | None = None
    """Takes what such a client prints, as it prints it."""

    @property
    def tells_persona(self) -> bool:
        """Whether a program gets to know the persona's values, beyond what its machine shows."""
        return self.speaks_protocol or bool(self.extra_commands)

    @property
    def trust_variables(self) -> tuple[str, ...]:
        """Return the variables that name the authority of an interception to the client."""
        own = ("AUDIT_AUTHORITY",) if self.browser else ()
        return (*(self.target.trust_ca if self.target else ()), *own)

    @property
    def intercepts(self) -> bool:
        """Whether the proxy opens the client's TLS."""
        return self.pass_ == "intercepted"  # noqa: S105 - a pass of a recording


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordReport:
    """What a recording came to."""

    folder: Path
    vantage: Literal["netns", "proxy"]
    ladder: tuple[Rung, ...]
    truncated: tuple[str, ...]
    """What the recording could not keep (packets the kernel dropped), a sentence each; empty for
    a whole one. What failed altogether is raised instead."""
    duration_s: float
    """From the call to the finished bundle, monotonic clock."""
    client_s: float
    """How long the client itself ran."""
    packets: int
    """Frames that the packet tap wrote; 0 where there is none."""
