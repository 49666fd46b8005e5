"""``result.json``: canonical JSON (RFC 8785), equal bytes for equal results."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final

from audit.model.result import Result

_LONE = re.compile("[\ud800-\udfff]")
_SAFE: Final = 2**53 - 1
"""Largest integer that every reader of JSON holds exactly (RFC 8785 §3.2.2.3, RFC 7493)."""


def render_json(result: Result) -> bytes:
    """Return the result as canonical JSON, UTF-8, without a final newline (RFC 8785).

    Captured values may hold what canonical JSON cannot: a lone surrogate becomes its name, such as
    ``[U+D800]``; a number that is not finite or not exact in every reader becomes text.
    """
    import rfc8785

    return bytes(rfc8785.dumps(expressible(result.model_dump(mode="json", by_alias=True))))


def expressible(value: object) -> object:
    """Return the value as JSON can hold it; see :func:`render_json`."""
    if isinstance(value, str):
        return _LONE.sub(lambda found: f"[U+{ord(found[0]):04X}]", value)
    if isinstance(value, Mapping):
        return {expressible(key): expressible(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [expressible(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _SAFE:
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
