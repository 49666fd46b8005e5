"""The opening of conversations as a piece of work that another process can do."""

from __future__ import annotations

import marshal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from audit.readers.behind import by_conversation
from audit.readers.bytesource import ByteSource
from audit.readers.conversation import Conversations
from audit.readers.keylog import KeyLog
from audit.readers.opening import CAPTURE_LIMIT, Opening
from audit.readers.owners import Owner
from audit.readers.packetstore import Sorted
from audit.readers.recordchunk import Interface, Ints
from audit.tables.extract import Extract, Payload
from audit.tables.reference import Reference

SHARE: Final = 0.47
"""Share of the conversations that goes to the other process, which has the longer way."""
BATCH: Final = 1024
"""Conversations whose segments are laid out at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningJob:
    """Conversations of one capture and what their opening needs beside the file."""

    capture: str
    file: str
    client: frozenset[str]
    secrets: bytes
    interfaces: tuple[Interface, ...]
    owners: tuple[Owner, ...]
    conversations: Conversations
    found: Sorted
    behind: Ints
    """Bytes that headers pass over: see :meth:`audit.readers.behind.Behind.rows`."""

    def perform(self, path: Path) -> Opened:
        """Do the job on a file that is open nowhere else in this process."""
        with ByteSource(path) as source:
            return perform(self, source.read)

    def part(self, begin: int, end: int) -> OpeningJob:
        """Return the job of the conversations with these indices."""
        return replace(
            self,
            conversations=self.conversations.part(begin, end),
            found=self.found.between(begin, end),
            behind=self.behind[slice(*np.searchsorted(self.behind[:, 0], (begin, end)))],
        )

    def split(self) -> tuple[OpeningJob, OpeningJob]:
        """Return two jobs whose results, one after the other, are that of the whole."""
        count = len(self.conversations)
        begin, end = self.conversations.begin, self.conversations.end
        at = end - int(count * SHARE)
        return self.part(begin, at), self.part(at, end)

    def batches(self) -> Iterator[OpeningJob]:
        """Yield small jobs, so that what is worked out for all of one at once stays small."""
        begin, end = self.conversations.begin, self.conversations.end
        for at in range(begin, end, BATCH):
            yield self.part(at, min(at + BATCH, end))


@dataclass(slots=True, kw_only=True)
class Opened:
    """What a job gave."""

    extract: Extract = field(default_factory=Extract)
    missing: frozenset[int] = frozenset()
    """Conversations that need what was left out of them; then the extract is not whole."""
    opened_bytes: int = 0
    """Bytes of streams that were put together."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pack rows and payloads as plain values: objects one by one take five times as long."""
        columns = [
            (p.table, p.row, p.location, p.detail, p.direction, p.data, p.content_encoding,
             p.content_type, p.seams, p.ref.file, p.ref.records, p.ref.part, p.ref.start, p.ref.end)
            for p in self.extract.payloads
        ]  # fmt: skip
        extract = self.extract
        rest = extract.truncated, extract.unread, extract.limits
        packed = marshal.dumps((extract.rows, columns, rest))
        return _unpacked, (packed, self.missing, self.opened_bytes)

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


def _unpacked(packed: bytes, missing: frozenset[int], opened_bytes: int) -> Opened:
    rows, columns, (truncated, unread, limits) = marshal.loads(packed)  # noqa: S302 - our own
    extract = Extract(rows=rows, truncated=truncated, unread=unread, limits=limits)
    extract.payloads = [
        Payload(
            table=table,
            row=row,
            location=location,
            detail=detail,
            direction=direction,
            data=data,
            content_encoding=encoding,
            content_type=kind,
            seams=seams,
            ref=Reference(file=file, records=records, part=part, start=start, end=end),
        )
        for (
            table, row, location, detail, direction, data, encoding, kind, seams,
            file, records, part, start, end,
        ) in columns
    ]  # fmt: skip
    return Opened(extract=extract, missing=missing, opened_bytes=opened_bytes)


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
        behind=by_conversation(job.behind),
        opened_bytes=opened_bytes,
    )
    missing: set[int] = set()
    for batch in job.batches():
        opening.turn_to(batch.found)
        if missing or not all(map(opening.add, batch.conversations)):
            missing |= opening.misjudged(batch.conversations)
    result.missing = frozenset(missing)
    result.opened_bytes = opening.opened_bytes - opened_bytes
    return result


def perform_both(
    earlier: OpeningJob,
    later: Callable[[], object],
    again: OpeningJob,
    read: Callable[[int, int], bytes],
) -> Opened:
    """Do a job and add the result of its later half; do that here too where it did not come.

    The bound on what is put together of one capture holds for both: past it, what came counts not.
    """
    result = perform(earlier, read)
    rest = later()
    if not isinstance(rest, Opened) or result.opened_bytes + rest.opened_bytes > CAPTURE_LIMIT:
        rest = perform(again, read, result.opened_bytes)
    result.append(rest)
    return result
