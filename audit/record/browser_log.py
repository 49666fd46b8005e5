"""What a recorded browser's evidence is written as: ``storage/browser.jsonl``, a line a fact.

The first line names the schema. Every line has ``ts`` (UTC, the machine's clock) and ``kind``; the
reader :mod:`audit.readers.browser` tells what each kind holds. The last line is of kind ``end``:
without it the record is cut.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from audit.bundle.journal import now
from audit.bundle.layout import BROWSER_SCHEMA, browser_file

VALUE_CHARACTERS: Final = 65_536
"""Longest stored value that is kept whole; of a longer one the line says that it was cut."""
TEXT_CHARACTERS: Final = 8_192
"""The same for every other text of a line, such as an address or a key: lines stay short."""
_REASON_CHARACTERS: Final = 200
MOST_LINES: Final = 200_000
"""Lines of one recording; what comes after them is told as a gap."""


class BrowserLog:
    """Appends facts and flushes each, so that a killed browser loses none."""

    def __init__(self, folder: Path, facts: dict[str, Any]) -> None:
        """Begin the file in ``folder`` with what is known of browser and run."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.lines = 0
        self._file = browser_file(folder).open("x", encoding="utf-8")
        self.write("begin", schema=BROWSER_SCHEMA, **facts)

    def write(self, kind: str, **facts: Any) -> None:
        """Write one fact; beyond the bound only gaps and the end are kept."""
        if self.lines >= MOST_LINES and kind not in {"gap", "end"}:
            if self.lines == MOST_LINES:
                self.lines += 1
                self.gap(f"more than {MOST_LINES} facts: the rest was not kept", "storage")
                self.gap(f"more than {MOST_LINES} facts: the rest was not kept", "scripts")
            return
        line = {"ts": now(), "kind": kind, **_bounded(facts)}
        self._file.write(json.dumps(line, ensure_ascii=True, separators=(",", ":")) + "\n")
        self._file.flush()
        self.lines += 1

    def gap(self, what: str, blocks: str | None = None) -> None:
        """Say what could not be seen.

        ``blocks``: ``storage`` or ``scripts``, which then prove nothing; ``None``: a remark.
        """
        self.write("gap", what=what, blocks=blocks)

    def close(self) -> None:
        """Write the last line."""
        self.write("end")
        self._file.close()


def _bounded(facts: dict[str, Any]) -> dict[str, Any]:
    """Return facts with their texts cut to the bounds; ``cut``: how long the longest was."""
    found, cut = dict(facts), 0
    for name, fact in facts.items():
        limit = VALUE_CHARACTERS if name == "value" else TEXT_CHARACTERS
        if isinstance(fact, str) and len(fact) > limit:
            found[name], cut = fact[:limit], max(cut, len(fact))
    return {**found, "cut": cut} if cut else found


def first_line(error: Exception) -> str:
    """Return the first line of what an error says, bounded; its name where it says nothing."""
    return (str(error).splitlines() or [type(error).__name__])[0][:_REASON_CHARACTERS]
