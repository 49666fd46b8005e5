"""The layers of onion requests among the rows of a capture."""

from __future__ import annotations

from pathlib import Path

from audit.readers.onion import OnionConfig, open_onions
from audit.readers.onion_keys import NodeKey
from audit.tables.evidence import OnionState
from audit.tables.extract import Extract

_MOST_REASONS = 5


def open_layers(
    extract: Extract, keys: list[NodeKey], config: OnionConfig | None, key_file: Path | None
) -> tuple[OnionState, list[str]]:
    """Add the opened layers to ``extract``; return the state and what stayed closed, in words."""
    if config is None:
        return OnionState(keys=key_file is not None), []
    result = open_onions(extract, keys, config)
    for table, rows in result.extract.rows.items():
        base = len(extract.rows.get(table, ()))
        for row in rows:
            extract.add(table, row)
        for payload in result.extract.payloads:
            if payload.table == table:
                payload.row += base
    extract.payloads += result.extract.payloads
    state = OnionState(keys=key_file is not None, seen=result.seen, opened=result.opened)
    return state, _limits(state, result.reasons)


def _limits(state: OnionState, reasons: tuple[str, ...]) -> list[str]:
    if not state.seen:
        return ["no onion request was seen"]
    if not state.keys:
        return [f"{state.seen} onion requests stay closed: the nodes' keys are not in the capture"]
    closed = state.seen - state.opened
    if not closed:
        return []
    found = [f"{closed} of {state.seen} onion requests could not be opened whole"]
    return found + list(reasons[:_MOST_REASONS])
