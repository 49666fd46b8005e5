"""What is read off values of a browser: how much one tells visitors apart, whose address it is.

The most random part of a value counts.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from audit.identifiers.entropy import MOSTLY, estimate

_MOST_LEAVES: Final = 2_000
_MOST_CHARACTERS: Final = 65_536
_SIGNS: Final = re.compile(r"[^0-9A-Za-z]+")


@lru_cache(maxsize=4096)
def identifying_bits(value: str) -> int:
    """Return the bits of the most random part: of a JSON value's leaves, of a text's runs.

    Words, moments, versions and settings count nothing, however long the text is.
    """
    text = value[:_MOST_CHARACTERS]
    if "%" in text:
        text = unquote(text)
    return max((_bits(leaf) for leaf in _leaves(text)), default=0)


def host_of(url: object) -> str | None:
    """Return the host of an address, lower case; ``None``: it has none."""
    try:
        return urlsplit(url).hostname if isinstance(url, str) else None
    except ValueError:
        return None


def _leaves(text: str) -> list[str]:
    try:
        stack: list[Any] = [json.loads(text)]
    except (ValueError, RecursionError):
        return [text]
    if not isinstance(stack[0], dict | list | str):
        return [text]
    found: list[str] = []
    while stack and len(found) < _MOST_LEAVES:
        item = stack.pop()
        if isinstance(item, dict):
            stack += [*item.values(), *item.keys()]
        elif isinstance(item, list):
            stack += item
        elif isinstance(item, str | int | float) and not isinstance(item, bool):
            found.append(str(item))
    return found


def _bits(leaf: str) -> int:
    whole = estimate(leaf)
    if whole.bits and whole.drawn >= MOSTLY:
        return whole.bits
    runs = _SIGNS.split(leaf)[:_MOST_LEAVES]
    return max((one.bits for one in map(estimate, runs) if one.drawn >= MOSTLY), default=0)
