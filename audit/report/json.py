"""``result.json``: canonical JSON (RFC 8785), equal bytes for equal results; other JSON."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

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
    shown = expressible(tree, visible)
    text = json.dumps(shown, ensure_ascii=False, indent=1, allow_nan=False)
    return (text + "\n").encode("utf-8")


def without_nothing(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping without what is ``None`` or empty."""
    return {key: value for key, value in properties.items() if value not in (None, "", [], {}, ())}


def _without_lone(text: str) -> str:
    return _LONE.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)


def expressible(value: object, told: Callable[[str], str] = _without_lone) -> object:
    """Return the value as JSON can hold it, see :func:`render_json`; texts and keys as ``told``."""
    if isinstance(value, str):
        return told(value)
    if isinstance(value, Mapping):
        return {expressible(key, told): expressible(item, told) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [expressible(item, told) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _SAFE:
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
