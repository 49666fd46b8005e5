"""One capture read into evidence: readers, both taps merged, rows attributed, searched, counted."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from audit.bundle.folder import Bundle
from audit.bundle.identity import Identity, make_identity
from audit.bundle.layout import JOURNAL
from audit.bundle.manifest import Manifest
from audit.evidence import coverage, visibility
from audit.evidence.browsing import add_browser, browser_unread, mark_aliases
from audit.evidence.contacts import proxied_conversations, rank_contacts, see_as
from audit.evidence.context import EvidenceContext
from audit.evidence.controls import TapControls, expected_taps, find_controls
from audit.evidence.journey import Phases, event_rows, performed_actions
from audit.evidence.kernel import kernel_conversations
from audit.evidence.lookups import mark_lookups, resolvers_of
from audit.evidence.merge import add_device, extract_of, merge
from audit.evidence.names import name_rows
from audit.evidence.observing import observe
from audit.evidence.onions import add_layers, onion_state
from audit.evidence.processes import attribute, take_back
from audit.evidence.roles import assign_roles
from audit.evidence.searching import search
from audit.evidence.servers import add_servers
from audit.evidence.sources import RawRows, Source, read_source, source_of
from audit.evidence.tunnel import mark_inside, mark_tunnel
from audit.evidence.visited import web_proof
from audit.identifiers.kinds import is_blank
from audit.model.ids import CaptureId
from audit.readers.endpoint import moment_of
from audit.tables.evidence import CaptureEvidence, TapState, UnreadBody
from audit.tables.extract import Extract
from audit.tables.frames import Row, make_frame
from audit.tables.rows import TABLES
from audit.tables.vocabulary import Tap

if TYPE_CHECKING:
    import pandas as pd


def read_capture(bundle: Bundle, context: EvidenceContext | None = None) -> CaptureEvidence:
    """Read a bundle; raises :class:`CaptureError` for a file of it that cannot be read."""
    evidence = read_evidence(source_of(bundle), context or EvidenceContext())
    return add_servers(evidence, bundle)


def read_evidence(source: Source, context: EvidenceContext) -> CaptureEvidence:
    """Read one capture, whatever it consists of; raises :class:`CaptureError`."""
    manifest, journal = source.manifest, source.journal
    identity = _subject(source, context)
    raw = read_source(source)
    extract = _merged(raw)
    requests = extract.rows.get("http_requests", [])
    taps = expected_taps(manifest, tuple(raw.taps))
    told = journal if _is_believed(manifest) else ()
    controls = find_controls(told, requests, taps, manifest.id)
    layers = add_layers(extract, raw.node_keys, context.onion)
    tables = extract.rows
    mark_lookups(extract)
    mark_aliases(tables)
    resolvers = resolvers_of(tables, manifest)
    all_lookups = manifest.vantage == "netns" and "packets" in raw.taps
    odd_names = name_rows(tables, resolvers, all_lookups=all_lookups, stated=raw.names)
    kernel = kernel_conversations(extract, manifest)
    owned = attribute(tables, manifest, controls.requests, kernel, context.programs, raw.onward)
    _put_into_phases(tables, Phases(journal))
    mark_tunnel(tables, journal)
    mark_inside(tables, manifest)
    assign_roles(tables, context.roles, resolvers)
    see_as(tables, manifest, proxied_conversations(extract) - raw.flowed)
    browser = add_browser(extract, source.browser, manifest.id, owned.rest, Phases(journal))
    found = search(extract, identity, manifest.id)
    take_back(tables, found.hits, owned)
    rank_contacts(tables)
    onion, onion_limits = onion_state(layers, tables, has_keys=source.onion_keys is not None)
    proof = partial(web_proof, tables, found.hits, browser.answered)
    events = event_rows(journal, identity, manifest, proof)
    tables |= {
        "identifier_hits": found.hits,
        "controls": [
            *controls.rows,
            *browser.extract.rows.get("controls", ()),
            *found.controls,
        ],
        "events": events,
        "captures": [_capture_row(source, tables)],
    }
    states = tuple(_tap_state(tap, source, raw, controls) for tap in taps)
    unproven = [state.tap for state in states if not state.control_found]
    limits = visibility.limits(manifest, tables, unproven) + owned.limits
    limits += onion_limits + odd_names + browser.extract.limits
    limits += [limit for rows in raw.taps.values() for limit in rows.limits]
    unread = (
        *(body for rows in raw.taps.values() for body in rows.unread),
        *found.unread,
        *browser_unread(browser),
    )
    return CaptureEvidence(
        capture=CaptureId(manifest.id),
        digest=source.digest,
        vantage=manifest.vantage,
        pass_=manifest.pass_,
        install=manifest.install,
        device=manifest.device,
        platform=manifest.platform,
        tables=_frames(tables),
        capabilities=visibility.capabilities(manifest, controls.proven) | browser.capabilities,
        taps=states,
        sees_all=visibility.sees_all(manifest, controls.proven),
        planted_kinds=frozenset(
            item.kind for item in identity.identifiers if not is_blank(item.kind, item.value)
        ),
        detector_missing=found.missing,
        onion=onion,
        actions=performed_actions(events),
        truncated=(*source.truncated, *browser.extract.truncated),
        unread=tuple(dict.fromkeys(unread)),
        limits=tuple(dict.fromkeys(limits)),
        coverage=_coverage(source, raw, tables, states, unread),
        observed=observe(extract) if context.keeps_values else None,
    )


def _subject(source: Source, context: EvidenceContext) -> Identity:
    """Return all that the subject is known by: a given identity adds to the recorded one."""
    if context.identity is None:
        return source.identity
    return make_identity([*source.identity.identifiers, *context.identity.identifiers])


def _is_believed(manifest: Manifest) -> bool:
    """Whether the tokens of the journal are the recorder's: of an import, if somebody vouches."""
    return manifest.vantage != "import" or manifest.vouched_by is not None


def _merged(raw: RawRows) -> Extract:
    merged = merge(raw.units("packets"), raw.units("proxy"))
    return extract_of(add_device(merged, raw.units("device")))


def _put_into_phases(tables: Mapping[str, list[Row]], phases: Phases) -> None:
    for rows in tables.values():
        for row in rows:
            row["phase"] = phases.at(row.get("ts"))


def _capture_row(source: Source, tables: Mapping[str, list[Row]]) -> Row:
    manifest = source.manifest
    started = moment_of(manifest.started_at)
    if manifest.vantage == "import":  # the manifest tells when it was imported
        rows = tables.get("conversations", ())
        started = min((str(row["ts"]) for row in rows if row.get("ts")), default=None)
    told = next(iter(tables.get("captures", ())), {})  # by the file itself
    return {
        "capture": manifest.id,
        "ref": "capture.json",
        "ts": started,
        "device": manifest.device,
        "install": manifest.install,
        "device_model": told.get("device_model"),
        "os": manifest.tools.get("kernel") or told.get("os"),
        "app_version": manifest.client.version or told.get("app_version"),
        "digest": source.digest,
        "time_zone": manifest.time_zone,
        "vantage": manifest.vantage,
        "pass": manifest.pass_,
    }


def _tap_state(tap: Tap, source: Source, raw: RawRows, controls: TapControls) -> TapState:
    rows = raw.taps.get(tap)
    drops = source.manifest.drops.get(tap)
    truncated = list(rows.truncated) if rows else [f"the {tap} tap left no file in the bundle"]
    return TapState(
        tap=tap,
        control_found=tap in controls.proven,
        dropped=max(drops.dropped if drops else 0, rows.dropped if rows else 0),
        truncated=tuple(truncated),
    )


def _coverage(
    source: Source,
    raw: RawRows,
    tables: Mapping[str, list[Row]],
    states: tuple[TapState, ...],
    unread: tuple[UnreadBody, ...],
) -> dict[str, object]:
    manifest = source.manifest
    notes = {f"{JOURNAL}#{n}": line.note for n, line in enumerate(source.journal, start=1)}
    return coverage.shares(tables) | {
        "missed_by_proxy": visibility.missed_by_proxy(manifest, tables, _proxy_side(raw)),
        "drops": {state.tap: state.dropped for state in states},
        "truncated": [
            *source.truncated,
            *(text for state in states for text in state.truncated),
            *dict.fromkeys(body.text for body in unread),
        ],
        "actions": coverage.actions(tables["events"], notes),
        "vantage": [manifest.vantage],
        "recipients": coverage.recipients(tables),
        "timeline": coverage.timeline(tables, manifest.id),
        "who_got_what": coverage.who_got_what(tables["identifier_hits"]),
    }


def _proxy_side(raw: RawRows) -> visibility.ProxySide:
    return visibility.ProxySide(
        has_flows=raw.has_flows,
        has_packets="packets" in raw.taps,
        outcomes=raw.outcomes,
        flowed=raw.flowed,
        onward=raw.onward,
        ends=raw.ends,
        carries_dns=raw.carries_dns,
        carries_udp=raw.carries_udp,
    )


def _frames(tables: Mapping[str, list[Row]]) -> dict[str, pd.DataFrame]:
    return {table: make_frame(table, tables.get(table, ())) for table in TABLES}
