"""Texts that both taps must write alike: addresses, conversations and moments."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

_LAST_SECOND: Final = 9_000_000_000
"""In 2255: frames count nanoseconds in 64 bits, which end in 2262."""


@lru_cache(maxsize=4096)
def plain_address(host: str) -> str:
    """Return an address in its shortest form, an IPv4-mapped one as IPv4; names pass unchanged."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


@lru_cache(maxsize=65_536)
def packed_text(packed: bytes) -> str:
    """Return the text of a packed address (4 or 16 bytes)."""
    return str(ipaddress.ip_address(packed))


@lru_cache(maxsize=4096)
def is_address(host: str) -> bool:
    """Whether a text is an IP address and no name."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


@lru_cache(maxsize=4096)
def is_loopback(host: str) -> bool:
    """Whether an address never leaves the machine."""
    return is_address(host) and ipaddress.ip_address(host.partition("%")[0]).is_loopback


def endpoint_text(host: str, port: int) -> str:
    """Return ``host:port``, IPv6 in brackets."""
    host = plain_address(host)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def split_endpoint(text: str) -> tuple[str, int] | None:
    """Return host and port of ``host:port``; ``None`` for any other text."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or len(port) > 5:
        return None
    host = host.removeprefix("[").removesuffix("]")
    return (plain_address(host), int(port)) if host else None


def conversation_text(proto: str, originator: tuple[str, int], responder: tuple[str, int]) -> str:
    """Return the text of a 5-tuple, such as ``tcp 192.0.2.10:40000 > 198.51.100.1:80``."""
    return f"{proto} {endpoint_text(*originator)} > {endpoint_text(*responder)}"


def responder_of(conversation: object) -> str:
    """Return the responder's end in the text of a 5-tuple; ``''``: there is none."""
    return str(conversation or "").rpartition(" > ")[2]


def moment(seconds: object) -> str | None:
    """Return Unix seconds as UTC text with ``Z``; ``None`` for what is no moment."""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        return None
    if not 0 < seconds < _LAST_SECOND:
        return None
    whole = int(seconds)
    micros = round((seconds - whole) * 1_000_000)
    if micros == 1_000_000:
        whole, micros = whole + 1, 0
    return f"{_second(whole)}.{micros:06}Z"


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]


def moment_of(written: object) -> str | None:
    """Return ISO 8601 text as UTC text with ``Z``, read as UTC without a zone; else ``None``."""
    if not isinstance(written, str):
        return None
    try:
        when = datetime.fromisoformat(written)
        seconds = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
    return moment(seconds)
