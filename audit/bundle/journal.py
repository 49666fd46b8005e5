"""``journal.jsonl``: a line an action, planted tap control or remark, flushed as it happens."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from audit.bundle.layout import JOURNAL
from audit.errors import CaptureError
from audit.tables.vocabulary import ACTIONS, PHASES

SUBSCRIBE: Final = "web.newsletter.subscribe"
UNSUBSCRIBE: Final = "web.newsletter.unsubscribe"
PERSON: Final = "subject_sha256"
"""Fact: sha256 of the e-mail address of who subscribed or left, lower case, as records have it."""
CONFIRMED: Final = "confirmed"
"""Fact of a line without action: that person opened the link of the confirmation."""


def now() -> str:
    """Return the present moment as journals write it: UTC, microseconds, ``Z``."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLine:
    """One line of the journal."""

    ts: str
    """UTC, recorder's clock."""
    driver: str
    """``recorder``, ``script`` (the target's driver), ``peer`` or ``manual``."""
    action: str | None = None
    """Action of the closed vocabulary; ``None``: a control or a remark."""
    phase: str = "steady"
    ok: bool = True
    corroborated_by: str | None = None
    """As the recorder saw it; judging derives it anew from the lines themselves."""
    note: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    """What a line claims, for corroboration: ``account`` (id created or seen as sender),
    ``text_sha256`` and ``file_sha256`` (hex digests of the canaries sent or received); of probes
    ``token``, ``status`` and ``origin`` of the answer, :data:`PERSON` and :data:`CONFIRMED`."""
    control: dict[str, str] | None = None
    """A planted tap control: ``token`` (hex, 128 bit), ``scheme`` (``http`` or ``https``), ``echo``
    (``address:port``), ``taps`` (comma separated)."""

    def to_json(self) -> str:
        """Return the line without its end."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)


class JournalWriter:
    """Appends lines and flushes each, so that a killed recorder loses none."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / JOURNAL).open("a", encoding="utf-8")

    def write(self, line: JournalLine) -> None:
        """Append one line durably."""
        self._file.write(line.to_json() + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file; further writes raise ``ValueError``."""
        self._file.close()


def read_journal(path: Path) -> tuple[list[JournalLine], list[str]]:
    """Return the lines and what was cut (a half-written last line), a sentence each.

    Raises :class:`CaptureError` with the line number for anything that is no journal line.
    """
    lines: list[JournalLine] = []
    cut: list[str] = []
    if not path.exists():
        return lines, cut
    raw = path.read_bytes()
    parts = raw.split(b"\n")
    for number, part in enumerate(parts, start=1):
        if not part.strip():
            continue
        try:
            lines.append(_line(json.loads(part)))
        except (ValueError, TypeError, RecursionError) as error:
            if number == len(parts):
                cut.append(f"{path.name} ends in the middle of line {number}")
                break
            raise CaptureError(
                f"not a journal line: {error}", source=f"{path.name}:{number}"
            ) from None
    return lines, cut


def _line(data: object) -> JournalLine:
    if not isinstance(data, dict):
        raise TypeError("expected an object")
    line = JournalLine(**data)
    text = (line.ts, line.driver, line.phase, line.note)
    if not all(isinstance(value, str) for value in text) or not isinstance(line.ok, bool):
        raise TypeError("ts, driver, phase and note are texts, ok is true or false")
    datetime.fromisoformat(line.ts)
    if line.action is not None and line.action not in ACTIONS:
        raise ValueError(f"unknown action {line.action!r}")
    if line.phase not in PHASES:
        raise ValueError(f"unknown phase {line.phase!r}")
    if line.driver not in {"recorder", "script", "peer", "manual"}:
        raise ValueError(f"unknown driver {line.driver!r}")
    for facts in (line.facts, line.control or {}):
        if not isinstance(facts, dict) or not all(
            isinstance(key, str) and isinstance(value, str) for key, value in facts.items()
        ):
            raise TypeError("facts and control are objects of texts")
    return line
