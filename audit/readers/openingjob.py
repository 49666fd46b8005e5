"""The opening of conversations as a piece of work that another process can do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from audit.readers.conversations import Conversation
from audit.readers.keylog import KeyLog
from audit.readers.opening import CAPTURE_LIMIT, Opening
from audit.readers.owners import Owner
from audit.readers.packetstore import Sorted
from audit.readers.recordchunk import Interface
from audit.tables.extract import Extract

SHARE: Final = 0.47
"""Share of the conversations that goes to the other process, which has the longer way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningJob:
    """Conversations of one capture and what their opening needs beside the file."""

    capture: str
    file: str
    client: frozenset[str]
    secrets: bytes
    interfaces: tuple[Interface, ...]
    owners: tuple[Owner, ...]
    conversations: list[Conversation]
    found: Sorted

    def split(self) -> tuple[OpeningJob, OpeningJob]:
        """Return two jobs whose results, one after the other, are that of the whole."""
        count = len(self.conversations)
        at = count - int(count * SHARE)
        earlier, later = self.found.split(at)
        return (
            replace(self, conversations=self.conversations[:at], found=earlier),
            replace(self, conversations=self.conversations[at:], found=later),
        )


@dataclass(slots=True, kw_only=True)
class Opened:
    """What a job gave."""

    extract: Extract = field(default_factory=Extract)
    missing: frozenset[int] = frozenset()
    """Conversations that need what was left out of them; then the extract is not whole."""
    opened_bytes: int = 0
    """Bytes of streams that were put together."""

    def append(self, later: Opened) -> None:
        """Add what the later conversations gave."""
        before = {table: len(rows) for table, rows in self.extract.rows.items()}
        for table, rows in later.extract.rows.items():
            self.extract.rows.setdefault(table, []).extend(rows)
        for payload in later.extract.payloads:
            payload.row += before.get(payload.table, 0)
        self.extract.payloads += later.extract.payloads
        self.extract.truncated += later.extract.truncated
        self.extract.unread += later.extract.unread
        self.extract.limits += later.extract.limits
        self.missing |= later.missing
        self.opened_bytes += later.opened_bytes


def perform(job: OpeningJob, read: Callable[[int, int], bytes], opened_bytes: int = 0) -> Opened:
    """Open the conversations; ``opened_bytes`` were put together before."""
    keys = KeyLog()
    keys.add(job.secrets)
    result = Opened()
    opening = Opening(
        extract=result.extract,
        capture=job.capture,
        file=job.file,
        client=job.client,
        keys=keys,
        read=read,
        interfaces=job.interfaces,
        owners=job.owners,
        found=job.found,
        opened_bytes=opened_bytes,
    )
    if not all(map(opening.add, job.conversations)):
        result.missing = opening.misjudged(job.conversations)
    result.opened_bytes = opening.opened_bytes - opened_bytes
    return result


def perform_both(
    earlier: OpeningJob,
    later: Callable[[], Opened | None],
    again: OpeningJob,
    read: Callable[[int, int], bytes],
) -> Opened:
    """Do a job and add the result of its later half; do that here too where it did not come.

    The bound on what is put together of one capture holds for both: past it, what came counts not.
    """
    result = perform(earlier, read)
    rest = later()
    if rest is None or result.opened_bytes + rest.opened_bytes > CAPTURE_LIMIT:
        rest = perform(again, read, result.opened_bytes)
    result.append(rest)
    return result
