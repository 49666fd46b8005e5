"""The file server: ``/file`` over plain HTTP, and the same behind the onion.

Source: file server ``routes.py`` (``submit_file``, ``get_file``, ``get_file_info``,
``get_session_version``) and ``onion_req.py`` (version 4).
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs

from audit.lab.keys import NodeKeys
from audit.lab.layers import LayerError, join_list, open_request, split_list, split_payload
from audit.lab.messages import Headers, Request, Response, find_header
from audit.lab.witness import Witness

MAX_FILE_BYTES: Final = 10_000_000
MAX_FILES: Final = 1_000
EXPIRY_S: Final = 14 * 24 * 3600
RELEASES: Final = {"desktop": "v1.17.17", "android": "1.33.4", "ios": "2.14.0"}
LSRPC_PATHS: Final = ("/oxen/v4/lsrpc", "/loki/v4/lsrpc")


@dataclass(frozen=True, slots=True)
class _File:
    data: bytes
    uploaded_at: float
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileServer:
    """Answers the requests that reach the file server."""

    keys: NodeKeys
    witness: Witness
    _files: dict[str, _File] = field(default_factory=dict)

    async def answer(self, request: Request) -> Response:
        """Answer one request, onion requests included."""
        if request.method == "POST" and request.path in LSRPC_PATHS:
            return self._onion(request)
        response, saw = self._route(request.method, request.target, request.body)
        return self.witness.request(request, response, saw=saw)

    def _route(self, method: str, target: str, body: bytes) -> tuple[Response, dict[str, Any]]:
        path, _, query = target.partition("?")
        if method == "POST" and path == "/file":
            return self._submit(body)
        parts = path.split("/")
        if method == "GET" and parts[:2] == ["", "file"] and len(parts) in {3, 4}:
            return self._give(parts[2], info=parts[3:] == ["info"]), {"file_id": parts[2][:100]}
        if method == "GET" and path == "/session_version":
            return self._version(query), {}
        return _json(404, {"status_code": 404}), {}

    def _submit(self, body: bytes) -> tuple[Response, dict[str, Any]]:
        if not 0 < len(body) <= MAX_FILE_BYTES:
            return _json(413, {"status_code": 413}), {}
        if len(self._files) >= MAX_FILES:
            return _json(507, {"status_code": 507}), {}
        name = str(secrets.randbits(53))
        now = time.time()
        self._files[name] = _File(body, now)
        saw = {"file_id": name, "file_sha256": hashlib.sha256(body).hexdigest()}
        return _json(200, {"id": name, "uploaded": now, "expires": now + EXPIRY_S}), saw

    def _give(self, name: str, *, info: bool) -> Response:
        file = self._files.get(name)
        if file is None:
            return _json(404, {"status_code": 404})
        if not info:
            kind = (("Content-Type", "application/octet-stream"),)
            return Response(status=200, body=file.data, headers=kind)
        times = {"uploaded": file.uploaded_at, "expires": file.uploaded_at + EXPIRY_S}
        return _json(200, {"size": len(file.data), **times})

    @staticmethod
    def _version(query: str) -> Response:
        platform = parse_qs(query).get("platform", [""])[0]
        if platform not in RELEASES:
            return _json(404, {"status_code": 404})
        result = {"status_code": 200, "updated": time.time(), "result": RELEASES[platform]}
        return _json(200, result)

    def _onion(self, request: Request) -> Response:
        hop = find_header(request.headers, "x-hop")
        layer = int(hop) if hop.isascii() and hop.isdigit() and len(hop) < 3 else 0
        try:
            ciphertext, info = split_payload(request.body)
            channel, plaintext = open_request(self.keys.agreement, ciphertext, info)
        except LayerError as error:
            refused = Response(status=400, body=f"{error}\n".encode())
            return self.witness.request(request, refused, layer=layer)
        inner, saw, answer = self._inside(plaintext)
        sealed = Response(status=200, body=channel.seal(answer), headers=_BINARY)
        told: dict[str, Any] = {key: info[key] for key in _ROUTING if key in info}
        self.witness.request(request, sealed, layer=layer, inner=told)
        self.witness.opened(layer + 1, request.peer, plaintext, inner, saw=saw)
        return sealed

    def _inside(self, plaintext: bytes) -> tuple[dict[str, Any], dict[str, Any], bytes]:
        """Answer an opened version 4 request; returns what to note and the framed answer."""
        try:
            parts = split_list(plaintext)
            meta = json.loads(parts[0]) if len(parts) in {1, 2} else None
        except (LayerError, ValueError, RecursionError):
            meta, parts = None, []
        meta = meta if isinstance(meta, dict) else {}
        method, endpoint = meta.get("method"), meta.get("endpoint")
        if not isinstance(method, str) or not isinstance(endpoint, str) or endpoint[:1] != "/":
            return {}, {}, _frame(400, _TEXT, b"Invalid v4 onion request")
        response, saw = self._route(method, endpoint, parts[1] if len(parts) == 2 else b"")
        inner = {"method": method, "endpoint": endpoint[:1000], "headers": meta.get("headers")}
        return inner, saw, _frame(response.status, response.headers, response.body)


_ROUTING: Final = ("host", "port", "protocol", "target")
_BINARY: Final[Headers] = (("Content-Type", "application/octet-stream"),)
_TEXT: Final[Headers] = (("Content-Type", "text/plain; charset=utf-8"),)


def _frame(status: int, headers: Headers, body: bytes) -> bytes:
    meta = {"code": status, "headers": {name.lower(): value for name, value in headers}}
    return join_list(json.dumps(meta).encode(), body)


def _json(status: int, body: dict[str, Any]) -> Response:
    return Response(
        status=status,
        body=json.dumps(body).encode(),
        headers=(("Content-Type", "application/json"),),
    )
