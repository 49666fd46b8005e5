"""Characters that deceive the eye or drive a terminal, made visible or taken out.

Captured values are hostile. Markup is the business of the template engine's escaping; this module
is about what survives it: terminal escapes, bidirectional controls (CVE-2021-42574), characters of
no width, line separators and lone surrogates. By Unicode's general categories these are ``Cc``
(but tab and newline), ``Cf``, ``Cs``, ``Zl`` and ``Zp``.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import cache

_KEPT = "\t\n"
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_SPACE = re.compile(r"[ \t\n]+")


@cache
def _pattern() -> re.Pattern[str]:
    hidden = (
        chr(point)
        for point in range(sys.maxunicode + 1)
        if unicodedata.category(chr(point)) in _HIDDEN and chr(point) not in _KEPT
    )
    return re.compile("[" + "".join(map(re.escape, hidden)) + "]")


def _name(match: re.Match[str]) -> str:
    return f"[U+{ord(match[0]):04X}]"


def visible(text: str) -> str:
    """Return the text with every hidden character named, such as ``[U+202E]``."""
    return text if text.isascii() and text.isprintable() else _pattern().sub(_name, text)


def for_terminal(text: str) -> str:
    """Return the text on one line without any character that a terminal could act on."""
    return _SPACE.sub(" ", _pattern().sub("", text)).strip()
