"""Names of places in a report: unique, readable, safe in a URL fragment and in an attribute."""

from __future__ import annotations

import re

_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")


def anchor(kind: str, name: str) -> str:
    """Return a name such as ``clause-app.contacts``; equal for equal input in every report."""
    return f"{kind}-{_UNSAFE.sub('-', name)[:120]}"


class Anchors:
    """Hands out anchors and makes each unique, in the order asked."""

    def __init__(self) -> None:
        self._by_name: dict[tuple[str, str], str] = {}
        self._taken: set[str] = set()

    def add(self, kind: str, name: str, shown: str | None = None) -> str:
        """Return the anchor of a thing, made (of ``shown``, else its name) when first asked for."""
        known = self._by_name.get((kind, name))
        if known:
            return known
        base = candidate = anchor(kind, shown or name)
        number = 1
        while candidate in self._taken:
            number += 1
            candidate = f"{base}-{number}"
        self._taken.add(candidate)
        self._by_name[kind, name] = candidate
        return candidate

    def find(self, kind: str, name: str) -> str | None:
        """Return the anchor of a thing that was added before, else ``None``."""
        return self._by_name.get((kind, name))
