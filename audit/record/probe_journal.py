"""The journal of probes: kept between runs, mode 0600, a line a probe, as ``journal.jsonl`` is.

It holds one-time tokens and digests of addresses, never an address. It is the file of whoever sent
the probes, and proves nothing by itself: an import counts it on somebody's word.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from audit.bundle.journal import PERSON, SUBSCRIBE, UNSUBSCRIBE, JournalLine, read_journal
from audit.errors import CaptureError, SetupError, UsageError
from audit.tables.vocabulary import Action


@dataclass(slots=True, kw_only=True)
class ProbeJournal:
    """An open journal that nobody else writes to meanwhile."""

    path: Path
    lines: list[JournalLine] = field(default_factory=list)
    """Those that it held when it was opened, and those that came since."""
    descriptor: int

    def write(self, line: JournalLine) -> None:
        """Append one line durably; raises :class:`SetupError`."""
        try:
            data = (line.to_json() + "\n").encode()
            while data:
                data = data[os.write(self.descriptor, data) :]
            os.fsync(self.descriptor)
        except OSError as error:
            raise SetupError(
                f"the probe was sent and cannot be noted: {error.strerror}", source=str(self.path)
            ) from None
        self.lines.append(line)

    def require_fresh(self, person: str) -> None:
        """Refuse a person who subscribed before: who returns proves nothing."""
        if done := self._done(SUBSCRIBE, person):
            raise UsageError(
                f"this address subscribed on {done.ts[:10]} already",
                source=str(self.path),
                hint="take a canary of its own for each subscription",
            )

    def require_subscribed(self, person: str) -> None:
        """Refuse a person of whom no subscription is noted, or who left."""
        if not self._done(SUBSCRIBE, person):
            raise UsageError(
                "no subscription of this address is noted: whoever was never there cannot leave",
                source=str(self.path),
                hint="'audit probe send subscribe' first, with the same identity and journal",
            )
        if done := self._done(UNSUBSCRIBE, person):
            raise UsageError(f"this address left on {done.ts[:10]} already", source=str(self.path))

    def _done(self, action: Action, person: str) -> JournalLine | None:
        return next(
            (
                line
                for line in self.lines
                if line.action == action and line.ok and line.facts.get(PERSON) == person
            ),
            None,
        )


@contextlib.contextmanager
def open_probes(path: Path) -> Iterator[ProbeJournal]:
    """Open a journal of probes, made if need be, for this process alone.

    Raises :class:`UsageError` for what is no journal, is cut in the middle of a line, or is in use,
    :class:`SetupError` where it cannot be written.
    """
    if path.exists() and not path.is_file():
        raise UsageError("the journal of probes is a file", source=str(path))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SetupError(
            f"the journal of probes cannot be written: {error.strerror}", source=str(path)
        ) from None
    try:
        _lock(descriptor, path)
        yield ProbeJournal(path=path, lines=_lines(path), descriptor=descriptor)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.fchmod(descriptor, 0o600)
    except BlockingIOError:
        raise UsageError("another probe writes to this journal", source=str(path)) from None
    except OSError as error:
        raise SetupError(
            f"the journal of probes cannot be kept private: {error.strerror}", source=str(path)
        ) from None


def _lines(path: Path) -> list[JournalLine]:
    try:
        lines, cut = read_journal(path)
        whole = not cut and (not path.stat().st_size or path.read_bytes().endswith(b"\n"))
    except CaptureError as error:
        raise UsageError(error.message, source=str(path.parent / str(error.source))) from None
    if not whole:
        raise UsageError(
            "its last line is cut: a probe may be missing",
            source=str(path),
            hint="mend or take away that line, or begin another journal",
        )
    return lines
