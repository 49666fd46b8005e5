"""A tiny world for recordings: a web server by HTTP and HTTPS, and a name server that knows it.

``python -m tests.record.stand_in --logs DIR [--loopback]``, speaks like the lab.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import ssl
import struct
import sys
from pathlib import Path

from audit.record.echo import _answer, make_certificate

NAME = "shop.example"
SERVER = "203.0.113.5"
SERVER_V6 = "2001:db8:5::5"
RESOLVER = "198.51.100.53"
ONION_KEY = {
    "x25519_public": "aa" * 32,
    "x25519_private": "bb" * 32,
    "ed25519_public": "",
    "endpoint": f"{SERVER}:443",
}


class Names(asyncio.DatagramProtocol):
    """Answers every A query with the server's address."""

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        end = data.index(0, 12) + 1
        (kind,) = struct.unpack("!H", data[end : end + 2])
        answer = (
            b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + bytes(map(int, SERVER.split(".")))
            if kind == 1
            else b""
        )
        head = data[:2] + b"\x81\x80" + data[4:6] + struct.pack("!HHH", bool(answer), 0, 0)
        self.transport.sendto(head + data[12 : end + 4] + answer, address)


def take_addresses():
    from pyroute2 import IPRoute

    with IPRoute() as routing:
        (index,) = routing.link_lookup(ifname="lo")
        routing.link("set", index=index, state="up")
        for address in (SERVER, RESOLVER):
            routing.addr("add", index=index, address=address, prefixlen=32)
        if socket.has_ipv6 and Path("/proc/sys/net/ipv6").is_dir():
            routing.addr("add", index=index, address=SERVER_V6, prefixlen=128, flags=2)


async def serve(logs: Path, *, loopback: bool) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(make_certificate(SERVER, logs))
    host, ports = ("127.0.0.1", (0, 0)) if loopback else (None, (80, 443))
    http = await asyncio.start_server(_answer, host, ports[0])
    https = await asyncio.start_server(_answer, host, ports[1], ssl=tls)
    mapping = {}
    if loopback:
        for port, server in ((80, http), (443, https)):
            own = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
            mapping |= {f"{name}:{port}": own for name in (NAME, SERVER)}
    else:
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(Names, local_addr=(RESOLVER, 53))
    said = {
        "ready": True, "resolver": RESOLVER, "onion_keys": [ONION_KEY], "trust": {"anchor": "cc" * 32},
        "peer_proxy": None, "map": mapping, "needs_route": ["0.0.0.0/0"],
    }  # fmt: skip
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--logs", type=Path)
    parser.add_argument("--loopback", action="store_true")
    options = parser.parse_args(sys.argv[1:])
    if not options.loopback:
        take_addresses()
    asyncio.run(serve(options.logs, loopback=options.loopback))
