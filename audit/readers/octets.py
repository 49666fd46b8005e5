"""A cursor over bytes for length-prefixed binary formats."""

from __future__ import annotations


class TooShortError(Exception):
    """The bytes end before what they claim to hold."""


class Octets:
    """Reads big-endian numbers and blocks one after the other."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at

    @property
    def left(self) -> int:
        """Bytes that are left."""
        return len(self.data) - self.at

    def take(self, count: int) -> bytes:
        """Return the next ``count`` bytes; raises :class:`TooShortError`."""
        end = self.at + count
        if end > len(self.data):
            raise TooShortError
        taken = self.data[self.at : end]
        self.at = end
        return taken

    def number(self, width: int) -> int:
        """Return the next ``width`` bytes as a number; raises :class:`TooShortError`."""
        end = self.at + width
        if end > len(self.data):
            raise TooShortError
        number = int.from_bytes(self.data[self.at : end], "big")
        self.at = end
        return number

    def block(self, width: int) -> bytes:
        """Return the block behind a length of ``width`` bytes; raises :class:`TooShortError`."""
        return self.take(self.number(width))
