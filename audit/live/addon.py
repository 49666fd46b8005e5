"""mitmproxy add-on of ``audit live``: hands each flow, as it ends, to the judge in another process.

Loaded by ``mitmdump -s``. ``AUDIT_LIVE_PIPE`` is the file descriptor of the pipe. The proxy never
waits: what the pipe does not take is held, up to :data:`MOST_HELD` bytes; flows beyond that are
counted and said to be lost, so that nobody takes them for judged.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from typing import Any, Final

from mitmproxy import connection as connections
from mitmproxy import ctx, dns, flow, http, tcp, udp
from mitmproxy.version import FLOW_FORMAT_VERSION

from audit.live.flowpipe import CONNECTION, FLOW, GONE, LOST, PIPE_VARIABLE, READY, frame

MOST_HELD: Final = 256 * 1024 * 1024
"""Bytes that wait for the judge, at most."""


class Live:
    """The add-on."""

    def __init__(self, pipe: int) -> None:
        os.set_blocking(pipe, False)
        self._pipe = pipe
        self._held: deque[bytes] = deque()
        self._size = 0
        self._lost = 0
        self._known: set[str] = set()
        self._waiting = False

    def running(self) -> None:
        """Say where the proxy listens."""
        servers: Any = ctx.master.addons.get("proxyserver")  # type: ignore[no-untyped-call]
        ports = [address[1] for address in servers.listen_addrs()]
        self._send(frame(READY, ports[0] if ports else None))

    def response(self, f: http.HTTPFlow) -> None:
        """Hand over an exchange that is whole."""
        if f.websocket is None:
            self._hand_over(f)

    def error(self, f: http.HTTPFlow) -> None:
        """Hand over an exchange that failed; a WebSocket ends in a hook of its own."""
        self.response(f)

    def websocket_end(self, f: http.HTTPFlow) -> None:
        """Hand over a WebSocket that closed."""
        self._hand_over(f)

    def tcp_end(self, f: tcp.TCPFlow) -> None:
        """Hand over a connection of an unknown protocol."""
        self._hand_over(f)

    tcp_error = tcp_end

    def udp_end(self, f: udp.UDPFlow) -> None:
        """Hand over datagrams between two endpoints."""
        self._hand_over(f)

    udp_error = udp_end

    def dns_response(self, f: dns.DNSFlow) -> None:
        """Hand over a look-up that was answered."""
        self._hand_over(f)

    def dns_error(self, f: dns.DNSFlow) -> None:
        """Hand over a look-up that failed."""
        self._hand_over(f)

    def client_disconnected(self, client: connections.Client) -> None:
        """Forget a connection."""
        self._forget(client.id)

    def server_disconnected(self, data: Any) -> None:
        """Forget a connection."""
        self._forget(data.server.id)

    def done(self) -> None:
        """Hand over what is left, and close the pipe: the judge may take its time now."""
        os.set_blocking(self._pipe, True)
        self._write()
        if self._lost:
            os.write(self._pipe, frame(LOST, self._lost))
        os.close(self._pipe)

    def _hand_over(self, f: flow.Flow) -> None:
        if ctx.options.proxyauth and isinstance(f, http.HTTPFlow) and self._is_stranger(f):
            return
        if self._size > MOST_HELD:
            self._lost += 1
            return
        for one in (f.client_conn, f.server_conn):
            if one.id not in self._known:
                self._known.add(one.id)
                self._send(frame(CONNECTION, one.id, one.get_state()))
        self._send(frame(FLOW, f.client_conn.id, f.server_conn.id, _state(f)))

    @staticmethod
    def _is_stranger(f: http.HTTPFlow) -> bool:
        """Whether this is our own answer to somebody who does not know the secret."""
        return f.response is not None and "proxyauth" not in f.metadata

    def _forget(self, identity: str) -> None:
        if identity in self._known:
            self._known.discard(identity)
            self._send(frame(GONE, identity))

    def _send(self, data: bytes) -> None:
        self._held.append(data)
        self._size += len(data)
        if not self._waiting:
            self._waiting = True
            asyncio.get_event_loop().call_later(0.02, self._write)

    def _write(self) -> None:
        """Write what the pipe takes; try again a little later if that was not all."""
        self._waiting = False
        while self._held:
            data = self._held[0]
            if len(data) < _JOINED and len(self._held) > 1:
                data = b"".join(self._held)
                self._held.clear()
                self._held.append(data)
            try:
                written = os.write(self._pipe, data)
            except BlockingIOError:
                self._waiting = True
                asyncio.get_event_loop().call_later(0.02, self._write)
                return
            except BrokenPipeError:
                self._held.clear()
                return
            self._size -= written
            if written == len(data):
                self._held.popleft()
            else:
                self._held[0] = data[written:]


_JOINED: Final = 64 * 1024
_COMMON: Final[dict[str, Any]] = {
    "intercepted": False, "is_replay": None, "marked": "", "metadata": {}, "comment": "",
    "backup": None,
}  # fmt: skip


def _state(f: flow.Flow) -> dict[str, Any]:
    """Return the state of a flow without its connections, of an exchange the quick way."""
    if isinstance(f, http.HTTPFlow) and f.websocket is None:
        return _COMMON | {
            "version": FLOW_FORMAT_VERSION,
            "type": "http",
            "id": f.id,
            "error": f.error.get_state() if f.error else None,
            "timestamp_created": f.timestamp_created,
            "request": f.request.get_state(),  # type: ignore[no-untyped-call]
            "response": f.response.get_state() if f.response else None,  # type: ignore[no-untyped-call]
            "websocket": None,
        }
    state: dict[str, Any] = f.get_state()
    del state["client_conn"], state["server_conn"]
    return state | {"metadata": {}, "backup": None}


if PIPE_VARIABLE in os.environ:
    addons = [Live(int(os.environ[PIPE_VARIABLE]))]
