"""The search for the subject's identifiers over everything that was read, and its controls."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from audit.bundle.identity import Identity
from audit.tables.evidence import UnreadBody
from audit.tables.extract import Extract, Payload
from audit.tables.frames import Row
from audit.tables.reference import parse_reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the search gave."""

    hits: list[Row]
    """Rows of ``identifier_hits``."""
    controls: list[Row]
    """Rows of ``controls``, one a planted form or container."""
    missing: tuple[str, ...]
    """Controls that were not found."""
    unread: tuple[UnreadBody, ...]
    """What bounds cut, or could not be decoded."""


def search(extract: Extract, identity: Identity, capture: str) -> Found:
    """Search every payload for every identifier, and prove that the search finds its controls."""
    from audit.identifiers.detector import detector_of
    from audit.identifiers.hits import hit_rows

    detector = detector_of(identity)
    results = detector.controls()
    _add_mapped_addresses(extract)
    hits, truncated = hit_rows(extract, detector)
    _tell_both_taps(hits, extract.payloads)
    return Found(
        hits=hits,
        controls=[
            {
                "capture": capture,
                "process": "control",
                "name": result.name,
                "form": result.form,
                "found": result.found,
            }
            for result in results
        ],
        missing=tuple(result.name for result in results if not result.found),
        unread=_unread(truncated, extract.payloads),
    )


def _unread(sentences: Sequence[str], payloads: Sequence[Payload]) -> tuple[UnreadBody, ...]:
    """Tell what was cut, each with the direction of the payload that its sentence begins with."""
    if not sentences:
        return ()
    sent = {str(payload.ref) for payload in payloads if payload.direction == "sent"}
    received = {str(payload.ref) for payload in payloads} - sent
    return tuple(
        UnreadBody(
            direction="received" if text.partition(": ")[0] in received else "sent", text=text
        )
        for text in sentences
    )


def _add_mapped_addresses(extract: Extract) -> None:
    """Hand the addresses that STUN servers told the client to the search: they come masked."""
    for index, row in enumerate(extract.rows.get("stun_messages", ())):
        mapped = row.get("mapped_address")
        if isinstance(mapped, str):
            extract.payloads.append(
                Payload(
                    table="stun_messages",
                    row=index,
                    location="payload",
                    detail="mapped address",
                    direction="received",
                    data=mapped.encode(),
                    ref=parse_reference(str(row["ref"])),
                )
            )


def _tell_both_taps(hits: list[Row], payloads: list[Payload]) -> None:
    """Point ``also`` of each hit at the same bytes in the other tap, as narrow as can be."""
    twins: dict[tuple[str, tuple[int, ...], str | None], list[Payload]] = defaultdict(list)
    for payload in payloads:
        if payload.also is not None:
            twins[payload.ref.file, payload.ref.records, payload.ref.part].append(payload)
    for hit in hits:
        ref = parse_reference(str(hit["ref"]))
        start, end = ref.start or 0, ref.end or 0
        for payload in twins.get((ref.file, ref.records, ref.part), ()):
            at = start - (payload.ref.start or 0)
            twin = payload.also
            if twin is not None and at >= 0 and at + end - start <= len(payload.data):
                base = (twin.start or 0) + at
                hit["also"] = str(twin.at(base, base + end - start))
                break
