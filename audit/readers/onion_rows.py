"""Opened onion layers as rows, and their parts as bytes to search."""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
from dataclasses import dataclass, replace
from typing import Final

from audit.readers.bodies import canonical_json, judge_body
from audit.readers.endpoint import is_address, plain_address
from audit.readers.http_message import host_name, split_target
from audit.readers.onion_layers import Layer, OnionError, split_text
from audit.tables.extract import Extract, Payload
from audit.tables.frames import Row
from audit.tables.reference import Reference, parse_reference
from audit.tables.vocabulary import Direction, Location

_OF_THE_WIRE: Final = (
    "capture", "ts", "taps", "conversation", "transport",
)  # fmt: skip
"""Columns that a layer has in common with the request it came in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """A message on the wire that carries an onion: its row, and its body as captured."""

    row: Row
    body: Payload

    def reference(self, depth: int) -> Reference:
        """Return the reference of an opened layer: of the body, with ``/onion.K`` behind."""
        body, wire = self.body.ref, parse_reference(str(self.row["ref"]))
        part = body.part or ""
        if ".body" not in part and "/body." not in part:  # a stream: say which message of it
            part += f"/body.{wire.start or 0}"
        return Reference(file=body.file, records=body.records, part=f"{part}/onion.{depth}")

    @property
    def also(self) -> str | None:
        """Where the other tap has the body."""
        return str(self.body.also) if self.body.also else None


def add_layer(
    out: Extract, layer: Layer, layers: list[Layer], carrier: Carrier, previous: Row
) -> Row:
    """Add the row of one layer and its payloads; returns the row."""
    ref, wire = carrier.reference(layer.depth), carrier.row
    row: Row = {name: wire[name] for name in _OF_THE_WIRE if name in wire}
    row |= _server(layer, layers, wire)
    row |= {
        "ref": str(ref),
        "also": carrier.also,
        "via": previous["ref"],
        "layer": layer.depth,
        "seen_as": "client" if layer.depth == 1 else "onion",
        "method": wire.get("method"),
        "path": wire.get("path"),
        "query": "",
        "headers": "{}",
        "user_agent": None,
    }
    row |= _COLUMNS[layer.kind](layer)
    index = out.add("http_requests", row)
    _add_payloads(out, index, layer, ref)
    return row


def add_answer(
    out: Extract, layer: Layer, plaintext: bytes, carrier: Carrier, *, request: Row
) -> None:
    """Add the answer of a destination, opened, as a row of the layer that it answers."""
    status, headers, body = _read_answer(layer, plaintext)
    judged = judge_body(body)
    ref, response = carrier.reference(layer.depth), carrier.row
    row = {name: value for name, value in request.items() if name != "user_agent"}
    row |= {
        "ref": str(ref),
        "via": response["ref"],
        "ts": response.get("ts"),
        "taps": response.get("taps"),
        "also": carrier.also,
        "headers": json.dumps(headers, sort_keys=True, separators=(",", ":")),
        "json": judged.json,
        "body_len": len(body),
        "content": judged.content,
        "status": status,
    }
    index = out.add("http_responses", row)
    _add(out, "http_responses", index, "response", "", plaintext, ref)


def read_envelope(sealed: bytes) -> list[bytes]:
    """Return what the body of an answer may be: itself, or the base64 in it undone."""
    candidates = [sealed]
    if sealed.isascii():
        with contextlib.suppress(binascii.Error):
            candidates.append(base64.b64decode(sealed.strip(), validate=True))
    return candidates


def _server(layer: Layer, layers: list[Layer], wire: Row) -> Row:
    """Who learns the layer: the guard as on the wire, a node by its key, a server by its name."""
    if layer.depth == 1:
        return {"host": wire.get("host"), "responder_ip": wire.get("responder_ip")}
    host = layers[layer.depth - 2].routing.get("host")
    if layer.kind != "server" or not isinstance(host, str):
        host = layer.node.host or ""
    host = host.strip().lower()
    if is_address(host):
        return {"host": None, "responder_ip": plain_address(host)}
    return {"host": host_name(host), "responder_ip": None}


def _relay_columns(layer: Layer) -> Row:
    start, end = layer.routing_at
    return {
        "json": canonical_json(layer.plaintext[start:end]),
        "body_len": len(layer.plaintext),
        # the inner part is a row of its own, or is counted as not opened
        "content": "readable",
    }


def _node_columns(layer: Layer) -> Row:
    headers = _headers(layer.routing)
    judged = judge_body(layer.body)
    return {
        "headers": json.dumps(headers, sort_keys=True, separators=(",", ":")),
        "user_agent": headers.get("user-agent"),
        "json": judged.json,
        "body_len": len(layer.body),
        "content": judged.content,
    }


def _server_columns(layer: Layer) -> Row:
    endpoint, method = layer.routing.get("endpoint"), layer.routing.get("method")
    path, query = split_target(endpoint if isinstance(endpoint, str) else "")
    if path and not path.startswith("/"):
        path = "/" + path
    columns = _node_columns(layer) | {"path": path, "query": query}
    return columns | {"method": method.upper() if isinstance(method, str) else None}


_COLUMNS: Final = {"relay": _relay_columns, "node": _node_columns, "server": _server_columns}


def _headers(routing: dict[str, object]) -> dict[str, str]:
    found = routing.get("headers")
    if not isinstance(found, dict):
        return {}
    return {str(name).lower(): str(value) for name, value in found.items()}


def _add_payloads(out: Extract, index: int, layer: Layer, ref: Reference) -> None:
    start, end = layer.routing_at
    routing = layer.plaintext[start:end]
    table = "http_requests"
    if layer.kind == "relay":
        _add(out, table, index, "body", "", routing, ref.at(start, end))
        return
    for name, value in _headers(layer.routing).items():
        data = value.encode("utf-8", "surrogatepass")
        _add(out, table, index, "header", name, data, _within(ref, routing, start, data))
    endpoint = layer.routing.get("endpoint")
    if layer.kind == "server" and isinstance(endpoint, str):
        path, _, query = endpoint.encode("utf-8", "surrogatepass").partition(b"?")
        _add(out, table, index, "path", "", path, _within(ref, routing, start, path))
        _add(out, table, index, "query", "", query, _within(ref, routing, start, query))
    at = layer.body_at
    _add(out, table, index, "body", "", layer.body, ref.at(at, at + len(layer.body)))


def _within(ref: Reference, text: bytes, start: int, data: bytes) -> Reference:
    """Point at ``data`` in the JSON that names it; at all of the JSON where it is escaped."""
    found = text.find(data)
    if found < 0:
        return replace(ref, start=None, end=None)
    return ref.at(start + found, start + found + len(data))


def _add(
    out: Extract,
    table: str,
    index: int,
    location: Location,
    detail: str,
    data: bytes,
    ref: Reference,
) -> None:
    direction: Direction = "received" if location == "response" else "sent"
    if data:
        out.payloads.append(
            Payload(
                table=table,
                row=index,
                location=location,
                detail=detail,
                direction=direction,
                data=data,
                ref=ref,
            )
        )


def _read_answer(layer: Layer, plaintext: bytes) -> tuple[int | None, dict[str, str], bytes]:
    """Return status, headers and body; what is no envelope is a body as it stands."""
    try:
        if layer.kind == "server":
            about, _, body, _ = split_text(plaintext)
            return _status(about.get("code")), _headers(about), body
        about = json.loads(plaintext)
    except (OnionError, ValueError, RecursionError):
        return None, {}, plaintext
    if not isinstance(about, dict) or "body" not in about:
        return None, {}, plaintext
    inner = about["body"]
    text = inner if isinstance(inner, str) else json.dumps(inner)
    return _status(about.get("status")), _headers(about), text.encode("utf-8", "surrogatepass")


def _status(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
