"""mitmproxy add-on of a recording: flows as they end, every TLS attempt, controls, the lab's map.

Loaded by ``mitmdump -s`` with the path of its configuration (see :mod:`.proxy_config`) in
``AUDIT_PROXY_CONFIG``. Prints one JSON line ``{"ready": true, "port": N}`` when it listens and, at
the end, ``{"flows": N}``; ``{"error": "..."}`` where it cannot write.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

from mitmproxy import connection, ctx, flow, http, tcp, tls, udp
from mitmproxy.io import FlowWriter

from audit.bundle.journal import now
from audit.bundle.whole_records import WholeRecords, cannot_write
from audit.record.proxy_config import CONFIG_VARIABLE, ProxyConfig


def _say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _endpoint(address: tuple[Any, ...] | None) -> str:
    if not address:
        return ""
    host = str(address[0]).removeprefix("::ffff:") if "." in str(address[0]) else address[0]
    return f"[{host}]:{address[1]}" if ":" in str(host) else f"{host}:{address[1]}"


class Recording:
    """The add-on."""

    def __init__(self, config: ProxyConfig) -> None:
        self._config = config
        self._flows = WholeRecords(Path(config.flows))
        self._tls = WholeRecords(Path(config.tls))
        self._open: dict[str, flow.Flow] = {}
        self._ended = False
        self._refusing: set[tuple[str, str | None]] = set()
        """Servers (endpoint, name) for which the client refused our certificate."""

    def running(self) -> None:
        """Say that the proxy listens."""
        if self._config.map or self._config.only_mapped:
            self._lead_to_stand_ins()
        servers: Any = ctx.master.addons.get("proxyserver")  # type: ignore[no-untyped-call]
        ports = [address[1] for address in servers.listen_addrs()]
        _say({"ready": True, "port": ports[0]})

    def _lead_to_stand_ins(self) -> None:
        """Lead connections to announced addresses to the stand-ins that play them.

        Wrapping the loop's own call leaves mitmproxy's idea of the server's address as it is;
        rewriting it in ``server_connect`` breaks the reuse of connections.
        """
        loop = asyncio.get_running_loop()
        connect = loop.create_connection
        mapping = self._config.map
        closed = self._config.only_mapped

        async def mapped(factory: Any, host: Any = None, port: Any = None, **options: Any) -> Any:
            target = mapping.get(_endpoint((host, port)))
            if target:
                host, _, port = target.rpartition(":")
                options.pop("local_addr", None)
            elif closed and host is not None:
                raise ConnectionRefusedError(111, f"{host}:{port} is not in the lab")
            return await connect(factory, host, port and int(port), **options)

        loop.create_connection = mapped  # type: ignore[method-assign, assignment]

    # -- flows -----------------------------------------------------------------------------------

    def requestheaders(self, f: http.HTTPFlow) -> None:
        """Remember a request that begins."""
        self._open[f.id] = f

    def request(self, f: http.HTTPFlow) -> None:
        """Answer the control on the proxy rung, where no gateway does."""
        if self._config.echo and f.request.host == self._config.echo:
            f.response = http.Response.make(
                200, f.request.path + "\n", {"Content-Type": "text/plain", "Server": "echo"}
            )

    def response(self, f: http.HTTPFlow) -> None:
        """Keep an exchange that is whole."""
        if f.websocket is None:
            self._keep(f)

    def error(self, f: http.HTTPFlow) -> None:
        """Keep an exchange that failed; a WebSocket ends in a hook of its own."""
        self.response(f)

    def websocket_end(self, f: http.HTTPFlow) -> None:
        """Keep a WebSocket that closed."""
        self._keep(f)

    def tcp_start(self, f: tcp.TCPFlow) -> None:
        """Remember a connection of an unknown protocol."""
        self._open[f.id] = f

    def tcp_end(self, f: tcp.TCPFlow) -> None:
        """Keep it when it ends."""
        self._keep(f)

    tcp_error = tcp_end

    def udp_start(self, f: udp.UDPFlow) -> None:
        """Remember datagrams between two endpoints."""
        self._open[f.id] = f

    def udp_end(self, f: udp.UDPFlow) -> None:
        """Keep them when they end."""
        self._keep(f)

    udp_error = udp_end

    def _keep(self, f: flow.Flow) -> None:
        self._open.pop(f.id, None)
        secret = f.metadata.pop("proxyauth", None)
        stranger = ctx.options.proxyauth and secret is None
        if stranger and isinstance(f, http.HTTPFlow) and f.response is not None:
            return  # answered with 407: not our client, or not yet
        buffer = io.BytesIO()
        FlowWriter(buffer).add(f)  # type: ignore[no-untyped-call]
        self._write(self._flows, buffer.getvalue())

    def done(self) -> None:
        """Keep what is still open as far as it came, and close the files."""
        for f in list(self._open.values()):
            self._keep(f)
        self._ended = True
        self._flows.close()
        self._tls.close()
        _say({"flows": self._flows.count})

    def _write(self, file: WholeRecords, data: bytes) -> None:
        if self._ended:
            return  # connections that end after us: kept already
        try:
            file.append(data)
        except OSError as error:
            _say({"error": cannot_write(file.path.name, error)})

    # -- TLS -------------------------------------------------------------------------------------

    def tls_clienthello(self, data: tls.ClientHelloData) -> None:
        """Decide whether to open this connection."""
        server = data.context.server
        name = data.client_hello.sni
        if self._config.echo and server.address and server.address[0] == self._config.echo:
            return
        reason = None
        if not self._config.intercept:
            reason = "passive pass: nothing is opened"
        elif (_endpoint(server.address), name) in self._refusing:
            reason = "the client refused the proxy's certificate for this server before"
        if reason:
            data.ignore_connection = True
            self._note(data.context.client, server, name, "passed-through", reason)

    def tls_established_client(self, data: tls.TlsData) -> None:
        """Note that the client took our certificate."""
        client = data.context.client
        self._note(client, data.context.server, client.sni, "decrypted", None)

    def tls_failed_client(self, data: tls.TlsData) -> None:
        """Note that the client refused our certificate (by an alert, or it just left)."""
        client, server = data.context.client, data.context.server
        self._refusing.add((_endpoint(server.address), client.sni))
        self._note(client, server, client.sni, "refused-by-client", data.conn.error)

    def tls_failed_server(self, data: tls.TlsData) -> None:
        """Note that the server refused the proxy as a client."""
        client, server = data.context.client, data.context.server
        self._note(client, server, client.sni, "refused-by-server", data.conn.error)

    def _note(
        self,
        client: connection.Client,
        server: connection.Server,
        name: str | None,
        outcome: str,
        reason: str | None,
    ) -> None:
        line = {
            "ts": now(),
            "client": _endpoint(client.peername),
            "server": _endpoint(server.address),
            "sni": name,
            "outcome": outcome,
            "reason": reason,
        }
        self._write(self._tls, json.dumps(line, ensure_ascii=False).encode() + b"\n")


if CONFIG_VARIABLE in os.environ:
    addons = [Recording(ProxyConfig.read(Path(os.environ[CONFIG_VARIABLE])))]
