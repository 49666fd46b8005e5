"""What stands in an archive that ends in the midst of something: the entries before its end.

A program that is killed while it exports, a full disk and a broken download leave such files.
"""

from __future__ import annotations

import json
import re
from typing import Final

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_DECODER: Final = json.JSONDecoder()


def read_cut(data: bytes) -> dict[str, object] | None:
    """Return the log as far as it goes, or ``None`` where not one entry is whole.

    It holds the members before the cut; of ``entries`` those that are whole.
    """
    reading = _Reading(_text(data))
    log: dict[str, object] = {}
    try:
        if reading.enter("{") and reading.key() == "log" and reading.enter("{"):
            while True:
                key = reading.key()
                if key == "entries" and reading.enter("["):
                    entries: list[object] = []
                    log[key] = entries
                    while not reading.leave("]"):
                        entries.append(reading.value())
                        reading.enter(",")
                else:
                    log[key] = reading.value()
                reading.enter(",")
    except (ValueError, RecursionError):
        pass
    return log if log.get("entries") else None


class _Reading:
    """A place in JSON text; raises ``ValueError`` where it ends or is none."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def enter(self, sign: str) -> bool:
        """Step over a sign, if it stands here."""
        self._skip()
        stands = self._text.startswith(sign, self._at)
        self._at += len(sign) if stands else 0
        return stands

    leave = enter

    def key(self) -> str:
        """Return the name of the next member."""
        name = self.value()
        if not isinstance(name, str) or not self.enter(":"):
            raise ValueError("no member of an object")
        return name

    def value(self) -> object:
        """Return the next value, which is whole."""
        self._skip()
        found, self._at = _DECODER.raw_decode(self._text, self._at)
        return found

    def _skip(self) -> None:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at


def _text(data: bytes) -> str:
    """Return UTF-8 up to the first byte that is none."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        return data[: error.start].decode()
