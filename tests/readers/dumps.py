"""Dumps written by mitmproxy's own writer, with fixed times and documentation addresses."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of packages below mitmproxy, on newer Pythons
    from mitmproxy import connection, dns, flow, http, tcp, udp, websocket
    from mitmproxy.io import FlowWriter
    from mitmproxy.net.server_spec import ServerSpec
    from mitmproxy.proxy.mode_specs import ProxyMode

CLIENT = ("192.0.2.10", 40_000)
SERVER = ("198.51.100.7", 443)
START = 1_700_000_000.25


def client(
    peer: tuple[str, int] = CLIENT, *, tls: bool = True, mode: str = "transparent", **more: Any
) -> connection.Client:
    return connection.Client(
        peername=peer,
        sockname=("192.0.2.1", 8080),
        timestamp_start=START,
        timestamp_tls_setup=START + 0.1 if tls else None,
        tls=tls,
        proxy_mode=ProxyMode.parse(mode),
        **more,
    )


def server(address: tuple[str, int] | None = SERVER, **more: Any) -> connection.Server:
    return connection.Server(address=address, **more)


def http_flow(
    *,
    method: str = "POST",
    path: str = "/path?id=1",
    headers: Iterable[tuple[bytes, bytes]] = (
        (b"Host", b"api.example"),
        (b"User-Agent", b"Client/1"),
    ),
    body: bytes | None = b'{"b": 1, "a": [true]}',
    status: int | None = 200,
    answer: bytes | None = b"{}",
    answer_headers: Iterable[tuple[bytes, bytes]] = ((b"Content-Type", b"application/json"),),
    client_conn: connection.Client | None = None,
    server_conn: connection.Server | None = None,
    error: str | None = None,
    messages: Iterable[tuple[int, bool, bytes]] | None = None,
    trailers: Iterable[tuple[bytes, bytes]] | None = None,
    authority: str = "",
    start: float = START + 0.5,
    closing: tuple[bool, int, str] | None = None,
) -> http.HTTPFlow:
    made = http.HTTPFlow(client_conn or client(), server_conn or server())
    made.request = http.Request(
        host=(made.server_conn.address or SERVER)[0],
        port=(made.server_conn.address or SERVER)[1],
        method=method.encode(),
        scheme=b"https",
        authority=authority.encode(),
        path=path.encode("utf-8", "surrogateescape"),
        http_version=b"HTTP/1.1",
        headers=http.Headers(tuple(headers)),
        content=body,
        trailers=None if trailers is None else http.Headers(tuple(trailers)),
        timestamp_start=start,
        timestamp_end=start + 0.01,
    )
    if status is not None:
        made.response = http.Response(
            http_version=b"HTTP/1.1",
            status_code=status,
            reason=b"OK",
            headers=http.Headers(tuple(answer_headers)),
            content=answer,
            trailers=None,
            timestamp_start=start + 0.1,
            timestamp_end=start + 0.2,
        )
    if error:
        made.error = flow.Error(error, START + 1)
    if messages is not None:
        made.websocket = websocket.WebSocketData(
            messages=[
                websocket.WebSocketMessage(code, up, data, START + 1 + at)
                for at, (code, up, data) in enumerate(messages)
            ]
        )
        if closing:
            by_client, code, reason = closing
            made.websocket.closed_by_client = by_client
            made.websocket.close_code = code
            made.websocket.close_reason = reason
            made.websocket.timestamp_end = START + 9
    return made


def stream_flow(
    messages: Iterable[tuple[bool, bytes]], *, proto: str = "tcp", **ends: Any
) -> tcp.TCPFlow | udp.UDPFlow:
    made_client = ends.get("client_conn") or client(tls=False)
    made_client.transport_protocol = proto  # type: ignore[assignment]
    ends_of = (made_client, ends.get("server_conn") or server())
    if proto == "tcp":
        stream = tcp.TCPFlow(*ends_of)
        stream.messages = [tcp.TCPMessage(up, data, START + 1) for up, data in messages]
        return stream
    datagrams = udp.UDPFlow(*ends_of)
    datagrams.messages = [udp.UDPMessage(up, data, START + 1) for up, data in messages]
    return datagrams


def dns_flow(name: str, answers: Iterable[str] = ("198.51.100.7",)) -> dns.DNSFlow:
    import ipaddress

    message = getattr(dns, "DNSMessage", None) or dns.Message  # the name in mitmproxy 12, and 11
    asked = message(
        timestamp=START, id=1, query=True, op_code=0, authoritative_answer=False, truncation=False,
        recursion_desired=True, recursion_available=False, reserved=0, response_code=0,
        questions=[dns.Question(name, 1, 1)], answers=[], authorities=[], additionals=[],
    )  # fmt: skip
    made = dns.DNSFlow(
        client(tls=False, mode="dns", transport_protocol="udp"), server(("198.51.100.53", 53))
    )
    made.request = asked
    made.response = asked.succeed(
        [
            dns.ResourceRecord.CNAME(name, "edge.example"),
            *(dns.ResourceRecord.A("edge.example", ipaddress.IPv4Address(a)) for a in answers),
        ]
    )
    return made


def upstream(host: str = "192.0.2.99") -> connection.Server:
    made = server(("api.example", 443))
    made.via = ServerSpec(("http", (host, 3128)))
    return made


def dump(flows: Iterable[flow.Flow]) -> bytes:
    buffer = io.BytesIO()
    writer = FlowWriter(buffer)
    for made in flows:
        writer.add(made)
    return buffer.getvalue()


def write_dump(folder: Path, *flows: flow.Flow) -> Path:
    path = folder / "flows.mitm"
    path.write_bytes(dump(flows))
    return path
