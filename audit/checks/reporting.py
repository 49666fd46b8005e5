"""Rows that a check shows and does not score: what the policy discloses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from audit.checks.assertions import combined_codes
from audit.checks.fingerprints import Redact
from audit.checks.messages import render_value, shorten
from audit.checks.program import Program
from audit.checks.truth import TRUE
from audit.checks.union import Union

MOST_ROWS: Final = 200
"""Different rows that a report shows, at most; ``count`` says how many rows there are."""


def reported(program: Program, union: Union, redact: Redact) -> Iterator[dict[str, Any]]:
    """Yield one entry of ``reported`` for each report of a check."""
    for report in program.report:
        table = union.table(report.item.from_)
        rows = np.flatnonzero(report.where.evaluate(table) == TRUE)
        codes = combined_codes(table, report.columns, rows)
        _, first = np.unique(codes, return_index=True)
        shown = []
        for row in rows[first].tolist():
            texts = [
                render_value(table.value(item.column, row, item.path), item)
                for item in report.columns
            ]
            shown.append([None if text is None else shorten(redact(text)) for text in texts])
        shown.sort(key=lambda texts: [text or "" for text in texts])
        yield {
            "check": program.check.file.id,
            "id": report.item.id,
            "title": report.item.title,
            "columns": [item.text for item in report.columns],
            "rows": shown[:MOST_ROWS],
            "count": len(rows),
        }
