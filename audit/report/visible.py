"""Characters that deceive the eye or drive a terminal, made visible or taken out.

Captured values are hostile. Markup is the business of the template engine's escaping; this module
is about what survives it: terminal escapes, bidirectional controls (CVE-2021-42574), characters of
no width, line separators and lone surrogates. By Unicode's general categories these are ``Cc``
(but tab and newline), ``Cf``, ``Cs``, ``Zl`` and ``Zp``.
"""

from __future__ import annotations

import re
import unicodedata

_KEPT = str.maketrans("", "", "\t\n")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_SPACE = re.compile(r"[ \t\n]+")


def _is_hidden(char: str) -> bool:
    return char not in "\t\n" and unicodedata.category(char) in _HIDDEN


def _is_harmless(text: str) -> bool:
    """Return whether a look at the whole text shows that no character of it is hidden."""
    return text.translate(_KEPT).isprintable()


def visible(text: str) -> str:
    """Return the text with every hidden character named, such as ``[U+202E]``."""
    if _is_harmless(text):
        return text
    return "".join(f"[U+{ord(char):04X}]" if _is_hidden(char) else char for char in text)


def for_terminal(text: str) -> str:
    """Return the text on one line without any character that a terminal could act on."""
    if not _is_harmless(text):
        text = "".join(char for char in text if not _is_hidden(char))
    return _SPACE.sub(" ", text).strip()
