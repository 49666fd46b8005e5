"""One row model a table: the columns of a table are the fields of its model, in order.

The models are the schema (dtypes, units, documentation, completion); no object of them is ever
built per row. Rows travel as ``dict[str, object]`` and become frames in :mod:`audit.tables.frames`.
Hosts, header names are stored lower case, methods upper case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from audit.tables.browser_rows import (
    CookiesRow,
    PageFormsRow,
    PageRequestsRow,
    ScriptCallsRow,
    WebStorageRow,
)
from audit.tables.column import Column
from audit.tables.row_base import Bool, CommonRow, Number, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficRow(CommonRow):
    """Columns of every table of traffic."""

    host: Annotated[Text, Column("host", "DNS name of the server by Host, SNI or DNS answer")]
    responder_ip: Annotated[Text, Column("ip", "address of the server; None: not known")]
    recipient: Annotated[Text, Column("text", "host, else the address: what findings name")]
    peer_role: Annotated[Text, Column("text", "role of the server by the rules of the pack")]
    layer: Annotated[Number, Column("number", "depth inside an onion, 0 on the wire", 0)]
    seen_as: Annotated[
        Text, Column("text", "whose address the recipient sees: client, proxy, onion", "client")
    ]
    taps: Annotated[Text, Column("list", "taps that saw it: proxy, packets, device")]
    conversation: Annotated[
        Text, Column("text", "5-tuple of the carrying conversation, 'tcp A:P > B:Q'")
    ]
    also: Annotated[
        Text, Column("text", "ref of the same exchange in the other tap; None: one tap saw it")
    ]
    host_basis: Annotated[
        Text,
        Column(
            "text",
            "how the name is known: host, sni, dns, route, or listed where the file itself says "
            "it; claimed: the client's word alone, which no look-up bears out, or a guess",
        ),
    ]
    claimed_role: Annotated[
        Text, Column("text", "role that a name merely claimed would give the server; None: none")
    ]
    vpn_up: Annotated[Bool, Column("bool", "whether a tunnel was up while it passed", False)]
    owner: Annotated[
        Text, Column("text", "who runs the server, by the bundled dated list; None: not listed")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturesRow(CommonRow):
    """One row a capture."""

    device: Annotated[Text, Column("text", "id of the device in the manifest")]
    install: Annotated[Text, Column("text", "id of the install in the manifest")]
    device_model: Annotated[Text, Column("text", "model of the device, None: not known")]
    os: Annotated[Text, Column("text", "operating system and release")]
    app_version: Annotated[Text, Column("text", "version of the audited client")]
    digest: Annotated[Text, Column("text", "sha256 that locates the capture")]
    time_zone: Annotated[Text, Column("text", "time zone given to the client")]
    vantage: Annotated[Text, Column("text", "where the recorder stood")]
    pass_: Annotated[Text, Column("text", "passive or intercepted; the column is named 'pass'")]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsRow(CommonRow):
    """One row an action in the journal."""

    name: Annotated[Text, Column("text", "action, see Action")]
    ok: Annotated[Bool, Column("bool", "whether the client says that it worked", True)]
    driver: Annotated[Text, Column("text", "recorder, script, peer or manual", "recorder")]
    corroborated_by: Annotated[
        Text, Column("text", "what proves the action: recorder, peer, manual, rows; None: nothing")
    ]
    subject_hash: Annotated[Text, Column("text", "sha256 of the person acted for, None: nobody")]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRow(TrafficRow):
    """Columns of requests and answers."""

    method: Annotated[Text, Column("text", "method of the request, upper case")]
    path: Annotated[Text, Column("text", "path of the request without query, as sent")]
    query: Annotated[Text, Column("text", "query without '?', '' where there is none", "")]
    headers: Annotated[Text, Column("json", "object: name lower case -> value (joined by ', ')")]
    json: Annotated[Text, Column("json", "body as canonical JSON text; None: no JSON")]
    body_len: Annotated[Number, Column("bytes", "length of the body as sent, bytes")]
    transport: Annotated[Text, Column("text", "how the bytes could be had", "tls-intercepted")]
    content: Annotated[Text, Column("text", "what the body is once had", "readable")]
    via: Annotated[Text, Column("text", "ref of the row that this one came out of")]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequestsRow(HttpRow):
    """One row a request."""

    user_agent: Annotated[Text, Column("text", "User-Agent header; None: not sent")]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponsesRow(HttpRow):
    """One row an answer; method, path and query are those of its request."""

    status: Annotated[Number, Column("number", "status code")]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebsocketMessagesRow(TrafficRow):
    """One row a WebSocket message, fragments joined."""

    direction: Annotated[Text, Column("text", "sent or received by the client", "sent")]
    opcode: Annotated[Text, Column("text", "text, binary, ping, pong or close", "text")]
    json: Annotated[Text, Column("json", "message as canonical JSON text; None: no JSON")]
    body_len: Annotated[Number, Column("bytes", "length of the message, bytes")]
    transport: Annotated[Text, Column("text", "how the bytes could be had", "tls-intercepted")]
    content: Annotated[Text, Column("text", "what the message is once had", "readable")]


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsQueriesRow(TrafficRow):
    """One row a question, with the answers that came."""

    owner: Annotated[
        Text, Column("text", "who runs what the name stands for, by the bundled dated list")
    ]
    name: Annotated[Text, Column("host", "name asked for, lower case, no final dot")]
    qtype: Annotated[Text, Column("text", "A, AAAA, HTTPS, ... or the number", "A")]
    server: Annotated[Text, Column("ip", "address asked")]
    answers: Annotated[Text, Column("list", "addresses and names answered")]
    alias: Annotated[
        Text, Column("host", "name that the one asked for stands for (CNAME); None: for none")
    ]
    protocol: Annotated[Text, Column("text", "udp, tcp, mdns, llmnr, dot, doh", "udp")]


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsHandshakesRow(TrafficRow):
    """One row a ClientHello, or a TLS attempt that the proxy met."""

    sni: Annotated[Text, Column("host", "server name sent; None: none")]
    version: Annotated[Text, Column("text", "version agreed, TLSv1.2, TLSv1.3; None: no answer")]
    alpn: Annotated[Text, Column("list", "protocols offered")]
    ja3: Annotated[Text, Column("text", "JA3 digest of the ClientHello (MD5 hex)")]
    ja4: Annotated[Text, Column("text", "JA4 fingerprint of the ClientHello")]
    transport: Annotated[Text, Column("text", "how the bytes could be had", "metadata-only")]
    refused_by: Annotated[Text, Column("text", "client or server where the handshake failed")]
    certificate: Annotated[Text, Column("text", "sha256 of the leaf certificate if in clear")]
    ech: Annotated[
        Bool, Column("bool", "whether an encrypted ClientHello (or its decoy) was sent", False)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationsRow(TrafficRow):
    """One row a conversation: all packets of one 5-tuple."""

    proto: Annotated[Text, Column("text", "tcp, udp, icmp, icmp6, arp, quic or a number", "tcp")]
    originator_ip: Annotated[Text, Column("ip", "address that sent the first packet")]
    originator_port: Annotated[Number, Column("number", "its port, None where there is none")]
    responder_port: Annotated[Number, Column("number", "port of the responder", 443)]
    community_id: Annotated[Text, Column("text", "Community ID 1.0 of the 5-tuple")]
    iface: Annotated[
        Text,
        Column(
            "text",
            "interfaces of the packets; a TCP packet without data, such as the closing that a"
            " system sends by itself, names one only where nothing else does",
        ),
    ]
    in_tunnel: Annotated[
        Bool,
        Column(
            "bool",
            "whether all of it passed a tunnel of the recorder's own map; None: the map names no"
            " tunnel (no import has one), or the interface is not known",
        ),
    ]
    packets_out: Annotated[Number, Column("number", "packets sent by the originator", 1)]
    packets_in: Annotated[Number, Column("number", "packets sent by the responder", 1)]
    bytes_out: Annotated[Number, Column("bytes", "bytes on the wire from the originator", 100)]
    bytes_in: Annotated[Number, Column("bytes", "bytes on the wire from the responder", 100)]
    payload_bytes: Annotated[Number, Column("bytes", "transport payload, both ways", 10)]
    missed_bytes: Annotated[Number, Column("bytes", "TCP bytes that the capture lacks", 0)]
    first_seen: Annotated[Text, Column("time", "first packet, UTC")]
    last_seen: Annotated[Text, Column("time", "last packet, UTC")]
    first_contact: Annotated[Number, Column("number", "rank among the app's recipients, 1 first")]
    application: Annotated[
        Text, Column("text", "what it speaks: http, tls, dns, mdns, dot, doh, ...; None: not known")
    ]
    process_name: Annotated[
        Text, Column("text", "program or package that the capture names; None: none, or several")
    ]
    uid: Annotated[Number, Column("number", "user id that the capture names for it", 10_123)]
    names: Annotated[
        Text, Column("list", "every name that the capture gives the server, each as 'NAME (BASIS)'")
    ]
    transport: Annotated[Text, Column("text", "how the bytes could be had", "tls-intercepted")]
    content: Annotated[Text, Column("text", "what the bytes are once had", "readable")]
    only_dns: Annotated[
        Bool, Column("bool", "whether all its payload was read as DNS messages", False)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class StunMessagesRow(TrafficRow):
    """One row a STUN message."""

    method: Annotated[Text, Column("text", "binding, allocate, ... with its class", "binding")]
    mapped_address: Annotated[Text, Column("ip", "client's address as the server saw it")]
    direction: Annotated[Text, Column("text", "sent or received by the client", "sent")]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierHitsRow(TrafficRow):
    """One row a place where a value of the test subject was found."""

    kind: Annotated[Text, Column("text", "kind of the identifier, see Kind")]
    form: Annotated[Text, Column("text", "how the value is written there, see Form", "plain")]
    chain: Annotated[Text, Column("list", "decoders and containers on the way, outermost first")]
    location: Annotated[Text, Column("text", "place and detail, such as 'header x-id'", "body")]
    direction: Annotated[Text, Column("text", "sent or received; recipient is the server", "sent")]
    excerpt: Annotated[Text, Column("text", "surroundings with the value redacted")]
    source: Annotated[
        Text, Column("text", "role of the source of server records it was found in; None: traffic")
    ]
    transport: Annotated[Text, Column("text", "how the bytes could be had", "tls-intercepted")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlsRow(CommonRow):
    """One row a control: a planted value and whether it was found."""

    name: Annotated[Text, Column("text", "what was planted, such as 'echo tls' or 'base64'")]
    form: Annotated[Text, Column("text", "form of a detector control; None for a tap control")]
    tap: Annotated[Text, Column("text", "proxy or packets; None for a detector control")]
    found: Annotated[Bool, Column("bool", "whether it was found", True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLinesRow(CommonRow):
    """One row for the log lines of one hour, file and set of fields, or for lines not read."""

    source: Annotated[Text, Column("text", "role of the source in sources.yaml")]
    dataset: Annotated[Text, Column("text", "kind of log, such as access, error or http_requests")]
    fields: Annotated[
        Text,
        Column(
            "json",
            "object: name of a field that holds something -> what: address, user_agent, email, "
            "a kind of identifier, or text; the values themselves are not kept",
        ),
    ]
    lines: Annotated[Number, Column("number", "how many lines the row stands for", 1)]
    last_ts: Annotated[Text, Column("time", "latest of them, UTC; ts is the earliest")]
    name: Annotated[Text, Column("text", "file or stream, as the source names it")]
    unsure: Annotated[
        Text,
        Column("text", "why nothing is known of the lines; blocks a pass. None: they are read"),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class DbRecordsRow(CommonRow):
    """One row a database record."""

    source: Annotated[Text, Column("text", "role of the source in sources.yaml")]
    table: Annotated[Text, Column("text", "table or list")]
    status: Annotated[Text, Column("text", "state of the person in the list")]
    status_since: Annotated[
        Text, Column("time", "since when, UTC: the state, else the row; None: not known")
    ]
    email: Annotated[
        Text, Column("text", "'readable' where the row holds an e-mail address; None: none")
    ]
    email_hash: Annotated[
        Text, Column("text", "sha256 of the normalised address; None: no readable one")
    ]
    holds: Annotated[
        Text, Column("json", "object: column -> what it holds: email, address, email_digest, ...")
    ]
    deleted: Annotated[
        Bool, Column("bool", "whether the row is marked as deleted and still there", False)
    ]
    records: Annotated[Number, Column("number", "how many records the row stands for", 1)]
    unsure: Annotated[
        Text, Column("text", "why nothing is known of them; blocks a pass. None: they are read")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestEntriesRow(CommonRow):
    """One row an entry of an app's package."""

    kind: Annotated[Text, Column("text", "permission, component, ...")]
    name: Annotated[Text, Column("text", "name of the entry")]
    value: Annotated[Text, Column("text", "its value; None: none")]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsRow(CommonRow):
    """One row a setting of the app."""

    key: Annotated[Text, Column("text", "name of the setting")]
    value: Annotated[Text, Column("text", "its value as text")]


@dataclass(frozen=True, slots=True, kw_only=True)
class UiFieldsRow(CommonRow):
    """One row an input field on a screen."""

    screen: Annotated[Text, Column("text", "screen it was on")]
    label: Annotated[Text, Column("text", "its label")]
    input_type: Annotated[Text, Column("text", "text, phone, email, ...")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigEntriesRow(CommonRow):
    """One row an entry of a server's configuration."""

    source: Annotated[Text, Column("text", "role of the source in sources.yaml")]
    kind: Annotated[Text, Column("text", "kind of entry, such as logpush_job")]
    name: Annotated[Text, Column("text", "name of the entry")]
    retention: Annotated[Text, Column("duration", "how long data is kept; None: not known")]
    enabled: Annotated[Bool, Column("bool", "whether it is in force", True)]
    unsure: Annotated[
        Text, Column("text", "why nothing is known of it; blocks a pass. None: it is read")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFilesRow(CommonRow):
    """One row a file of the client."""

    path: Annotated[Text, Column("text", "path below the client's home")]
    bytes: Annotated[Number, Column("bytes", "size, bytes")]
    digest: Annotated[Text, Column("text", "sha256 of the contents")]
    change: Annotated[Text, Column("text", "created, changed or left", "created")]


TABLES: Final[dict[str, type[CommonRow]]] = {
    "captures": CapturesRow,
    "events": EventsRow,
    "http_requests": HttpRequestsRow,
    "http_responses": HttpResponsesRow,
    "websocket_messages": WebsocketMessagesRow,
    "cookies": CookiesRow,
    "web_storage": WebStorageRow,
    "script_calls": ScriptCallsRow,
    "page_requests": PageRequestsRow,
    "page_forms": PageFormsRow,
    "dns_queries": DnsQueriesRow,
    "tls_handshakes": TlsHandshakesRow,
    "conversations": ConversationsRow,
    "stun_messages": StunMessagesRow,
    "identifier_hits": IdentifierHitsRow,
    "log_lines": LogLinesRow,
    "db_records": DbRecordsRow,
    "manifest_entries": ManifestEntriesRow,
    "settings": SettingsRow,
    "ui_fields": UiFieldsRow,
    "config_entries": ConfigEntriesRow,
    "local_files": LocalFilesRow,
    "controls": ControlsRow,
}
"""Name of each table -> its row model. Adding a table is one model and one line here."""
