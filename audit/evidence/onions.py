"""The layers of onion requests among the rows of a capture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from audit.evidence.visibility import is_sealed
from audit.readers.onion import OnionConfig, OnionResult, open_onions
from audit.readers.onion_keys import NodeKey
from audit.tables.evidence import OnionState
from audit.tables.extract import Extract
from audit.tables.frames import Row

_MOST_REASONS: Final = 5
"""Requests that are named one by one where they could not be opened."""


def add_layers(
    extract: Extract, keys: list[NodeKey], config: OnionConfig | None
) -> OnionResult | None:
    """Add what the opened layers hold to ``extract``; ``None`` where the policy knows no onion."""
    if config is None:
        return None
    result = open_onions(extract, keys, config)
    base = {table: len(extract.rows.get(table, ())) for table in result.extract.rows}
    for table, rows in result.extract.rows.items():
        for row in rows:
            extract.add(table, row)
    for payload in result.extract.payloads:
        payload.row += base[payload.table]
        extract.payloads.append(payload)
    return result


def onion_state(
    result: OnionResult | None, tables: Mapping[str, Sequence[Row]], *, has_keys: bool
) -> tuple[OnionState, list[str]]:
    """Return how much was opened, and what was not, in words.

    Conversations must have their processes by then.
    """
    sealed = sum(1 for row in tables.get("conversations", ()) if is_sealed(row))
    if result is None:
        return OnionState(keys=has_keys, sealed=sealed), []
    state = OnionState(keys=has_keys, seen=result.seen, opened=result.opened, sealed=sealed)
    return state, _limits(state, result.reasons)


def _limits(state: OnionState, reasons: tuple[str, ...]) -> list[str]:
    if not state.seen:
        hidden = f", and {state.sealed} conversations that may hold some stayed closed"
        return ["no onion request was seen" + (hidden if state.sealed else "")]
    if not state.keys:
        return [f"{state.seen} onion requests stay closed: the nodes' keys are not in the capture"]
    closed = state.seen - state.opened
    if not closed:
        return []
    found = [f"{closed} of {state.seen} onion requests could not be opened whole"]
    return found + list(reasons[:_MOST_REASONS])
