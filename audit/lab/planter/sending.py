"""Sends what was drawn: HTTP and WebSocket (also through a proxy), DNS, TCP, UDP and STUN."""

from __future__ import annotations

import base64
import contextlib
import http.client
import random
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment

from audit.lab.addresses import (
    STUN,
    STUN_NAME,
    STUN_PORT,
    TRACKER_RAW_PORT,
    UNCONTACTED_NAME,
)
from audit.lab.planter.leaks import LABEL_DOMAIN, Leak

WAIT_S: Final = 8.0
"""Longest wait for any one answer."""
LOOKUP_S: Final = 4.0
STUN_COOKIE: Final = 0x2112A442


class NotSentError(Exception):
    """A leak did not get out; the text says why."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy."""

    host: str
    port: int
    authorization: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        return {"Proxy-Authorization": self.authorization} if self.authorization else {}


def find_proxies() -> dict[str, Proxy]:
    """Return the proxies of the environment by scheme (``http``, ``https``)."""
    found: dict[str, Proxy] = {}
    named = getproxies_environment()
    for scheme in ("http", "https"):
        parts = urlsplit(named.get(scheme) or named.get("all") or "")
        if not parts.hostname:
            continue
        authorization = None
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            authorization = "Basic " + base64.b64encode(pair.encode()).decode()
        found[scheme] = Proxy(parts.hostname, parts.port or 80, authorization)
    return found


def _trusting() -> ssl.SSLContext:
    # the default context notes its keys where SSLKEYLOGFILE says so
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def look_up(name: str, limit_s: float = LOOKUP_S) -> str | None:
    """Return an IPv4 address of a name from the system's resolver; ``None``: none in time."""
    found: list[str] = []

    def ask() -> None:
        with contextlib.suppress(OSError, UnicodeError):
            found.append(str(socket.getaddrinfo(name, None, socket.AF_INET)[0][4][0]))

    thread = threading.Thread(target=ask, daemon=True)  # the resolver itself knows no limit
    thread.start()
    thread.join(limit_s)
    return found[0] if found else None


@dataclass(slots=True)
class Sender:
    """Sends leaks one after the other."""

    rng: random.Random
    proxies: dict[str, Proxy] = field(default_factory=find_proxies)
    tls: ssl.SSLContext = field(default_factory=_trusting)

    def send(self, leak: Leak, echo: str | None = None) -> None:
        """Send one leak; raises :class:`NotSentError`. ``echo``: ``address:port`` instead."""
        try:
            match leak.place:
                case "dns":
                    look_up(f"{leak.parcel.data.decode()}.{LABEL_DOMAIN}")
                case "tcp":
                    self._tcp(leak)
                case "udp":
                    self._udp(leak)
                case "websocket":
                    self._websocket(leak)
                case _:
                    self._http(leak, echo)
        except (OSError, http.client.HTTPException) as error:
            raise NotSentError(f"{leak.place} to {leak.recipient}: {error}") from None

    def _http(self, leak: Leak, echo: str | None) -> None:
        secure = leak.scheme == "https"
        authority = echo or leak.recipient
        target, headers, body = compose(leak, self.rng)
        connection = self._connection(authority, secure=secure)
        try:
            proxy = self.proxies.get("http")
            if proxy and not secure:
                target = f"http://{authority}{target}"
                headers = {**headers, **proxy.headers}
            chunked = body is not None and self.rng.random() < 0.25
            connection.request(
                leak.method,
                target,
                body=_blocks(body or b"") if chunked else body,
                headers={**headers, "Host": authority},
                encode_chunked=chunked,
            )
            connection.getresponse().read()
        finally:
            connection.close()

    def _connection(self, authority: str, *, secure: bool) -> http.client.HTTPConnection:
        proxy = self.proxies.get("https" if secure else "http")
        if secure:
            host = proxy.host if proxy else authority
            connection = http.client.HTTPSConnection(
                host, proxy.port if proxy else 443, timeout=WAIT_S, context=self.tls
            )
            if proxy:
                connection.set_tunnel(authority, 443, proxy.headers)
            return connection
        if proxy:
            return http.client.HTTPConnection(proxy.host, proxy.port, timeout=WAIT_S)
        return http.client.HTTPConnection(authority, timeout=WAIT_S)

    def _stream(self, host: str, *, secure: bool) -> socket.socket:
        """Return a connection, through a tunnel where there is a proxy."""
        proxy = self.proxies.get("https" if secure else "http")
        port = 443 if secure else 80
        if proxy:
            connection = http.client.HTTPConnection(proxy.host, proxy.port, timeout=WAIT_S)
            connection.set_tunnel(host, port, proxy.headers)
            connection.connect()
            stream = connection.sock
        else:
            stream = socket.create_connection((host, port), WAIT_S)
        stream.settimeout(WAIT_S)
        return self.tls.wrap_socket(stream, server_hostname=host) if secure else stream

    def _websocket(self, leak: Leak) -> None:
        with self._stream(leak.recipient, secure=leak.scheme == "https") as stream:
            key = base64.b64encode(self.rng.randbytes(16)).decode()
            lines = [
                "GET /live HTTP/1.1",
                f"Host: {leak.recipient}",
                "Upgrade: websocket",
                "Connection: Upgrade",
                f"Sec-WebSocket-Key: {key}",
                "Sec-WebSocket-Version: 13",
            ]
            stream.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
            if b" 101 " not in _read_until(stream, b"\r\n\r\n"):
                raise OSError("the WebSocket was not opened")
            stream.sendall(b"".join(frames(leak.parcel.data, leak.parcel.is_text, self.rng)))
            if not stream.recv(100):
                raise OSError("the WebSocket was closed before the message was taken")
            stream.sendall(_frame(True, 8, b"", self.rng))

    def _tcp(self, leak: Leak) -> None:
        with socket.create_connection((leak.recipient, TRACKER_RAW_PORT), WAIT_S) as stream:
            stream.settimeout(WAIT_S)
            stream.sendall(leak.parcel.data)
            stream.recv(100)

    def _udp(self, leak: Leak) -> None:
        address = look_up(leak.recipient)
        if address is None:
            raise OSError("the name is not known")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stream:
            stream.settimeout(WAIT_S)
            stream.sendto(leak.parcel.data, (address, TRACKER_RAW_PORT))
            stream.recv(100)

    def speak_stun(self) -> bool:
        """Ask the STUN server for one's own address; returns whether it answered."""
        address = look_up(STUN_NAME) or STUN
        request = struct.pack(">HHI", 1, 0, STUN_COOKIE) + self.rng.randbytes(12)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stream:
            stream.settimeout(2)
            with contextlib.suppress(OSError):
                stream.sendto(request, (address, STUN_PORT))
                return stream.recv(500)[4:20] == request[4:]
        return False

    def look_at_beacon(self) -> bool:
        """Look up the name that is never contacted; returns whether it was answered."""
        return look_up(UNCONTACTED_NAME) is not None


def compose(leak: Leak, rng: random.Random) -> tuple[str, dict[str, str], bytes | None]:
    """Return target, headers and body of the request that carries a leak."""
    data, headers = leak.parcel.data, {"Accept": "*/*", "User-Agent": "tracker-sdk"}
    match leak.place:
        case "path":
            return f"/v2/u/{data.decode()}/open", headers, None
        case "query":
            filler = f"v={rng.randint(1, 9)}"
            pairs = [filler, f"{leak.field}={data.decode()}"]
            rng.shuffle(pairs)
            return "/collect?" + "&".join(pairs), headers, None
        case "header":
            scheme = "Bearer " if leak.field == "Authorization" else ""
            return "/ping", {**headers, leak.field: scheme + data.decode()}, None
        case "cookie":
            value = f"theme=dark; {leak.field}={data.decode()}"
            return "/pixel.gif", {**headers, "Cookie": value}, None
        case _:
            if leak.parcel.content_type and leak.declared:
                headers["Content-Type"] = leak.parcel.content_type
            if leak.parcel.encoding and (leak.declared or leak.parcel.encoding == "br"):
                headers["Content-Encoding"] = leak.parcel.encoding
            return "/v1/batch", headers, data


def _blocks(body: bytes) -> Iterator[bytes]:
    middle = max(1, len(body) // 2)
    yield body[:middle]
    if body[middle:]:
        yield body[middle:]


def frames(data: bytes, is_text: bool, rng: random.Random) -> list[bytes]:
    """Return the masked frames of one message, in one piece or two (RFC 6455, 5.4)."""
    code = 1 if is_text else 2
    if len(data) < 4 or rng.random() < 0.5:
        return [_frame(True, code, data, rng)]
    cut = rng.randint(1, len(data) - 1)
    return [_frame(False, code, data[:cut], rng), _frame(True, 0, data[cut:], rng)]


def _frame(final: bool, code: int, data: bytes, rng: random.Random) -> bytes:
    mask = rng.randbytes(4)
    if len(data) < 126:
        length = bytes([0x80 | len(data)])
    else:
        length = bytes([0x80 | 126]) + struct.pack(">H", len(data))
    masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))
    return bytes([(0x80 if final else 0) | code]) + length + mask + masked


def _read_until(stream: socket.socket, end: bytes) -> bytes:
    data = b""
    while end not in data and len(data) < 65_536:
        block = stream.recv(4096)
        if not block:
            break
        data += block
    return data
