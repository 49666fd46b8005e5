"""Plain scalars by the core schema of YAML 1.2 (section 10.3.2), and nothing beyond it.

PyYAML reads ``off``, ``12:30`` and ``no`` as ``False``, ``750`` and ``False`` (YAML 1.1); here they
stay text.
"""

from __future__ import annotations

import re
from typing import Final

Scalar = str | int | float | bool | None

_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE: Final = frozenset({"true", "True", "TRUE"})
_FALSE: Final = frozenset({"false", "False", "FALSE"})
_INTEGER: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NO_NUMBER: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_BASES: Final = {"0o": 8, "0x": 16}
LARGEST: Final = 2**53
"""Whole numbers up to here mean the same to every reader of JSON (RFC 8785, RFC 7493 §2.2)."""


def resolve(text: str) -> Scalar:
    """Return the value of a plain scalar; raises ``ValueError`` for a number out of range."""
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if _INTEGER.fullmatch(text):
        if len(text) > 20:
            raise ValueError("this number is too large")
        base = _BASES.get(text[:2], 10)
        number = int(text[2:] if base != 10 else text, base)
        if abs(number) > LARGEST:
            raise ValueError("this number is too large")
        return number
    if _FLOAT.fullmatch(text):
        value = float(text)
        if value in {float("inf"), float("-inf")}:
            raise ValueError("this number is too large")
        return value
    if _NO_NUMBER.fullmatch(text):
        raise ValueError("infinity and not-a-number are no values here")
    return text
