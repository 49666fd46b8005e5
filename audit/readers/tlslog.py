"""``tls.jsonl``: every TLS attempt that the proxy met, whether or not it became a flow.

A line is ``{ts, client, server, sni, outcome, reason}``, ends as ``host:port``; outcomes are
``decrypted``, ``passed-through``, ``refused-by-client`` and ``refused-by-server``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from audit.bundle.layout import TLS
from audit.errors import CaptureError
from audit.readers.endpoint import conversation_text, is_address, moment_of, split_endpoint
from audit.readers.http_message import host_name
from audit.tables.extract import Extract
from audit.tables.frames import Row

MAX_BYTES: Final = 128 * 2**20
"""Bytes of a log, some 600 000 attempts."""
MAX_LINE: Final = 64 * 1024
"""Bytes of one line; a longer one was written by no recorder."""
_TRANSPORTS: Final = {
    "decrypted": "tls-intercepted",
    "passed-through": "tls-passthrough",
    "refused-by-client": "pinned-refused",
    "refused-by-server": "metadata-only",
}
_REFUSED_BY: Final = {"refused-by-client": "client", "refused-by-server": "server"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsOutcome:
    """How one TLS attempt at the proxy ended."""

    outcome: str
    reason: str
    """In the proxy's words; may be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsLog:
    """The attempts of one recording."""

    extract: Extract
    """Rows of ``tls_handshakes``."""
    closed: dict[str, Row] = field(default_factory=dict)
    """Conversation -> its row of ``conversations``, where it was not decrypted."""
    outcomes: dict[str, TlsOutcome] = field(default_factory=dict)
    """Conversation -> outcome, the last one where it was tried twice."""


def read_tls_log(path: Path, capture: str, file: str = TLS) -> TlsLog:
    """Read the log; raises :class:`CaptureError` with the line that is none.

    A half-written last line is reported in ``truncated``.
    """
    try:
        with path.open("rb") as source:
            data = source.read(MAX_BYTES + 1)
    except OSError as error:
        raise CaptureError(f"the TLS log cannot be read: {error}", source=file) from None
    if len(data) > MAX_BYTES:
        raise CaptureError(f"the TLS log is larger than {MAX_BYTES} bytes", source=file)
    lines = data.split(b"\n")
    log = TlsLog(extract=Extract())
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            _add(log, _entry(line), capture, f"{file}#{number}")
        except (ValueError, RecursionError) as error:
            if number == len(lines):
                log.extract.truncated.append(f"{file} ends in the middle of line {number}")
                break
            raise CaptureError(
                f"not a line of the TLS log: {error}", source=f"{file}:{number}"
            ) from None
    return log


def _entry(line: bytes) -> dict[str, str]:
    if len(line) > MAX_LINE:
        raise ValueError("the line is too long")
    data = json.loads(line)
    texts = data.items() if isinstance(data, dict) else ()
    entry = {key: value for key, value in texts if isinstance(value, str)}
    if entry.get("outcome") not in _TRANSPORTS:
        raise ValueError("no known outcome")
    return entry


def _add(log: TlsLog, entry: dict[str, str], capture: str, ref: str) -> None:
    client, server = (
        split_endpoint(entry.get("client", "")),
        split_endpoint(entry.get("server", "")),
    )
    conversation = conversation_text("tcp", client, server) if client and server else None
    outcome = entry["outcome"]
    host = host_name(entry.get("sni")) or (host_name(server[0]) if server else None)
    common: Row = {
        "capture": capture,
        "ref": ref,
        "ts": moment_of(entry.get("ts")),
        "host": host,
        "responder_ip": server[0] if server and is_address(server[0]) else None,
        "conversation": conversation,
        "taps": ("proxy",),
        "layer": 0,
        "transport": _TRANSPORTS[outcome],
    }
    log.extract.add(
        "tls_handshakes",
        common | {"sni": host_name(entry.get("sni")), "refused_by": _REFUSED_BY.get(outcome)},
    )
    if not (conversation and client and server):
        return
    log.outcomes[conversation] = TlsOutcome(outcome=outcome, reason=entry.get("reason", ""))
    log.closed.pop(conversation, None)
    if outcome != "decrypted":
        log.closed[conversation] = common | {
            "proto": "tcp",
            "originator_ip": client[0],
            "originator_port": client[1],
            "responder_port": server[1],
            "first_seen": common["ts"],
            "last_seen": common["ts"],
            "content": "opaque" if outcome == "passed-through" else "empty",
        }
