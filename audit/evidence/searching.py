"""The search for the subject's identifiers over everything that was read, and its controls."""

from __future__ import annotations

from dataclasses import dataclass

from audit.bundle.identity import Identity
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
    truncated: tuple[str, ...]
    """What bounds cut, a sentence each."""


def search(extract: Extract, identity: Identity, capture: str) -> Found:
    """Search every payload for every identifier, and prove that the search finds its controls."""
    from audit.identifiers.detector import Detector
    from audit.identifiers.hits import hit_rows

    detector = Detector(identity)
    results = detector.controls()
    _add_mapped_addresses(extract)
    hits, truncated = hit_rows(extract, detector)
    for hit in hits:
        hit.setdefault("capture", capture)
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
        truncated=tuple(truncated),
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
