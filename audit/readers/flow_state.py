"""The state of one mitmproxy flow, looked at with suspicion: a dump may hold anything."""

from __future__ import annotations

from dataclasses import dataclass, field

from audit.readers.endpoint import (
    conversation_text,
    is_address,
    is_loopback,
    moment,
    plain_address,
)
from audit.readers.header_lines import HeaderPairs, Headers
from audit.readers.http_message import host_name
from audit.tables.reference import Reference

State = dict[str, object]
Address = tuple[str, int]


class FlowError(ValueError):
    """A record decodes, but is no flow of the version that it claims."""


def section(state: State, key: str) -> State:
    """Return a nested state; raises :class:`FlowError` where there is none."""
    value = state.get(key)
    if not isinstance(value, dict):
        raise FlowError(f"{key} is missing")
    return value


def entries(state: State, key: str) -> list[object]:
    """Return a list of the state, empty where it is absent or null."""
    value = state.get(key)
    if value is None:
        return []
    if not isinstance(value, list | tuple):
        raise FlowError(f"{key} is no list")
    return list(value)


def octets(value: object) -> bytes:
    """Return bytes; text becomes UTF-8."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    raise FlowError("bytes expected")


def optional_octets(value: object) -> bytes | None:
    """Return bytes, or ``None`` for null."""
    return None if value is None else octets(value)


def words(value: object) -> str:
    """Return text; bytes are read as UTF-8, else one character a byte."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return value.decode("latin-1")
    raise FlowError("text expected")


def number(value: object) -> int:
    """Return an integer."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise FlowError("number expected")


def header_pairs(value: object) -> Headers:
    """Return headers or trailers as pairs, in the order sent."""
    if value is None:
        return ()
    if type(value) is HeaderPairs:
        return value
    if not isinstance(value, list | tuple):
        raise FlowError("headers are no list")
    pairs = []
    for pair in value:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise FlowError("a header is no pair")
        pairs.append((octets(pair[0]), octets(pair[1])))
    return tuple(pairs)


def address_of(value: object) -> Address | None:
    """Return host and port of a connection's end; ``None`` where it is not known."""
    if value is None:
        return None
    if not isinstance(value, list | tuple) or len(value) < 2:
        raise FlowError("an address is no pair")
    port = number(value[1])
    host = words(value[0])
    return (plain_address(host), port) if host else None


@dataclass(slots=True, kw_only=True)
class Ends:
    """The connections that a flow went over: from the client, and to the server."""

    client: str
    """Id of the client's connection."""
    originator: Address | None
    """The client's end; ``None`` in flows that were put in, not captured."""
    responder: Address | None
    """The server as the client dialled it: an address, or a name given to the proxy."""
    responder_ip: str | None
    """Address of the server, where one is known that says something."""
    proto: str
    """``tcp`` or ``udp``, what carries the client's connection."""
    conversation: str | None
    """Text of the 5-tuple; ``None`` where one of its ends is not known."""
    legs: tuple[str, ...]
    """5-tuples that carried it beside: client to an explicit proxy, proxy to server."""
    is_decrypted: bool
    """Whether the client spoke TLS, and the proxy took part in it."""
    is_through_upstream: bool
    """Whether the proxy passed the flow on to another proxy."""
    host: str | None
    """Name in the client's TLS hello, else the name dialled; ``None``: neither is one."""
    started_at: str | None
    ended_at: str | None
    sni: str | None = None
    """Name in the client's TLS hello, as written."""

    @classmethod
    def of(cls, client: State, server: State, named: Address | None = None) -> Ends:
        """Read both states; ``named`` is the server that a request names, if they name none."""
        originator = address_of(client.get("peername"))
        responder = address_of(server.get("address")) or named
        proto = "udp" if client.get("transport_protocol") == "udp" else "tcp"
        sni = client.get("sni")
        dialled = responder[0] if responder else None
        return cls(
            client=str(client.get("id")),
            originator=originator,
            responder=responder,
            responder_ip=_reached(server, dialled) if dialled else None,
            proto=proto,
            conversation=conversation_text(proto, originator, responder)
            if originator is not None and responder is not None
            else None,
            legs=_legs(proto, client, server),
            is_decrypted=client.get("timestamp_tls_setup") is not None,
            is_through_upstream=server.get("via") is not None,
            host=(host_name(words(sni)) if sni else None) or host_name(dialled),
            started_at=moment(client.get("timestamp_start")),
            ended_at=moment(client.get("timestamp_end")),
            sni=words(sni) if sni else None,
        )


def _legs(proto: str, client: State, server: State) -> tuple[str, ...]:
    pairs = ((client, "peername", "sockname"), (server, "sockname", "peername"))
    ends = [(_end(state.get(start)), _end(state.get(end))) for state, start, end in pairs]
    return tuple(
        conversation_text(proto, start, end)
        for start, end in ends
        if start is not None and end is not None
    )


def _end(value: object) -> Address | None:
    """Return an end that helps and need not be there: what is none is left out."""
    try:
        return address_of(value)
    except FlowError:
        return None


def _reached(server: State, dialled: str) -> str | None:
    if is_address(dialled):
        return dialled
    peer = server.get("peername")
    if not isinstance(peer, list | tuple) or not peer:
        return None
    reached = plain_address(words(peer[0]))
    # a named server that the proxy met on this machine is a stand-in: its address means nothing
    return reached if is_address(reached) and not is_loopback(reached) else None


@dataclass(slots=True, kw_only=True)
class Flow:
    """What every kind of flow has."""

    kind: object
    """``http``, ``tcp``, ``udp`` or ``dns``, if it is one of these."""
    state: State = field(repr=False)
    record: Reference
    ends: Ends

    @classmethod
    def of(cls, state: State, number: int, file: str) -> Flow:
        """Wrap a decoded state; raises :class:`FlowError`."""
        client, server = section(state, "client_conn"), section(state, "server_conn")
        named = named_server(state) if address_of(server.get("address")) is None else None
        return cls(
            kind=state.get("type"),
            state=state,
            record=Reference(file=file, records=(number,)),
            ends=Ends.of(client, server, named),
        )


def named_server(state: State) -> Address | None:
    """Return the server that the request of an HTTP flow names."""
    if state.get("type") != "http":
        return None
    request = section(state, "request")
    host = words(request.get("host"))
    return (plain_address(host), number(request.get("port"))) if host else None
