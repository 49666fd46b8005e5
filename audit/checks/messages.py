"""Values of rows as people read them, and messages with columns in braces."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from audit.checks.program import FieldRef, Message
from audit.yamlfile.units import render_duration

ABSENT: Final = "(none)"
"""Stands in a message for a value that is not there."""
_LONGEST: Final = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Lookup = Callable[[FieldRef], object]
"""Gives the value of a column in the row that a message is about."""


def render_time(nanoseconds: int) -> str:
    """Return ISO 8601 text, UTC, microseconds and ``Z``."""
    try:
        moment = _EPOCH + timedelta(microseconds=nanoseconds // 1000)
    except OverflowError:
        return ABSENT
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def render_value(value: Any, field: FieldRef) -> str | None:
    """Return a value as text, ``None`` where there is none."""
    if value is None:
        return None
    if not field.path:
        if field.type == "time" and isinstance(value, int):
            return render_time(value)
        if field.type == "duration" and isinstance(value, int | float):
            return render_duration(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return str(value)


def shorten(text: str, longest: int = _LONGEST) -> str:
    """Cut a text that a capture may have made very long."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def render_message(message: Message, lookup: Lookup) -> str:
    """Return the sentence with the row's values in it."""
    parts = []
    for piece in message.pieces:
        if isinstance(piece, str):
            parts.append(piece)
        else:
            text = render_value(lookup(piece), piece)
            parts.append(ABSENT if text is None else shorten(text))
    return "".join(parts)
