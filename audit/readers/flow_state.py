"""The state of one mitmproxy flow, looked at with suspicion: a dump may hold anything."""

from __future__ import annotations

from dataclasses import dataclass, field

from audit.readers.endpoint import conversation_text, plain_address
from audit.readers.http_message import Headers
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What every kind of flow has."""

    number: int
    """1-based number in the dump."""
    state: State = field(repr=False)
    record: Reference
    client: State = field(repr=False)
    server: State = field(repr=False)
    originator: Address | None
    """The client's end; ``None`` in flows that were put in, not captured."""
    responder: Address | None
    """The server as the client dialled it: an address, or a name given to the proxy."""
    proto: str
    """``tcp`` or ``udp``, what carries the client's connection."""
    conversation: str | None
    """Text of the 5-tuple; ``None`` where one of its ends is not known."""

    @classmethod
    def of(cls, state: State, number: int, file: str) -> Flow:
        """Wrap a decoded state; raises :class:`FlowError`."""
        client, server = section(state, "client_conn"), section(state, "server_conn")
        originator, responder = address_of(client.get("peername")), _dialled(state, server)
        proto = "udp" if client.get("transport_protocol") == "udp" else "tcp"
        return cls(
            number=number,
            state=state,
            record=Reference(file=file, records=(number,)),
            client=client,
            server=server,
            originator=originator,
            responder=responder,
            proto=proto,
            conversation=conversation_text(proto, originator, responder)
            if originator is not None and responder is not None
            else None,
        )

    @property
    def is_decrypted(self) -> bool:
        """Whether the client spoke TLS, and the proxy took part in it."""
        return self.client.get("timestamp_tls_setup") is not None

    @property
    def is_through_upstream(self) -> bool:
        """Whether the proxy passed the flow on to another proxy."""
        return self.server.get("via") is not None


def _dialled(state: State, server: State) -> Address | None:
    dialled = address_of(server.get("address"))
    if dialled is None and state.get("type") == "http":
        request = section(state, "request")
        host = words(request.get("host"))
        dialled = (plain_address(host), number(request.get("port"))) if host else None
    return dialled
