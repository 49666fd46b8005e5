"""Texts as XML 1.0 can hold them."""

from __future__ import annotations

from typing import Final

from audit.report.visible import visible

_ENTITIES: Final = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        '"': "&quot;",
        "\n": "&#10;",
        "\t": "&#9;",
        "\ufffe": "[U+FFFE]",
        "\uffff": "[U+FFFF]",
    }
)
"""XML 1.0 §2.2 has no place for two characters that :func:`visible` leaves; a reader turns bare
line ends of attributes into spaces (§3.3.3)."""


def xml(text: str) -> str:
    """Return the text for an element or a quoted attribute; hidden characters are named."""
    return visible(text).translate(_ENTITIES)
