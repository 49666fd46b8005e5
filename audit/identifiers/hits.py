"""Rows of ``identifier_hits``: one row a place, with everything its owner row knows."""

from __future__ import annotations

from dataclasses import fields
from typing import Final

from audit.identifiers.detector import Detector
from audit.identifiers.hit import Hit
from audit.tables.extract import Extract, Payload
from audit.tables.frames import Row
from audit.tables.rows import TrafficRow

INHERITED: Final = (*(field.name for field in fields(TrafficRow)), "transport")
"""Columns that a hit takes from the row that its payload belongs to."""


def hit_rows(extract: Extract, detector: Detector) -> tuple[list[Row], list[str]]:
    """Search every payload of an extract.

    Returns the rows, in the order of the payloads, and what the bounds cut, a sentence each,
    without duplicates. Hits of low entropy whose place gives them no meaning make no row.
    """
    rows: list[Row] = []
    truncated: dict[str, None] = {}
    for payload, result in zip(extract.payloads, detector.scan_all(extract.payloads), strict=True):
        truncated.update(dict.fromkeys(f"{payload.ref}: {text}" for text in result.truncated))
        owner = _owner(extract, payload)
        rows += [_row(owner, payload, hit) for hit in result.hits if _counts(payload, hit)]
    return rows, list(truncated)


def _counts(payload: Payload, hit: Hit) -> bool:
    """Whether no other payload tells the hit: of joined parts, one that lies across a seam."""
    return not payload.seams or any(hit.start < seam < hit.end for seam in payload.seams)


def _owner(extract: Extract, payload: Payload) -> Row:
    rows = extract.rows.get(payload.table, [])
    return rows[payload.row] if 0 <= payload.row < len(rows) else {}


def _row(owner: Row, payload: Payload, hit: Hit) -> Row:
    inherited: Row = {name: owner[name] for name in INHERITED if name in owner}
    offset = payload.ref.start or 0
    place = str(payload.ref.at(offset + hit.start, offset + hit.end))
    return inherited | hit.row() | {"ref": place, "direction": payload.direction}
