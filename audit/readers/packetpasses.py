"""The passes over a packet capture: all packets looked at, then the conversations opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from audit.readers.ahead import one_ahead
from audit.readers.capfile import CaptureFile
from audit.readers.encrypted_dns import add_doh
from audit.readers.endpoint import plain_address
from audit.readers.fragments import FragmentHead, FragmentKey
from audit.readers.links import ARP, IPV4, IPV6, LINK_TYPES, UNKNOWN
from audit.readers.openingjob import Opened, OpeningJob, perform, perform_both
from audit.readers.packetscan import Counts, Scan, ScanJob, ScannedPart
from audit.readers.recordchunk import Interface
from audit.readers.recordwalk import Place
from audit.readers.uncollected import uncollected
from audit.tables.extract import Extract

if TYPE_CHECKING:
    from audit.readers.companion import Companion
    from audit.readers.packets import PacketOptions

_NETWORKS = {IPV4: "IPv4", IPV6: "IPv6", ARP: "ARP"}
_OF_THE_LINK = (ARP, 0x8809, 0x8863, 0x888E, 0x88CC, 0x88E1, 0x88F7, 0x8899, 0x890D, 0x8912, 0x9000)
"""EtherTypes (IEEE) by which stations of one link manage it: ARP, LACP, PPPoE discovery, EAPOL,
LLDP, HomePlug, PTP, RRCP, TDLS, HomePlug, loopback. No program's data is in them."""


def all_passes(path: Path, options: PacketOptions, companion: Companion) -> Extract:
    """Read a capture, with the companion's help if it is there.

    Of sealed conversations the tails are left out; where too much was, all is read once more and
    those conversations are kept whole.
    """
    whole: frozenset[int] = frozenset()
    heads: dict[FragmentKey, FragmentHead] | None = None
    with uncollected(), CaptureFile(path) as file:
        while True:
            found = _scan(file, whole, companion, heads)
            if heads is None and found.ports.late:
                heads = found.ports.late  # fragments came long before their first one: once more
                file.rewind()
                continue
            opened = _open(file, found, options, companion)
            missing = opened.missing | found.store.tails.spoiled
            if missing <= whole:
                break
            whole |= missing
            file.rewind()
        extract = opened.extract
        add_doh(extract)
        extract.truncated[:0] = file.truncated
        extract.names = {address: tuple(names) for address, names in file.names.items()}
        _note_unread(extract, found.counts.unread, file.interfaces)
        if found.behind.lost:
            extract.truncated.append(
                f"{found.behind.lost} more packets carry bytes behind what their headers state"
            )
        _note_cut(extract, found.counts, file)
        extract.dropped = file.dropped
        _sort_rows(extract)
    return extract


def _scan(
    file: CaptureFile,
    whole: frozenset[int],
    companion: Companion,
    heads: dict[FragmentKey, FragmentHead] | None,
) -> Scan:
    """Look at all packets, at those of the later part of a large file in another process."""
    scan = Scan(whole, heads)
    place: Place | None = None
    if not companion.is_there or whole or heads:
        for chunk in one_ahead(file.chunks()):
            scan.take(chunk, file)
        return scan
    chunks = file.chunks()
    for chunk in chunks:
        scan.take(chunk, file)
        if companion.is_ready:
            place = file.hand_over(file.at + (file.size - file.at) // 2)
            break
    if place is not None:
        companion.give(ScanJob(place=place, has_trailers=file.owners.has_trailers))
    for chunk in chunks:
        scan.take(chunk, file)
    if place is None:
        return scan
    part = companion.result()
    is_joined = (
        isinstance(part, ScannedPart)
        and file.is_at(place)
        and file.owners.has_trailers == part.has_trailers
        and scan.join(part, file)
    )
    if not is_joined:
        file.go_on()
        for chunk in file.chunks():
            scan.take(chunk, file)
    return scan


def _open(file: CaptureFile, scan: Scan, options: PacketOptions, companion: Companion) -> Opened:
    job = OpeningJob(
        capture=options.capture,
        file=options.file,
        client=frozenset(map(plain_address, options.client)),
        secrets=file.secrets + b"\n" + options.secrets,
        interfaces=tuple(file.interfaces),
        owners=file.owners.all(),
        conversations=scan.table.conversations(),
        found=scan.store.by_conversation(),
        behind=scan.behind.rows(),
    )
    if not companion.is_there:
        return perform(job, file.read)
    earlier, later = job.split()
    companion.give(later)
    return perform_both(earlier, companion.result, later, file.read)


def _note_cut(extract: Extract, scan: Counts, file: CaptureFile) -> None:
    if scan.cut_packets:
        limits = sorted({face.snaplen for face in file.interfaces if face.snaplen})
        longest = f" (snaplen {', '.join(map(str, limits))})" if limits else ""
        extract.truncated.append(
            f"{scan.cut_packets} packets were cut off when they were captured{longest}:"
            f" {scan.cut_bytes} bytes are missing"
        )


def _note_unread(
    extract: Extract, unread: dict[tuple[int, int], int], interfaces: list[Interface]
) -> None:
    for (face, kind), count in sorted(unread.items()):
        if face < 0:
            where = "an interface that the file does not define"
        else:
            where = f"link type {interfaces[face].link}"
        if kind in _NETWORKS:
            where += f" are no {_NETWORKS[kind]} of a known form and"
        elif kind != UNKNOWN:
            where += f" and EtherType {kind:#06x}"
        said = f"{count} packets of {where} carry no addresses that could be read"
        is_known = face >= 0 and interfaces[face].link in LINK_TYPES
        is_harmless = is_known and (kind in _OF_THE_LINK or kind == UNKNOWN)
        (extract.limits if is_harmless else extract.truncated).append(said)


def _sort_rows(extract: Extract) -> None:
    """Order the rows of each table by time, and let the payloads follow."""
    moved: dict[tuple[str, int], int] = {}
    for name, rows in extract.rows.items():
        order = sorted(range(len(rows)), key=lambda index: (str(rows[index]["ts"] or ""), index))
        moved |= {(name, old): new for new, old in enumerate(order)}
        extract.rows[name] = [rows[index] for index in order]
    for payload in extract.payloads:
        payload.row = moved[payload.table, payload.row]
