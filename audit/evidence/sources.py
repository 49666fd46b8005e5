"""What a capture consists of, a bundle or a bare file, and its readers run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from audit.bundle.folder import Bundle
from audit.bundle.identity import Identity
from audit.bundle.journal import JournalLine
from audit.bundle.layout import ARCHIVE, FLOWS, ONION_KEYS, PACKETS, TLS
from audit.bundle.manifest import Manifest
from audit.evidence.merge import Unit, Units, units_of
from audit.readers.har import HarOptions, read_har
from audit.readers.mitm import FlowOptions, read_flows
from audit.readers.onion_keys import NodeKey, read_node_keys
from audit.readers.tlslog import TlsOutcome, read_tls_log
from audit.tables.evidence import UnreadBody
from audit.tables.extract import Extract
from audit.tables.vocabulary import Tap


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One capture before it is read."""

    manifest: Manifest
    journal: tuple[JournalLine, ...] = ()
    identity: Identity = field(default_factory=Identity)
    digest: str
    truncated: tuple[str, ...] = ()
    flows: Path | None = None
    archive: Path | None = None
    """HTTP archive (imports only)."""
    tls: Path | None = None
    packets: Path | None = None
    packets_name: str = PACKETS
    """Name that references give the packets' file."""
    flows_name: str = FLOWS
    """Name that references give the flows' file."""
    archive_name: str = ARCHIVE
    """Name that references give the archive."""
    onion_keys: Path | None = None
    tls_keys: bytes = b""
    """Key log beside the secrets in the packets."""


def source_of(bundle: Bundle) -> Source:
    """Return the capture that a bundle is."""
    return Source(
        manifest=bundle.manifest,
        journal=bundle.journal,
        identity=bundle.identity,
        digest=bundle.digest,
        truncated=bundle.truncated,
        flows=bundle.path(FLOWS),
        archive=bundle.path(ARCHIVE),
        tls=bundle.path(TLS),
        packets=bundle.path(PACKETS),
        onion_keys=bundle.path(ONION_KEYS),
    )


@dataclass(slots=True, kw_only=True)
class TapRows:
    """What the readers of one tap gave."""

    units: Units = field(default_factory=dict)
    truncated: list[str] = field(default_factory=list)
    unread: list[UnreadBody] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)
    dropped: int = 0


@dataclass(slots=True, kw_only=True)
class RawRows:
    """What all readers gave, tap by tap."""

    taps: dict[Tap, TapRows] = field(default_factory=dict)
    outcomes: Mapping[str, TlsOutcome] = field(default_factory=dict)
    """Conversation -> how its TLS ended at the proxy."""
    flowed: frozenset[object] = frozenset()
    """Conversations that became flows of the proxy."""
    node_keys: list[NodeKey] = field(default_factory=list)


def read_source(source: Source) -> RawRows:
    """Run the readers of what is there; raises :class:`CaptureError` for what cannot be read."""
    raw = RawRows()
    if source.packets:
        raw.taps["packets"] = _read_packets(source, source.packets)
    if source.flows or source.archive:
        raw.taps["proxy"] = _read_flows(source)
        found = raw.taps["proxy"].units.get("conversations", ())
        raw.flowed = frozenset(unit.row.get("conversation") for unit in found) - {None}
    if source.tls:
        log = read_tls_log(source.tls, source.manifest.id)
        raw.outcomes = log.outcomes
        proxy = raw.taps.setdefault("proxy", TapRows())
        proxy.truncated += log.extract.truncated
        for table, units in units_of(log.extract).items():
            proxy.units.setdefault(table, []).extend(units)
        proxy.units.setdefault("conversations", []).extend(
            Unit(row=row) for name, row in log.closed.items() if name not in raw.flowed
        )
    if source.onion_keys:
        raw.node_keys = read_node_keys(source.onion_keys)
    return raw


def _read_packets(source: Source, path: Path) -> TapRows:
    from audit.readers.packets import PacketOptions, read_packets

    network = source.manifest.network
    extract = read_packets(
        path,
        PacketOptions(
            capture=source.manifest.id,
            client=network.client,
            secrets=source.tls_keys,
            file=source.packets_name,
        ),
    )
    return TapRows(
        units=units_of(extract),
        truncated=extract.truncated,
        unread=_unread(extract),
        limits=extract.limits,
        dropped=extract.dropped,
    )


def _read_flows(source: Source) -> TapRows:
    rows = TapRows()
    capture = source.manifest.id
    if source.flows:
        _put(rows, read_flows(source.flows, FlowOptions(capture=capture, file=source.flows_name)))
    if source.archive:
        options = HarOptions(capture=capture, file=source.archive_name)
        _put(rows, read_har(source.archive, options))
    return rows


def _put(rows: TapRows, extract: Extract) -> None:
    for table, units in units_of(extract).items():
        rows.units.setdefault(table, []).extend(units)
    rows.truncated += extract.truncated
    rows.unread += _unread(extract)
    rows.limits += extract.limits


def _unread(extract: Extract) -> list[UnreadBody]:
    return [UnreadBody(direction=direction, text=text) for direction, text in extract.unread]
