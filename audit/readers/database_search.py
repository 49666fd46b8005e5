"""The search of a table's cells for what the subject is known by, in every form and container."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from audit.identifiers.detector import Detector
from audit.identifiers.hit import Hit
from audit.readers.database_cells import Cells
from audit.readers.database_memory import Look
from audit.tables.extract import Payload
from audit.tables.frames import Row
from audit.tables.reference import Reference, quoted_name

MAX_HITS: Final = 1_000
"""Rows of hits of one table; more are counted."""
MAX_BINARY: Final = 20_000
"""Cells of one table that are no text, which are looked at each by itself."""
LARGE: Final = 4_096
"""Bytes of a cell from which it is searched by itself, as a document is."""


@dataclass(slots=True, kw_only=True)
class CellSearch:
    """Searches the columns of one table; rows of hits lack capture and source."""

    detector: Detector
    place: str
    """Name of the table in references."""
    label: str
    """Name of the table in places."""
    rows: list[Row] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    """Kinds that were found."""
    truncated: dict[str, None] = field(default_factory=dict)
    _lost: int = 0
    _binary: int = 0

    def read(self, columns: Sequence[tuple[str, Look]], first: int) -> None:
        """Search a batch: what is new in each column; a value that repeats is told once."""
        if not self.detector.identity.identifiers:
            return
        payloads: list[Payload] = []
        owners: list[tuple[Look, int | None]] = []
        for name, look in columns:
            cells = look.cells
            if cells is None or not cells.data:
                continue
            payloads.append(self._payload(name, b'"' + cells.data + b'"'))
            owners.append((look, None))
            for row in sorted({*look.binary, *_large(cells)}):
                if self._binary >= MAX_BINARY:
                    self.truncated["more cells that are no text than are looked at"] = None
                    break
                self._binary += 1
                payloads.append(self._payload(name, cells.cell(row)))
                owners.append((look, row))
        seen: set[tuple[str, int, str]] = set()
        results = self.detector.scan_all(payloads)
        for payload, (look, alone), result in zip(payloads, owners, results, strict=True):
            for text in result.truncated:
                self.truncated[f"{payload.detail}: {text}"] = None
            for hit in result.hits:
                row, start, end = _within(look, alone, hit)
                mark = (payload.detail, row, hit.kind)
                if mark not in seen:
                    seen.add(mark)
                    self._add(payload, hit, first + row, (start, end))

    def _add(self, payload: Payload, hit: Hit, number: int, place: tuple[int, int]) -> None:
        self.kinds.add(hit.kind)
        if len(self.rows) >= MAX_HITS:
            self._lost += 1
            return
        ref = Reference(file=payload.ref.file, records=(number,), part=payload.ref.part)
        pseudonym = _PSEUDONYM.search(hit.excerpt)
        self.rows.append(
            hit.row()
            | {
                "ref": str(ref.at(*place)),
                "excerpt": pseudonym[0] if pseudonym else f"[{hit.kind}]",
            }
        )

    def finish(self) -> list[Row]:
        """Return the rows of hits."""
        if self._lost:
            last = dict(self.rows[-1])
            last["excerpt"] = f"and {self._lost} more places in this table"
            self.rows.append(last)
        return self.rows

    def _payload(self, column: str, data: bytes) -> Payload:
        return Payload(
            table="db_records",
            row=0,
            location="column",
            detail=f"{self.label}.{column}",
            direction="received",
            data=data,
            ref=Reference(file=self.place, part=quoted_name(column)),
        )


def _within(look: Look, alone: int | None, hit: Hit) -> tuple[int, int, int]:
    """Return the row of a hit, and its range within the cell."""
    cells = look.cells
    if alone is not None or cells is None:
        return int(look.rows[alone or 0]), hit.start, hit.end
    row = int(cells.rows_of([max(hit.start - 1, 0)])[0])
    base, size = int(cells.starts[row]) + 1, int(cells.ends[row] - cells.starts[row])
    start = max(hit.start - base, 0)
    return int(look.rows[row]), start, max(min(hit.end - base, size), start)


_PSEUDONYM: Final = re.compile(r"\[[a-z_]+:[0-9a-f]+\]")
"""What stands for a value in an excerpt; its surroundings are other people's, and stay out."""


def _large(cells: Cells) -> list[int]:
    if len(cells.data) < LARGE:
        return []
    rows: list[int] = ((cells.ends - cells.starts) >= LARGE).nonzero()[0].tolist()
    return rows
