"""The catalogue of everything that a report says in its own words.

``texts/en.toml`` for the page, ``texts/outputs.en.toml`` for the other outputs. Keys are dotted
paths; braces name the values to fill in.
A key with ``one`` and ``other`` below it counts something.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

_FILES: Final = ("en.toml", "outputs.en.toml")


@cache
def catalogue() -> Mapping[str, str]:
    """Return every text by its dotted key."""
    found: dict[str, str] = {}
    for name in _FILES:
        path = resources.files("audit.report").joinpath("texts", name)
        found |= _flat("", tomllib.loads(path.read_text(encoding="utf-8")))
    return found


def _flat(prefix: str, tree: Mapping[str, object]) -> list[tuple[str, str]]:
    entries: list[tuple[str, str]] = []
    for key, value in tree.items():
        if isinstance(value, Mapping):
            entries += _flat(f"{prefix}{key}.", value)
        else:
            entries.append((prefix + key, str(value).strip()))
    return entries


def say(key: str, **values: object) -> str:
    """Return a text with its values filled in; raises ``KeyError`` for an unknown key or value."""
    return catalogue()[key].format(**values)


def count(key: str, n: int, **values: object) -> str:
    """Return a text that counts ``n`` things: ``KEY.one`` or ``KEY.other``, ``{n}`` grouped."""
    return say(f"{key}.one" if n == 1 else f"{key}.other", n=f"{n:,}", **values)


def meaning(group: str, word: str) -> str:
    """Return the text ``GROUP.WORD``; the word itself where the catalogue does not know it.

    For words that come out of a result: a newer tool may have written one we have no text for.
    """
    return catalogue().get(f"{group}.{word}", word)
