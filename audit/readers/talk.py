"""One conversation while it is opened: what its rows share, and what was found of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from audit.readers.bytestream import ByteStream
from audit.readers.recordchunk import UNDATED
from audit.tables.extract import Extract, Payload
from audit.tables.frames import Row
from audit.tables.reference import Reference
from audit.tables.vocabulary import Content, Direction, Transport, joint_content

JUDGED_LIMIT: Final = 64
"""Runs or datagrams of one conversation whose content is judged."""
_CLOSED_FIRST: Final[tuple[Transport, ...]] = ("metadata-only", "tls-keys")


def instant(ts: int | None) -> str | None:
    """Return ns since 1970 as UTC text with nine decimals and ``Z``; ``None``: undated."""
    if ts is None or ts == UNDATED:
        return None
    return f"{np.datetime64(ts, 'ns')}Z"


@dataclass(slots=True, kw_only=True)
class Talk:
    """One conversation being opened; everything found goes to ``extract``."""

    extract: Extract
    capture: str
    file: str
    """Name of the capture file in references."""
    text: str
    """``conversation`` column."""
    responder_ip: str
    responder_port: int | None
    client_is_originator: bool
    """Whether the originator is the audited client (or, unknown, taken for it)."""
    row: Row = field(default_factory=dict)
    """The conversation's own row; it changes while the conversation is opened."""
    index: int = 0
    """Index of ``row`` in its table."""
    host: str | None = None
    """Name of the server by SNI or Host, the first that was seen."""
    application: str | None = None
    """What the conversation speaks, as far as it could be told."""
    transports: set[Transport] = field(default_factory=set)
    contents: set[Content] = field(default_factory=set)
    judged: int = 0
    """Runs of no known protocol that were judged."""

    def direction(self, *, from_originator: bool) -> Direction:
        """Return the direction of a packet, seen from the client."""
        return "sent" if from_originator == self.client_is_originator else "received"

    def common(
        self, ref: Reference, ts: int | None, transport: Transport, host: str | None = None
    ) -> Row:
        """Return what the rows of all traffic tables share."""
        return {
            "capture": self.capture,
            "ref": str(ref),
            "ts": instant(ts),
            "host": host or self.host,
            "responder_ip": self.responder_ip,
            "layer": 0,
            "taps": ("packets",),
            "conversation": self.text,
            "transport": transport,
        }

    def name(self, host: str | None) -> None:
        """Note a name of the server."""
        self.host = self.host or host

    def speaks(self, application: str) -> None:
        """Note what is spoken; what is inside counts more, but not more than DNS in disguise."""
        if self.application not in {"doh", "dot", "doq"}:
            self.application = application

    def saw(self, transport: Transport, content: str) -> None:
        """Note how a part of the conversation could be had, and what it is."""
        self.transports.add(transport)
        self.contents.add(content)  # type: ignore[arg-type]

    def cut(self, what: str) -> None:
        """Note what could not be kept or read; it blocks a pass."""
        self.extract.truncated.append(f"{self.file}: {self.text}: {what}")

    def raw(self, stream: ByteStream, transport: Transport) -> None:
        """Hand a run of bytes of no known protocol to the search.

        The content of the first ``JUDGED_LIMIT`` runs is judged; all are searched.
        """
        from audit.identifiers.content import classify_content

        if stream.data:
            if self.judged < JUDGED_LIMIT:
                self.judged += 1
                self.saw(transport, classify_content(stream.data))
            self.raw_payload(stream.direction, stream.data, stream.at(0, len(stream.data)))

    def raw_payload(self, direction: Direction, data: bytes, ref: Reference) -> None:
        """Hand bytes that belong to the conversation as a whole to the search."""
        self.extract.payloads.append(
            Payload(
                table="conversations",
                row=self.index,
                location="payload",
                detail="",
                direction=direction,
                data=data,
                ref=ref,
            )
        )

    def transport(self) -> Transport:
        """Return how the whole could be had: ``metadata-only`` where any part was not opened."""
        for value in _CLOSED_FIRST:
            if value in self.transports:
                return value
        return "plaintext"

    def content(self) -> Content:
        """Return what the whole is; parts that differ make it mixed, empty ones do not count."""
        return joint_content(self.contents)
