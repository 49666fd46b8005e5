"""A seed node: ``/json_rpc`` with ``get_n_service_nodes``, the list that clients start from.

Source: the chain daemon's documented call ``get_n_service_nodes`` (``fields``, ``limit``,
``active_only``); :func:`list_nodes` also answers a storage node's ``oxend_request``.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from audit.lab.messages import Request, Response
from audit.lab.storage import Node
from audit.lab.witness import Witness, describe_call

HEIGHT = 1_900_000
METHODS = ("get_n_service_nodes", "get_service_nodes")


def _state(node: Node) -> dict[str, Any]:
    return {
        "service_node_pubkey": node.legacy.ed25519_public,
        "pubkey_ed25519": node.keys.ed25519_public,
        "pubkey_x25519": node.keys.x25519_public,
        "public_ip": node.address,
        "storage_port": node.port,
        "storage_lmq_port": node.port - 1,
        "storage_server_version": [2, 8, 0],
        "swarm_id": int(node.swarm[0].keys.ed25519_public[:15], 16),
        "swarm": node.swarm[0].keys.ed25519_public[:15],
        "active": True,
        "funded": True,
        "state_height": HEIGHT - 1000,
        "registration_height": HEIGHT - 5000,
        "requested_unlock_height": 0,
    }


def list_nodes(nodes: Sequence[Node], params: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to ``get_n_service_nodes``: the fields asked for, of the nodes asked for.

    Without ``fields``, or with ``all`` among them, every field is given. ``limit`` nodes are drawn
    at random.
    """
    wanted = _wanted(params.get("fields"))
    limit = params.get("limit")
    chosen = list(nodes)
    if isinstance(limit, int) and not isinstance(limit, bool) and 0 < limit < len(chosen):
        chosen = random.sample(chosen, limit)
    states = [
        {name: value for name, value in _state(node).items() if wanted is None or name in wanted}
        for node in chosen
    ]
    common = {
        "block_hash": f"{HEIGHT:064x}",
        "hardfork": 19,
        "height": HEIGHT,
        "snode_revision": 4,
        "target_height": HEIGHT,
    }
    given = {name: value for name, value in common.items() if wanted is None or name in wanted}
    return {"service_node_states": states, "status": "OK", **given}


def _wanted(fields: object) -> set[str] | None:
    if isinstance(fields, dict):
        names = {str(name) for name, value in fields.items() if value}
    elif isinstance(fields, list):
        names = {name for name in fields if isinstance(name, str)}
    else:
        return None
    return None if not names or "all" in names else names


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """Answers the requests that reach one seed node."""

    nodes: Sequence[Node]
    witness: Witness

    async def answer(self, request: Request) -> Response:
        """Answer one request."""
        inner, saw = describe_call(request.body)
        if request.path != "/json_rpc" or request.method not in {"GET", "POST"}:
            response = Response(status=404, body=b"Not Found\n")
        else:
            response = _to_json(self._call(request.body))
        return self.witness.request(request, response, inner=inner, saw=saw)

    def _call(self, text: bytes) -> dict[str, Any]:
        try:
            body = json.loads(text)
        except (ValueError, RecursionError):
            return _error(None, -32_700, "Parse error")
        if not isinstance(body, dict) or not isinstance(body.get("method"), str):
            return _error(None, -32_600, "Invalid Request")
        name = body.get("id")
        number = name if isinstance(name, int | str) else None
        if body["method"] not in METHODS:
            return _error(number, -32_601, "Method not found")
        params = body.get("params")
        result = list_nodes(self.nodes, params if isinstance(params, dict) else {})
        return {"jsonrpc": "2.0", "id": number, "result": result}


def _error(number: int | str | None, code: int, text: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": text}}


def _to_json(body: dict[str, Any]) -> Response:
    return Response(
        status=200,
        body=json.dumps(body, separators=(",", ":")).encode(),
        headers=(("Content-Type", "application/json"),),
    )
