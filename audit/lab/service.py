"""One HTTP listener: reads requests, answers them in order, keeps the connection open."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal

from audit.lab.addresses import AddressBook, Place
from audit.lab.messages import MAX_HEAD_BYTES, BadMessageError, Request, Response, read_request

IDLE_S: Final = 75.0
"""A connection on which no whole request comes for so long is closed."""
ANSWER_S: Final = 60.0
"""Longest time in which a handler answers."""

Handler = Callable[[Request], Awaitable[Response]]
Garbage = Callable[[str, bytes, str], None]
"""Told the peer, the bytes seen and the reason, for each thing that is no request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpService:
    """Serves one handler over one scheme."""

    handler: Handler
    garbage: Garbage
    tls: ssl.SSLContext | None = None

    @property
    def scheme(self) -> Literal["http", "https"]:
        return "https" if self.tls else "http"

    async def listen(self, place: Place, book: AddressBook) -> asyncio.Server:
        """Bind an announced place and start to serve; raises ``OSError`` where it is taken."""
        bound = book.binding(place)
        server = await asyncio.start_server(
            self._connected,
            bound.address,
            bound.port,
            ssl=self.tls,
            limit=MAX_HEAD_BYTES,
            ssl_handshake_timeout=10 if self.tls else None,
            ssl_shutdown_timeout=1 if self.tls else None,
            backlog=128,
        )
        book.note(place, server.sockets[0].getsockname()[1])
        return server

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = writer.get_extra_info("peername") or ("", 0)
        peer = f"{address[0]}:{address[1]}"
        try:
            while await self._exchange(reader, writer, peer):
                pass
        except BadMessageError as error:
            self.garbage(peer, error.seen, str(error))
            with contextlib.suppress(OSError):
                text = Response(status=error.status, body=f"{error}\n".encode())
                writer.write(text.to_bytes(close=True))
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass  # the other end went away, or never said anything
        finally:
            writer.close()

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: str
    ) -> bool:
        request = await asyncio.wait_for(
            read_request(reader, writer, scheme=self.scheme, peer=peer), IDLE_S
        )
        if request is None:
            return False
        response = await asyncio.wait_for(self.handler(request), ANSWER_S)
        close = not request.keeps_alive
        writer.write(response.to_bytes(head_only=request.method == "HEAD", close=close))
        await writer.drain()
        if response.upgrade is not None:
            await response.upgrade(reader, writer)
            return False
        return not close
