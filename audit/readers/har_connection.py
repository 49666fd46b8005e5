"""What an entry of an HTTP archive says of the connection that carried it.

HAR 1.2 calls ``connection`` an id of the TCP connection, such as the client's or the server's port;
the server's port tells nothing, so it counts as not given. ``timings.connect`` is -1 where a
connection was used again. An entry that a browser answered from its cache had none.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import SplitResult

from audit.readers.http_message import host_name
from audit.tables.extract import Unplaced
from audit.tables.frames import Row

PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_LONGEST: Final = 86_400.0
"""Seconds that an exchange can last; a longer one is a mistake of the writer."""
_QUIC: Final = ("h3", "http/3", "quic")


def unplaced_entry(
    entry: dict[str, object], common: Row, record: str, url: SplitResult
) -> Unplaced:
    """Return the entry as an exchange whose conversation is to be found.

    Raises ``ValueError`` for a port that is none.
    """
    port = url.port or PORTS[url.scheme]
    connection = str(entry.get("connection") or "")
    address = common.get("responder_ip")
    return Unplaced(
        record=record,
        host=host_name(url.hostname),
        address=str(address) if address else None,
        port=port,
        ts=str(common["ts"]) if common.get("ts") else None,
        duration_s=_seconds(entry.get("time")),
        opened=_opened(entry.get("timings")),
        connection=connection if connection not in {"", "0", str(port)} else None,
        is_quic=_speaks_quic(entry),
    )


def _seconds(milliseconds: object) -> float:
    if isinstance(milliseconds, int | float) and 0 < milliseconds < _LONGEST * 1000:
        return float(milliseconds) / 1000
    return 0.0


def _opened(timings: object) -> bool | None:
    connect = timings.get("connect") if isinstance(timings, dict) else None
    return connect >= 0 if isinstance(connect, int | float) else None


def _speaks_quic(entry: dict[str, object]) -> bool:
    return any(
        str(part.get("httpVersion")).lower().startswith(_QUIC)
        for part in (entry.get("request"), entry.get("response"))
        if isinstance(part, dict)
    )
