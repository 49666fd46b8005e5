"""What a capture consists of, a bundle or a bare file, and its readers run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from audit.bundle.folder import Bundle
from audit.bundle.identity import Identity
from audit.bundle.journal import JournalLine
from audit.bundle.layout import ARCHIVE, BROWSER, FLOWS, ONION_KEYS, PACKETS, TLS
from audit.bundle.manifest import Manifest
from audit.evidence.merge import Unit, Units, units_of
from audit.evidence.onward import onward_of_missed
from audit.evidence.placing import place
from audit.evidence.reconcile import reconcile
from audit.readers.endpoint import responder_of
from audit.readers.inputkind import InputKind, ReadOptions
from audit.readers.inputs import ARCHIVE_FILE, FLOW_FILE, INPUTS, PACKET_FILE, recognise
from audit.readers.onion_keys import NodeKey, read_node_keys
from audit.readers.tlslog import TlsOutcome, read_tls_log
from audit.tables.evidence import UnreadBody
from audit.tables.extract import Extract, Unplaced
from audit.tables.vocabulary import Tap

_LISTS: Final = tuple(kind.place for kind in INPUTS if kind.tap == "device")
"""Names that lists of a device have in a bundle."""


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
    lists: tuple[tuple[Path, str], ...] = ()
    """Lists that the device itself kept (imports only), each with its name in references."""
    browser: Path | None = None
    """What a recorded browser stored, called and asked for."""
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
        lists=tuple((path, name) for name in _LISTS if (path := bundle.path(name))),
        browser=bundle.path(BROWSER),
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
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Address -> names that the tap's file states."""
    legs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unplaced: list[Unplaced] = field(default_factory=list)

    def take(self, extract: Extract) -> None:
        """Add what a reader made of one file."""
        for table, units in units_of(extract).items():
            self.units.setdefault(table, []).extend(units)
        self.truncated += extract.truncated
        self.unread += [UnreadBody(direction=way, text=text) for way, text in extract.unread]
        self.limits += extract.limits
        self.dropped += extract.dropped
        self.names |= extract.names
        self.legs |= extract.legs
        self.unplaced += extract.unplaced


@dataclass(slots=True, kw_only=True)
class RawRows:
    """What all readers gave, tap by tap."""

    taps: dict[Tap, TapRows] = field(default_factory=dict)
    outcomes: Mapping[str, TlsOutcome] = field(default_factory=dict)
    """Conversation -> how its TLS ended at the proxy."""
    flowed: frozenset[object] = frozenset()
    """Conversations that became flows of the proxy, or entries of an archive."""
    onward: frozenset[object] = frozenset()
    """Conversations in which the recording proxy itself passed flows on."""
    ends: frozenset[str] = frozenset()
    """``address:port`` of what flows were sent to: servers, and explicit proxies."""
    has_flows: bool = False
    """Whether there is a dump or an archive, be it empty."""
    node_keys: list[NodeKey] = field(default_factory=list)

    @property
    def carries_dns(self) -> bool:
        """Whether name look-ups went through the proxy."""
        return bool(self.units("proxy").get("dns_queries"))

    @property
    def carries_udp(self) -> bool:
        """Whether UDP went through the proxy, other than name look-ups."""
        asked = {
            unit.row.get("conversation") for unit in self.units("proxy").get("dns_queries", ())
        }
        return any(
            unit.row.get("proto") == "udp" and unit.row.get("conversation") not in asked
            for unit in self.units("proxy").get("conversations", ())
        )

    @property
    def names(self) -> dict[str, tuple[str, ...]]:
        """Address -> names that the files themselves state."""
        return {
            address: names for rows in self.taps.values() for address, names in rows.names.items()
        }

    def units(self, tap: Tap) -> Units:
        """Return the rows of one tap."""
        return self.taps[tap].units if tap in self.taps else {}


def read_source(source: Source) -> RawRows:
    """Run the readers of what is there; raises :class:`CaptureError` for what cannot be read.

    Conversations are named as in the packets, where both taps are there.
    """
    raw = RawRows(has_flows=bool(source.flows or source.archive))
    if source.packets:
        _read(raw, source, PACKET_FILE, source.packets, source.packets_name)
    if source.flows:
        _read(raw, source, FLOW_FILE, source.flows, source.flows_name)
    if source.archive:
        _read(raw, source, ARCHIVE_FILE, source.archive, source.archive_name)
    raw.flowed = _named(raw.units("proxy"))
    if source.tls:
        _read_tls(raw, source, source.tls)
    for path, name in source.lists:
        _read(raw, source, recognise(path), path, name)
    if source.onion_keys:
        raw.node_keys = read_node_keys(source.onion_keys)
    if "packets" in raw.taps and "proxy" in raw.taps:
        _reconcile(raw)
    return raw


def _read(raw: RawRows, source: Source, kind: InputKind, path: Path, name: str) -> None:
    options = ReadOptions(
        capture=source.manifest.id,
        file=name,
        client=source.manifest.network.client,
        secrets=source.tls_keys,
    )
    raw.taps.setdefault(kind.tap, TapRows()).take(kind.read(path, options))


def _read_tls(raw: RawRows, source: Source, path: Path) -> None:
    log = read_tls_log(path, source.manifest.id)
    raw.outcomes = log.outcomes
    proxy = raw.taps.setdefault("proxy", TapRows())
    proxy.take(log.extract)
    proxy.units.setdefault("conversations", []).extend(
        Unit(row=row) for name, row in log.closed.items() if name not in raw.flowed
    )


def _reconcile(raw: RawRows) -> None:
    """Give the conversations of the proxy the names that they have in the packets."""
    packets, proxy = raw.taps["packets"], raw.taps["proxy"]
    own = raw.flowed
    found = reconcile(packets.units, proxy.units, proxy.legs)
    placed = place(packets.units, proxy.units, proxy.unplaced)
    raw.flowed = frozenset(found.rename(str(name)) for name in raw.flowed) | set(placed.values())
    raw.outcomes = {found.rename(name): outcome for name, outcome in raw.outcomes.items()}
    ends = {responder_of(name) for name in found.names.values()}
    accounted = raw.flowed | frozenset(found.onward)
    missed = onward_of_missed(packets.units, accounted, frozenset(ends))
    raw.onward = frozenset(found.onward) | frozenset(missed) - raw.flowed
    raw.ends = frozenset(responder_of(name) for name in {*own, *raw.flowed})


def _named(units: Units) -> frozenset[object]:
    return frozenset(unit.row.get("conversation") for unit in units.get("conversations", ())) - {
        None
    }
