"""One message, before any capture format is chosen for it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

DOMAIN = "example"
"""Each server has a domain of its own, as some tools tell servers apart by domains alone."""
START_S = 1_760_000_000
"""When the first message was sent, in seconds since 1970."""
CLIENT6 = "2001:db8:c11e::2"
"""Address of the client in packets and flows: no value of the subject."""


@dataclass
class Message:
    """One exchange with a server of its own; it names the message."""

    number: int
    file: str = "http"
    """``http`` (a HAR and a mitmproxy dump), ``flows`` (a dump), ``packets`` or ``onion``."""
    protocol: str = "http"
    """``http websocket tcp udp dns tls``."""
    method: str = "GET"
    path: str = "/v1/sync"
    query: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    media: str = ""
    coding: tuple[str, ...] = ()
    """Content codings that ``body`` has, in the order they were applied."""
    plain_body: bytes | None = None
    """The body before them, which is what a HAR holds; None: the same."""
    trailers: list[tuple[str, str]] = field(default_factory=list)
    answer_headers: list[tuple[str, str]] = field(default_factory=list)
    answer: bytes = b"{}"
    answer_media: str = "application/json"
    frames: list[tuple[bool, bytes]] = field(default_factory=list)
    """WebSocket messages that the client sends: whether text, content."""
    data: bytes = b""
    """What a raw stream, a datagram or an onion request carries."""
    label: str = ""
    """Labels before the name of the server, in DNS, in TLS or in the URL."""
    parts: str = ""
    """How packets carry it: ``segments``, ``chunks``, ``frames``, ``deflate``."""

    @property
    def id(self) -> str:
        """Return the name of the message."""
        return f"m{self.number:07d}"

    @property
    def host(self) -> str:
        """Return the name of the server."""
        name = f"{self.id}.{DOMAIN}"
        return f"{self.label}.{name}" if self.label else name

    @property
    def address(self) -> str:
        """Return the address of the server: each message has its own."""
        base = int(ipaddress.IPv6Address("2001:db8:ffff::"))
        return str(ipaddress.IPv6Address(base + self.number))

    @property
    def recipient(self) -> str:
        """Return what a finding calls the server: its name, where the capture has one."""
        return self.address if self.protocol in ("tcp", "udp", "dns") else self.host

    @property
    def target(self) -> str:
        """Return path and query."""
        return f"{self.path}?{self.query}" if self.query else self.path
