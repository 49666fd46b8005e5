"""Tracker hosts: take anything over HTTP, TLS, WebSocket, raw TCP and raw UDP, and note it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import struct
from dataclasses import dataclass
from typing import Final

from audit.lab.learned import Learned
from audit.lab.messages import Request, Response, find_header
from audit.lab.witness import Witness

MAX_STREAM_BYTES: Final = 1_000_000
STREAM_IDLE_S: Final = 20.0
_ACCEPT: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455, 1.3."""
TEXT, BINARY, CLOSE = 1, 2, 8


@dataclass(frozen=True, slots=True)
class Tracker:
    """Answers whatever reaches the tracker hosts."""

    witness: Witness

    async def answer(self, request: Request) -> Response:
        """Take a request: 204, or the start of a WebSocket."""
        key = find_header(request.headers, "sec-websocket-key")
        if find_header(request.headers, "upgrade").lower() == "websocket" and key:
            digest = hashlib.sha1(key.encode() + _ACCEPT, usedforsecurity=False).digest()
            headers = (
                ("Upgrade", "websocket"),
                ("Connection", "Upgrade"),
                ("Sec-WebSocket-Accept", base64.b64encode(digest).decode("ascii")),
            )

            async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await self._websocket(request, reader, writer)

            response = Response(status=101, headers=headers, upgrade=talk)
        elif request.method in {"GET", "HEAD"}:
            kind = (("Content-Type", "image/gif"), ("Set-Cookie", "visit=1; Max-Age=3600"))
            response = Response(status=200, body=b"GIF89a", headers=kind)
        else:
            response = Response(
                status=200, body=b'{"ok":true}', headers=(("Content-Type", "application/json"),)
            )
        return self.witness.request(request, response)

    async def _websocket(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        message = b""
        total = 0
        while True:
            first, second = await asyncio.wait_for(reader.readexactly(2), STREAM_IDLE_S)
            length = second & 0x7F
            if length == 126:
                (length,) = struct.unpack(">H", await reader.readexactly(2))
            elif length == 127:
                (length,) = struct.unpack(">Q", await reader.readexactly(8))
            total += length
            if total > MAX_STREAM_BYTES:
                return
            mask = await reader.readexactly(4) if second & 0x80 else bytes(4)
            data = await reader.readexactly(length)
            data = bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))
            code = first & 0x0F
            if code == CLOSE:
                writer.write(bytes([0x80 | CLOSE, 0]))
                await writer.drain()
                return
            if code in {0, TEXT, BINARY}:
                message += data
                if first & 0x80:
                    self._note("message", request.peer, message, request)
                    message = b""
                    writer.write(bytes([0x80 | TEXT, 2]) + b"ok")
                    await writer.drain()

    def _note(self, event: str, peer: str, data: bytes, request: Request | None = None) -> None:
        self.witness.log.write(
            Learned(
                standin=self.witness.standin,
                event="message" if event == "message" else "stream",
                peer=peer,
                scheme="ws"
                if request and request.scheme == "http"
                else "wss"
                if request
                else "tcp",
                host=find_header(request.headers, "host") if request else "",
                path=request.path if request else "",
                body=data,
            )
        )

    async def take_stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take raw bytes until the other end has said all, and answer ``ok`` to each part."""
        address = writer.get_extra_info("peername") or ("", 0)
        data = b""
        try:
            while len(data) < MAX_STREAM_BYTES:
                block = await asyncio.wait_for(reader.read(65_536), STREAM_IDLE_S)
                if not block:
                    break
                data += block
                writer.write(b"ok\n")
                await writer.drain()
        except (OSError, TimeoutError):
            pass  # what came until then is noted all the same
        finally:
            writer.close()
            self._note("stream", f"{address[0]}:{address[1]}", data)

    def take_datagram(self, data: bytes, address: str, port: int) -> bytes:
        """Take one datagram and answer ``ok``."""
        self.witness.log.write(
            Learned(
                standin=self.witness.standin,
                event="datagram",
                scheme="udp",
                peer=f"{address}:{port}",
                body=data,
            )
        )
        return b"ok"
