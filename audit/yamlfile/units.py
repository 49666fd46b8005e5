"""Durations, sizes and times as YAML files write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_SECONDS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_CALENDAR: Final = re.compile(r"\d+(?:\.\d+)?\s*(?:mo|M|months?|y|years?)")
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)(B|kB|MB|GB|KiB|MiB|GiB)")
_BYTES: Final = {
    "B": 1, "kB": 1000, "MB": 1000**2, "GB": 1000**3, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3,
}  # fmt: skip


def parse_duration(text: object) -> float:
    """Return seconds; ``30m 7d 1.5h``. Raises ``ValueError`` with what to write instead.

    Months and years are refused: they have no fixed length.
    """
    if isinstance(text, str):
        match = _DURATION.fullmatch(text)
        if match:
            return float(match[1]) * _SECONDS[match[2]]
        if _CALENDAR.fullmatch(text):
            raise ValueError("months and years have no fixed length; say it in days, such as 183d")
    raise ValueError("a duration is a number with ms, s, m, h, d or w, such as 30m or 7d")


def parse_bytes(text: object) -> float:
    """Return bytes; a bare number or ``1kB 4MiB``. Raises ``ValueError``."""
    if isinstance(text, int | float) and not isinstance(text, bool):
        return text
    match = _SIZE.fullmatch(text) if isinstance(text, str) else None
    if not match:
        raise ValueError("a size is a number of bytes, or one with B, kB, MB, GB, KiB, MiB or GiB")
    return float(match[1]) * _BYTES[match[2]]


def parse_time(text: object) -> datetime:
    """Return a moment in UTC from ISO 8601 text (UTC where it names no zone); or ``ValueError``."""
    try:
        moment = datetime.fromisoformat(text if isinstance(text, str) else "")
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("a time is ISO 8601, such as 2026-01-31T12:00:00Z or 2026-01-31") from None


def render_duration(seconds: float) -> str:
    """Return a duration as people read it: the largest unit that divides it well."""
    for unit in ("d", "h", "m"):
        if seconds >= _SECONDS[unit] and seconds % _SECONDS[unit] == 0:
            return f"{seconds / _SECONDS[unit]:.0f}{unit}"
    if seconds >= 2 * 86400:
        return f"{seconds / 86400:.1f}d"
    return f"{seconds:g}s"
