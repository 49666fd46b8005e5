"""A storage node on the wire: ``/storage_rpc/v1`` and ``/onion_req/v2``.

An onion request is opened with the node's own key, one layer, and handed on: to the next node over
TLS, to a host by plain HTTP (or TLS), or to the node's own storage calls, whose answer goes back
encrypted for whoever made the request. Source: storage server ``server/https.cpp`` and
``rpc/request_handler.cpp`` (``process_onion_req``).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audit.lab.calls import Reply, call_text
from audit.lab.layers import (
    MAX_HOPS,
    Channel,
    LayerError,
    ToHost,
    ToNode,
    ToSelf,
    is_allowed_target,
    join_payload,
    open_request,
    parse_layer,
    split_payload,
)
from audit.lab.messages import Request, Response
from audit.lab.relay import Relay, UnreachableError
from audit.lab.storage import Node, Storage
from audit.lab.witness import Witness, describe_call

ONION_PATH = "/onion_req/v2"
RPC_PATH = "/storage_rpc/v1"


def to_response(reply: Reply) -> Response:
    """Return the HTTP answer for a storage call's reply."""
    status, body = reply
    if isinstance(body, str):
        return Response(
            status=status, body=body.encode(), headers=(("Content-Type", "text/plain"),)
        )
    return Response(
        status=status,
        body=json.dumps(body, separators=(",", ":")).encode(),
        headers=(("Content-Type", "application/json"),),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageNode:
    """Answers the requests that reach one node."""

    storage: Storage
    relay: Relay
    witness: Witness
    nodes: Mapping[str, Node]
    """Every node of the network by its Ed25519 key, hex."""

    async def answer(self, request: Request) -> Response:
        """Answer one request."""
        if request.method == "POST" and request.path == RPC_PATH:
            inner, saw = describe_call(request.body)
            response = to_response(call_text(self.storage, request.body))
            return self.witness.request(request, response, inner=inner, saw=saw)
        if request.method == "POST" and request.path == ONION_PATH:
            return await self._onion(request)
        text = f"{request.method} {request.path} Not Found"
        return self.witness.request(request, to_response((404, text)))

    async def _onion(self, request: Request) -> Response:
        try:
            ciphertext, info = split_payload(request.body)
            hop = _hop_number(info)
        except LayerError as error:
            response = to_response((400, f"Error parsing onion request: {error}"))
            return self.witness.request(request, response)
        try:
            channel, plaintext = open_request(self.storage.node.keys.agreement, ciphertext, info)
        except LayerError:
            response = to_response((400, "Invalid ciphertext"))
            return self.witness.request(request, response, layer=hop)
        # noted before it is handed on: the log tells things in the order in which they happened
        self.witness.request(request, Response(status=200), layer=hop)
        try:
            layer = parse_layer(plaintext)
        except LayerError:
            return _seal(channel, (400, "Invalid json"))
        match layer:
            case ToNode():
                return await self._to_node(layer, hop, request.peer)
            case ToHost():
                return await self._to_host(layer, channel, hop, request.peer)
            case ToSelf():
                return self._to_self(layer, channel, hop, request.peer)

    async def _to_node(self, layer: ToNode, hop: int, peer: str) -> Response:
        inner: dict[str, Any] = {"to": "node", "destination": layer.destination}
        node = self.nodes.get(layer.destination)
        inner["standin"] = node.name if node else None
        self.witness.opened(hop + 1, peer, layer.ciphertext, inner)
        if node is None:
            return to_response((502, f"Next node not found: {layer.destination[:64]}"))
        info = {"ephemeral_key": layer.ephemeral_key, "hop_no": hop + 1}
        try:
            answer = await self.relay.post(
                node.address,
                node.port,
                ONION_PATH,
                join_payload(layer.ciphertext, info),
                secure=True,
                headers=(("Content-Type", "application/octet-stream"),),
            )
        except UnreachableError as error:
            return to_response((504, str(error)))
        return _pass_on(answer)

    async def _to_host(self, layer: ToHost, channel: Channel, hop: int, peer: str) -> Response:
        inner = {
            "to": "host",
            "host": layer.host,
            "port": layer.port,
            "protocol": layer.protocol,
            "target": layer.target,
        }
        self.witness.opened(hop + 1, peer, layer.payload, inner, host=layer.host, path=layer.target)
        if layer.protocol not in {"http", "https"} or not is_allowed_target(layer.target):
            return _seal(channel, (400, "Invalid url"))
        try:
            answer = await self.relay.post(
                layer.host,
                layer.port,
                layer.target,
                layer.payload,
                secure=layer.protocol == "https",
                headers=(("X-Hop", str(hop + 1)),),
            )
        except UnreachableError as error:
            return to_response((502, str(error)))
        return _pass_on(answer)

    def _to_self(self, layer: ToSelf, channel: Channel, hop: int, peer: str) -> Response:
        inner, saw = describe_call(layer.body)
        self.witness.opened(hop + 1, peer, layer.body, {"to": "self", **inner}, saw=saw)
        return _seal(channel, call_text(self.storage, layer.body), layer)


def _hop_number(info: dict[str, Any]) -> int:
    """Return how many nodes a request has passed, as it says itself."""
    hop = info.get("hop_no", 0)
    if not isinstance(hop, int) or hop > MAX_HOPS:
        raise LayerError("too many hops")
    return max(0, hop)


def _pass_on(answer: Response) -> Response:
    kept = tuple(
        (name, value)
        for name, value in answer.headers
        if name.lower() in {"content-type", "content-encoding"}
    )
    return Response(status=answer.status, body=answer.body, headers=kept)


def _seal(channel: Channel, reply: Reply, layer: ToSelf | None = None) -> Response:
    """Return the answer encrypted for the maker of the request (``wrap_proxy_response``)."""
    status, body = reply
    if not isinstance(body, str) and not (layer and layer.embed_json):
        body = json.dumps(body, separators=(",", ":"))
    data = channel.seal(json.dumps({"status": status, "body": body}).encode())
    if layer is None or layer.as_base64:
        data = base64.b64encode(data)
    return Response(status=200, body=data, headers=(("Content-Type", "text/plain"),))
