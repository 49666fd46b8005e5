"""Requests that one stand-in makes to another, over connections that are kept and used again."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from dataclasses import dataclass, field
from typing import Final

from audit.lab.addresses import AddressBook
from audit.lab.messages import MAX_HEAD_BYTES, BadMessageError, Headers, Response, read_response

ANSWER_S: Final = 25.0
"""Longest wait for one answer: the storage server's own limit for requests to hosts."""
MAX_IDLE: Final = 4
"""Idle connections kept for one destination."""

_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class UnreachableError(Exception):
    """The other stand-in cannot be reached or gave no answer; the text says why."""


def make_client_context() -> ssl.SSLContext:
    """Return the TLS settings nodes use among themselves: node certificates are self-signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@dataclass(slots=True, kw_only=True)
class Relay:
    """Makes requests from one address."""

    book: AddressBook
    tls: ssl.SSLContext
    address: str
    """Announced address of whoever makes the requests."""
    _idle: dict[tuple[str, int, bool], list[_Connection]] = field(default_factory=dict)

    async def post(
        self, host: str, port: int, path: str, body: bytes, *, secure: bool, headers: Headers = ()
    ) -> Response:
        """POST bytes to a stand-in by name or address; raises :class:`UnreachableError`."""
        lines = [f"POST {path} HTTP/1.1", f"Host: {host}:{port}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers]
        data = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body
        try:
            return await asyncio.wait_for(self._exchange((host, port, secure), data), ANSWER_S)
        except TimeoutError:
            raise UnreachableError(f"{host}:{port} gave no answer in {ANSWER_S:.0f} s") from None
        except (OSError, BadMessageError) as error:
            raise UnreachableError(f"{host}:{port} cannot be reached: {error}") from None

    async def _exchange(self, key: tuple[str, int, bool], data: bytes) -> Response:
        idle = self._idle.setdefault(key, [])
        while idle:
            reader, writer = idle.pop()
            with contextlib.suppress(OSError, BadMessageError):
                # closed meanwhile: another kept one, in the end a new one
                if not (writer.is_closing() or reader.at_eof()):
                    return await self._send(key, (reader, writer), data)
        return await self._send(key, await self._connect(key), data)

    async def _send(
        self, key: tuple[str, int, bool], connection: _Connection, data: bytes
    ) -> Response:
        reader, writer = connection
        try:
            writer.write(data)
            await writer.drain()
            response, reusable = await read_response(reader)
        except BaseException:
            writer.close()
            raise
        idle = self._idle.setdefault(key, [])
        if reusable and len(idle) < MAX_IDLE:
            idle.append(connection)
        else:
            writer.close()
        return response

    async def _connect(self, key: tuple[str, int, bool]) -> _Connection:
        host, port, secure = key
        place = self.book.dial(host, port)
        if place is None:
            raise UnreachableError(f"nothing here is called {host}:{port}")
        source = self.book.source(self.address)
        return await asyncio.open_connection(
            place.address,
            place.port,
            ssl=self.tls if secure else None,
            local_addr=(source, 0) if source else None,
            limit=MAX_HEAD_BYTES,
        )

    def close(self) -> None:
        """Close every kept connection."""
        for idle in self._idle.values():
            for _, writer in idle:
                writer.close()
        self._idle.clear()
