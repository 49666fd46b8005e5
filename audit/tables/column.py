"""What a column is: its type in the check language, and its meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ColumnType = Literal[
    "text", "host", "ip", "number", "ratio", "bytes", "duration", "time", "bool", "json", "list"
]
"""Type of a column in the check language.

``text host ip`` are ``str``; ``number`` and ``bytes`` are ``int`` (or ``float``); ``duration`` is
seconds as ``float``; ``time`` is a UTC ``pandas.Timestamp``; ``json`` is canonical JSON text;
``list`` is a ``tuple`` of ``str``. Every type may be ``None``: not known, not there.
"""


@dataclass(frozen=True, slots=True)
class Column:
    """Annotation of one field of a row model."""

    type: ColumnType
    meaning: str
    """One sentence: meaning, unit or range, what ``None`` means, clock or tool."""
    default: object = None
    """Value of the column in an example row of a check that does not name it."""
