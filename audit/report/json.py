"""``result.json``: canonical JSON (RFC 8785), equal bytes for equal results; other JSON."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Final

from audit.model.result import Result
from audit.report.visible import visible

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


def render_shown(tree: Mapping[str, object]) -> bytes:
    """Return a document as JSON that people read too: indented, keys in their order, UTF-8.

    Hidden characters of every text and key are named, see :func:`audit.report.visible.visible`.
    """
    text = json.dumps(_shown(expressible(tree)), ensure_ascii=False, indent=1, allow_nan=False)
    return (text + "\n").encode("utf-8")


def _shown(value: object) -> object:
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, Mapping):
        return {visible(str(key)): _shown(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(item) for item in value]
    return value


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
