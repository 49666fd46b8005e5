"""What one capture could show: its tables and everything a verdict must know beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from audit.model.ids import CaptureId
from audit.tables.observed import Observed
from audit.tables.vocabulary import Direction, Pass, Tap, Vantage

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformedAction:
    """An action of the journal, and what proves it."""

    name: str
    ok: bool
    corroborated_by: str | None
    """``recorder``, ``peer``, ``manual``, ``rows``, ``vouched by NAME``; ``None``: the driver's
    word alone, which does not count."""
    ts: str
    """UTC, ISO 8601."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TapState:
    """One place where the recording listened."""

    tap: Tap
    control_found: bool
    """Whether the one-time token was seen by this tap. Without it nothing passes on the tap."""
    dropped: int = 0
    """Packets the kernel dropped, or flows the proxy lost."""
    truncated: tuple[str, ...] = ()
    """What was cut, one sentence each; anything here blocks a pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnionState:
    """How much of the onion could be opened."""

    keys: bool
    """Whether the node keys are in the bundle."""
    seen: int = 0
    """Onion requests on the wire."""
    opened: int = 0
    """Those of which every layer was opened."""
    sealed: int = 0
    """Conversations of the client whose bytes were never had: they may hold onion requests that
    ``seen`` does not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """The logs of one party, and what shows that they are alive and its own."""

    source: str
    """Role of the party in ``sources.yaml``."""
    first: str | None
    """Earliest line that could be dated, UTC, ISO 8601; ``None``: there is none."""
    last: str | None
    """Latest one."""
    tied: tuple[str, ...] = ()
    """What ties them to the party's machine: ``host NAME``, ``token …``; empty: nothing."""
    untied: tuple[str, ...] = ()
    """Logs among them that nothing ties to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadBody:
    """A message whose body was not read to its end."""

    direction: Direction
    text: str
    """Which, and what is lacking; one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureEvidence:
    """One capture, read: input of the checks."""

    capture: CaptureId
    digest: str
    """sha256 that locates the capture (of its manifest's digests, or of the bare file)."""
    vantage: Vantage
    pass_: Pass
    install: str
    device: str
    platform: str | None = None
    """Platform that the manifest names for the client; ``None``: it names none."""
    tables: Mapping[str, pd.DataFrame]
    """Every table of ``audit.tables.rows.TABLES``, empty where nothing was read."""
    capabilities: frozenset[str]
    """Capabilities that the capture supplies, without ``transport.opened`` and ``onion.opened``,
    which depend on rows, and ``identifiers.planted``, which depends on kinds."""
    taps: tuple[TapState, ...] = ()
    sees_all: bool = False
    """Whether everything the client sent was seen (packets on every interface). Where no capture
    does, "nothing else was sent" cannot pass."""
    planted_kinds: frozenset[str] = frozenset()
    """Kinds of identifier that the subject has in this capture."""
    detector_missing: tuple[str, ...] = ()
    """Detector controls that were planted and not found."""
    onion: OnionState = field(default_factory=lambda: OnionState(keys=False))
    actions: tuple[PerformedAction, ...] = ()
    truncated: tuple[str, ...] = ()
    """Why the capture as a whole is incomplete (recorder killed, bounds hit), a sentence each."""
    unread: tuple[UnreadBody, ...] = ()
    """Bodies that were cut or could not be decoded: they touch what reads bodies, no more."""
    limits: tuple[str, ...] = ()
    """What this vantage cannot see and other remarks that reports print, a sentence each."""
    coverage: Mapping[str, object] = field(default_factory=dict)
    """The capture's part of ``coverage`` in result.json."""
    feeds: tuple[Feed, ...] = ()
    """Logs of servers, one entry a party."""
    records_read_at: datetime | None = None
    """When the records of servers were read (aware); ``None``: the capture holds none."""
    observed: Observed | None = None
    """All values, to compare installs by; ``None``: they were not kept."""
