"""The peer's way in on loopback: a forward proxy that knows only the lab's names and addresses."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from audit.lab.addresses import PEER, AddressBook, Place
from audit.lab.messages import (
    MAX_HEAD_BYTES,
    BadMessageError,
    Request,
    Response,
    find_header,
    read_response,
)

TUNNEL_IDLE_S: Final = 120.0
_HOP_BY_HOP: Final = {
    "connection", "keep-alive", "proxy-authorization", "proxy-connection", "te", "upgrade",
    "transfer-encoding", "content-length",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ForwardProxy:
    """CONNECT and absolute-form requests (RFC 9110, 9.3.6; RFC 9112, 3.2.2)."""

    book: AddressBook

    async def answer(self, request: Request) -> Response:
        """Forward one request, or open a tunnel."""
        try:
            if request.method == "CONNECT":
                return await self._connect(request)
            return await self._forward(request)
        except (OSError, TimeoutError, BadMessageError) as error:
            return Response(status=502, body=f"{error}\n".encode())

    def _dial(self, host: str | None, port: int | None) -> Place:
        place = self.book.dial(host, port) if host and port else None
        if place is None:
            raise OSError(f"nothing here is called {host}:{port}")
        return place

    async def _open(self, place: Place) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        source = self.book.source(PEER)
        return await asyncio.open_connection(
            place.address,
            place.port,
            local_addr=(source, 0) if source else None,
            limit=MAX_HEAD_BYTES,
        )

    async def _connect(self, request: Request) -> Response:
        host, _, port = request.target.rpartition(":")
        place = self._dial(host, int(port) if port.isascii() and port.isdigit() else None)
        far_reader, far_writer = await self._open(place)

        async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
            finally:
                far_writer.close()

        return Response(status=200, upgrade=tunnel)

    async def _forward(self, request: Request) -> Response:
        try:
            parts = urlsplit(request.target)
            port = parts.port or 80
        except ValueError:
            return Response(status=400, body=b"not an absolute URL\n")
        if parts.scheme != "http":
            return Response(status=400, body=b"only http is forwarded\n")
        place = self._dial(parts.hostname, port)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"{request.method} {target} HTTP/1.1"]
        if not find_header(request.headers, "host"):
            lines.append(f"Host: {parts.netloc}")
        lines += [f"{k}: {v}" for k, v in request.headers if k.lower() not in _HOP_BY_HOP]
        lines += ["Connection: close", f"Content-Length: {len(request.body)}"]
        data = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + request.body
        reader, writer = await self._open(place)
        try:
            writer.write(data)
            await writer.drain()
            response, _ = await asyncio.wait_for(read_response(reader), TUNNEL_IDLE_S)
        finally:
            writer.close()
        kept = tuple((k, v) for k, v in response.headers if k.lower() not in {*_HOP_BY_HOP, "date"})
        return Response(status=response.status, body=response.body, headers=kept)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, TimeoutError):
        while block := await asyncio.wait_for(reader.read(65_536), TUNNEL_IDLE_S):
            writer.write(block)
            await writer.drain()
    with contextlib.suppress(OSError):
        if writer.can_write_eof():
            writer.write_eof()
