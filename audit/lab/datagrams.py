"""One UDP listener: hands each datagram to a stand-in and sends back what it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

Taker = Callable[[bytes, str, int], bytes]
"""Given the datagram, the sender's address and port; returns the answer, empty for none."""


class DatagramService(asyncio.DatagramProtocol):
    """Serves one taker."""

    def __init__(self, taker: Taker) -> None:
        self._taker = taker
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio's own datagram transport is none by type before Python 3.12
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._taker(data, addr[0], addr[1])
        if answer and self._transport is not None:
            self._transport.sendto(answer, addr)
