"""Where hits stand: which expectations over them read records of servers, and no traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from audit.checks.conditions import Leaf
from audit.checks.encoding import encode_rows
from audit.checks.truth import FALSE
from audit.tables.frames import columns_of
from audit.tables.vocabulary import LOCATIONS

if TYPE_CHECKING:
    from audit.checks.program import CompiledExpectation

RECORDS: Final = frozenset({"log", "column", "file"})
"""Locations of hits in records; every other one is of traffic, or of a browser."""


def reads_records_alone(expectation: CompiledExpectation) -> bool:
    """Whether an expectation over ``identifier_hits`` can select no hit in traffic."""
    where = getattr(expectation, "where", None)
    if where is None or expectation.tables != ("identifier_hits",):
        return False
    rows: list[dict[str, object]] = [
        {"location": name} for name in LOCATIONS if name not in RECORDS
    ]
    table = encode_rows("identifier_hits", columns_of("identifier_hits"), rows)
    return not np.any(where.evaluate(table, _is_location) != FALSE)


def _is_location(leaf: Leaf) -> bool:
    return leaf.column == "location"
