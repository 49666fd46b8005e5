"""``learned.jsonl``: what every stand-in learned, the truth that reports are held against.

A line is an object with ``ts`` (UTC), ``standin`` (``seed1 node3 file tracker dns stun``),
``event`` and, as far as they apply, the fields of :class:`Learned`. It is never part of a bundle.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import sys
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

KEPT_BODY_BYTES: Final = 262_144
"""Longer bodies are cut in the log; their length and digest are those of the whole."""
MAX_LINES: Final = 500_000
"""A run that floods the lab stops being logged here, with one last line that says so."""

Event = Literal["request", "opened", "replica", "garbage", "datagram", "stream", "message", "query"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """One thing that one stand-in learned."""

    standin: str
    event: Event
    """``request``: an HTTP request came in; ``opened``: its onion layer was decrypted here;
    ``replica``: another node of the swarm handed over a message; ``garbage``: bytes that are no
    request; ``datagram stream message query``: UDP, raw TCP, WebSocket, DNS."""
    layer: int = 0
    """How deep inside what the client put on its wire this lay: 0 = the wire itself. A request
    relayed by the guard reports 1, the layer that the guard opened reports 1, and so on."""
    peer: str = ""
    """``address:port`` of whoever connected: the client, a proxy or another node."""
    scheme: str = ""
    host: str = ""
    """Host header, or the name of a DNS question."""
    method: str = ""
    path: str = ""
    query: str = ""
    status: int = 0
    """HTTP status of the answer, 0 where there is none."""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    inner: dict[str, Any] = field(default_factory=dict)
    """What the request asked for: method and names of its parameters, next hop, question."""
    saw: dict[str, Any] = field(default_factory=dict)
    """Values that identify somebody or something: ``accounts``, ``file_sha256``, ``file_id``,
    ``mapped_address``."""


class LearnedLog:
    """Appends lines and flushes each, so that a killed lab loses none."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = (folder / "learned.jsonl").open("a", encoding="utf-8")
        self._lines = 0
        self._broken = False

    def write(self, item: Learned) -> None:
        """Append one line; past :data:`MAX_LINES` nothing is written any more."""
        self._lines += 1
        if self._lines > MAX_LINES:
            return
        if self._lines == MAX_LINES:
            item = Learned(standin=item.standin, event="garbage", inner={"cut": MAX_LINES})
        row = asdict(item)
        body = row.pop("body")
        row["ts"] = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        row["body_len"] = len(body)
        row["body_sha256"] = hashlib.sha256(body).hexdigest() if body else ""
        row["body_base64"] = base64.b64encode(body[:KEPT_BODY_BYTES]).decode("ascii")
        try:
            self._file.write(json.dumps(row, ensure_ascii=True, sort_keys=True) + "\n")
            self._file.flush()
        except OSError as error:
            if not self._broken:  # the stand-ins go on: the log is for tests, not for the audit
                print(f"lab: learned.jsonl is incomplete: {error}", file=sys.stderr)  # noqa: T201
            self._broken = True

    def close(self) -> None:
        """Close the file; further writes raise ``ValueError``."""
        with contextlib.suppress(OSError):
            self._file.close()
