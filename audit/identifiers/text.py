"""What reads as text."""

from __future__ import annotations

from typing import Final

HEAD: Final = 4096
"""Bytes that are looked at."""
PRINTABLE: Final = bytes(range(0x20, 0x7F)) + b"\t\r\n"
_TEXT: Final = PRINTABLE + b"\f\x1b" + bytes(range(0x80, 0x100))


def is_text(data: bytes) -> bool:
    """Whether bytes read as text: UTF-8 without control characters (first 4 KiB)."""
    head = data[:HEAD]
    if head.translate(None, _TEXT):
        return False
    if head.isascii():
        return True
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return len(data) > HEAD and error.start >= HEAD - 4
    return True
