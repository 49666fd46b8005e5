"""A packet capture as evidence tables: conversations and whatever could be read in them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from audit.readers.companion import Companion

if TYPE_CHECKING:
    from audit.tables.extract import Extract

WORTHWHILE: Final = 96 << 20
"""Bytes of a capture from which on a second process pays."""
_GZIP_MAGIC: Final = b"\x1f\x8b"


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketOptions:
    """How a packet capture is to be read."""

    capture: str
    """``capture`` column: id of the capture."""
    client: tuple[str, ...] = ()
    """Addresses of the audited client: what they send is ``sent``. Empty: the originators'."""
    secrets: bytes = b""
    """Key log beside the secrets in the file (NSS format)."""
    file: str = "packets.pcapng"
    """Name of the file in references."""


def read_packets(path: Path, options: PacketOptions) -> Extract:
    """Read a pcap or pcapng file, gzipped or not, into rows and payloads.

    Tables: conversations, dns_queries, tls_handshakes, stun_messages, http_requests,
    http_responses, websocket_messages. Times are the capture's own clock, UTC. Columns that only a
    whole bundle tells (process, phase, recipient, roles) are left out. Raises
    :class:`audit.errors.CaptureError` for a file that is no capture; what is damaged or too large
    further on is named in ``truncated``, and everything before it is kept.
    """
    with Companion(path, wanted=_is_worthwhile(path)) as companion:
        from audit.readers.packetpasses import all_passes  # while the companion starts up

        return all_passes(path, options, companion)


def _is_worthwhile(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(2) != _GZIP_MAGIC and path.stat().st_size >= WORTHWHILE
    except OSError:
        return False  # said when the file is read
