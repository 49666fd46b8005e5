"""``result.json``: canonical JSON (RFC 8785), equal bytes for equal results."""

from __future__ import annotations

from audit.model.result import Result


def render_json(result: Result) -> bytes:
    """Return the result as canonical JSON, UTF-8, without a final newline (RFC 8785)."""
    import rfc8785

    return rfc8785.dumps(result.model_dump(mode="json", by_alias=True))
