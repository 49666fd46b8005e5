"""A server and a client for the benchmark of the proxy: small JSON requests over kept connections.

python live_load.py serve
python live_load.py ask PROXY_PORT SERVER_PORT CONNECTIONS REQUESTS
"""

from __future__ import annotations

import asyncio
import json
import sys
from time import perf_counter

BODY = json.dumps(
    {"status": "ok", "messages": [{"id": n, "text": "x" * 40} for n in range(8)]}
).encode()
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)
) + BODY


class Server(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.held = b""

    def data_received(self, data: bytes) -> None:
        self.held += data
        while (end := self.held.find(b"\r\n\r\n")) >= 0:
            head = self.held[:end].lower()
            size = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            if len(self.held) < end + 4 + size:
                return
            self.held = self.held[end + 4 + size :]
            self.transport.write(ANSWER)  # type: ignore[attr-defined]


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def ask(proxy: int, server: int, connections: int, requests: int) -> float:
    body = json.dumps(
        {"method": "store", "params": {"pubkey": "05" + "ab" * 32, "data": "y" * 200}}
    ).encode()

    async def one(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy)
        for turn in range(requests // connections):
            head = (
                f"POST http://127.0.0.1:{server}/rpc/{number}/{turn} HTTP/1.1\r\n"
                f"Host: 127.0.0.1:{server}\r\nUser-Agent: bench\r\n"
                "Content-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n"
            )
            writer.write(head.encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            size = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(size)
        writer.close()

    begin = perf_counter()
    await asyncio.gather(*(one(number) for number in range(connections)))
    return perf_counter() - begin


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        asyncio.run(serve())
    else:
        print(asyncio.run(ask(*map(int, sys.argv[2:]))))
