"""Texts of strangers as cells of CSV."""

from __future__ import annotations

import re
from typing import Final

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""First characters that make spreadsheets take a text for a formula (CWE-1236)."""
_QUOTED: Final = re.compile('[,"\r\n]')


def csv_cell(text: str) -> str:
    """Return a text as a cell (RFC 4180); one that would be a formula gets an apostrophe before it.

    Spaces before a formula do not hide it: some spreadsheets leave them out.
    """
    told = f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text
    return '"' + told.replace('"', '""') + '"' if _QUOTED.search(told) else told
