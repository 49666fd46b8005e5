"""A packet capture as evidence tables: conversations and whatever could be read in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from audit.readers.ahead import one_ahead
from audit.readers.capfile import CaptureFile
from audit.readers.companion import WORTHWHILE, Companion
from audit.readers.conversations import ConversationTable
from audit.readers.encrypted_dns import add_doh
from audit.readers.endpoint import plain_address
from audit.readers.fragments import FragmentPorts
from audit.readers.frames import NO_PROTO, decode_frames, links_of
from audit.readers.links import LINK_TYPES
from audit.readers.openingjob import Opened, OpeningJob, perform, perform_both
from audit.readers.packetstore import PacketStore
from audit.readers.recordchunk import Interface
from audit.tables.extract import Extract


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketOptions:
    """How a packet capture is to be read."""

    capture: str
    """``capture`` column: id of the capture."""
    client: tuple[str, ...] = ()
    """Addresses of the audited client: what they send is ``sent``. Empty: the originators'."""
    secrets: bytes = b""
    """Key log beside the secrets in the file (NSS format)."""
    file: str = "packets.pcapng"
    """Name of the file in references."""


def read_packets(path: Path, options: PacketOptions) -> Extract:
    """Read a pcap or pcapng file, gzipped or not, into rows and payloads.

    Tables: conversations, dns_queries, tls_handshakes, stun_messages, http_requests,
    http_responses, websocket_messages. Times are the capture's own clock, UTC. Columns that only a
    whole bundle tells (process, phase, recipient, roles) are left out. Raises
    :class:`audit.errors.CaptureError` for a file that is no capture; what is damaged or too large
    further on is named in ``truncated``, and everything before it is kept.
    """
    whole: frozenset[int] = frozenset()
    with CaptureFile(path) as file:
        while True:
            with Companion(path, wanted=file.is_plain and file.size >= WORTHWHILE) as companion:
                found = _pass_over(file, whole)
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
        _note_unread(extract, found.unread, file.interfaces)
        _note_cut(extract, found, file)
        extract.dropped = file.dropped
    _sort_rows(extract)
    return extract


def _open(file: CaptureFile, scan: _Scan, options: PacketOptions, companion: Companion) -> Opened:
    job = OpeningJob(
        capture=options.capture,
        file=options.file,
        client=frozenset(map(plain_address, options.client)),
        secrets=file.secrets + b"\n" + options.secrets,
        interfaces=tuple(file.interfaces),
        owners=file.owners.all(),
        conversations=scan.table.conversations(),
        found=scan.store.by_conversation(),
    )
    if not companion.is_there:
        return perform(job, file.read)
    earlier, later = job.split()
    companion.give(later)
    return perform_both(earlier, companion.result, later, file.read)


@dataclass(slots=True)
class _Scan:
    """What one pass over all packets found."""

    table: ConversationTable
    store: PacketStore
    unread: dict[int, int] = field(default_factory=dict)
    """Interface -> packets without addresses."""
    cut_packets: int = 0
    """Packets of which the capture kept the beginning only."""
    cut_bytes: int = 0


def _pass_over(file: CaptureFile, whole: frozenset[int]) -> _Scan:
    """Count conversations, keep the index of candidates; those in ``whole`` stay whole."""
    table, store, ports = ConversationTable(), PacketStore(whole), FragmentPorts()
    scan = _Scan(table, store)
    for chunk in one_ahead(file.chunks()):
        links, owner = file.owners.of_packets(chunk, links_of(chunk, file.interfaces))
        frames = decode_frames(chunk, file.interfaces, links)
        ports.resolve(frames)
        conversation, from_a = table.add(chunk, frames)
        if owner is not None:
            table.own(conversation, owner)
        store.add(chunk, frames, conversation, from_a)
        faces, counts = np.unique(chunk.iface[frames.proto == NO_PROTO], return_counts=True)
        for face, count in zip(faces.tolist(), counts.tolist(), strict=True):
            scan.unread[face] = scan.unread.get(face, 0) + count
        lost = chunk.wire - chunk.length
        scan.cut_packets += int(np.count_nonzero(lost))
        scan.cut_bytes += int(lost.sum())
    return scan


def _note_cut(extract: Extract, scan: _Scan, file: CaptureFile) -> None:
    if scan.cut_packets:
        limits = sorted({face.snaplen for face in file.interfaces if face.snaplen})
        longest = f" (snaplen {', '.join(map(str, limits))})" if limits else ""
        extract.truncated.append(
            f"{scan.cut_packets} packets were cut off when they were captured{longest}:"
            f" {scan.cut_bytes} bytes are missing"
        )


def _note_unread(extract: Extract, unread: dict[int, int], interfaces: list[Interface]) -> None:
    for face, count in sorted(unread.items()):
        if face < 0:
            where = "an interface that the file does not define"
        else:
            where = f"link type {interfaces[face].link}"
        said = f"{count} packets of {where} carry no addresses that could be read"
        is_known = face >= 0 and interfaces[face].link in LINK_TYPES
        (extract.limits if is_known else extract.truncated).append(said)


def _sort_rows(extract: Extract) -> None:
    """Order the rows of each table by time, and let the payloads follow."""
    moved: dict[tuple[str, int], int] = {}
    for name, rows in extract.rows.items():
        order = sorted(range(len(rows)), key=lambda index: (str(rows[index]["ts"] or ""), index))
        moved |= {(name, old): new for new, old in enumerate(order)}
        extract.rows[name] = [rows[index] for index in order]
    for payload in extract.payloads:
        payload.row = moved[payload.table, payload.row]
