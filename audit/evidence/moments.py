"""Moments of rows, texts in UTC, as values that can be compared and subtracted."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=65_536)
def instant(text: object) -> datetime | None:
    """Return the moment that a column of type ``time`` holds; ``None``: undated."""
    if not isinstance(text, str):
        return None
    try:
        return datetime.fromisoformat(text[:26].rstrip("Z")).replace(tzinfo=UTC)
    except ValueError:
        return None
